"""Rules: what was encrypted is decrypted, rightly or wrongly, with keys that can and keys that cannot."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, multiple, rule
from model.key import Members
from model.machine import CIPHERTEXTS, DRY, KEYS, Machine

CONTEXTS = st.sampled_from([None, None, {"a": "b"}, {"ab": ""}])
PLAINTEXTS = st.binary(min_size=1, max_size=2)
DATA_KEYS = st.sampled_from(
    [
        ("generate_data_key", {"key_spec": "AES_256"}),
        ("generate_data_key", {"number_of_bytes": 17}),
        ("generate_data_key_without_plaintext", {"key_spec": "AES_128"}),
        ("generate_data_key_without_plaintext", {"number_of_bytes": 1024}),
    ]
)
WITHOUT_CIPHERTEXT = {"dry_run": True, "dry_run_modifiers": ["IGNORE_CIPHERTEXT"]}


class Using(Machine):
    """What is made and opened with keys."""

    @rule(target=CIPHERTEXTS, key=KEYS, plaintext=PLAINTEXTS, encryption_context=CONTEXTS, dry_run=DRY)
    def encrypt(self, key: str, **members: Any) -> MultipleResults[bytes]:
        return self._made("encrypt", key_id=key, **members)

    @rule(target=CIPHERTEXTS, key=KEYS, data_key=DATA_KEYS, encryption_context=CONTEXTS, dry_run=DRY)
    def generate_data_key(
        self, key: str, data_key: tuple[str, Members], **members: Any
    ) -> MultipleResults[bytes]:
        operation, length = data_key
        return self._made(operation, key_id=key, **length, **members)

    @rule(
        target=CIPHERTEXTS,
        ciphertext=CIPHERTEXTS,
        key=KEYS,
        named=st.booleans(),
        context=CONTEXTS,
        dry_run=DRY,
    )
    def re_encrypt(
        self, ciphertext: bytes, key: str, *, named: bool, context: Members | None, dry_run: bool | None
    ) -> MultipleResults[bytes]:
        sealed = self.model.ciphertexts[ciphertext]
        return self._made(
            "re_encrypt",
            ciphertext_blob=ciphertext,
            source_encryption_context=sealed.context,
            source_key_id=sealed.key.arn if named else None,
            destination_key_id=key,
            destination_encryption_context=context,
            dry_run=dry_run,
        )

    @rule(ciphertext=CIPHERTEXTS, dry_run=DRY)
    def decrypt(self, ciphertext: bytes, *, dry_run: bool | None) -> None:
        context = self.model.ciphertexts[ciphertext].context
        self.call("decrypt", ciphertext_blob=ciphertext, encryption_context=context, dry_run=dry_run)

    @rule(ciphertext=CIPHERTEXTS, context=CONTEXTS, key=st.none() | KEYS, damaged=st.booleans())
    def decrypt_perhaps_wrongly(
        self, ciphertext: bytes, context: Members | None, key: str | None, *, damaged: bool
    ) -> None:
        blob = self.model.spoil(ciphertext) if damaged else ciphertext
        self.call("decrypt", ciphertext_blob=blob, encryption_context=context, key_id=key)

    @rule(key=KEYS, source=KEYS)
    def try_without_a_ciphertext(self, key: str, source: str) -> None:
        self.call("decrypt", key_id=key, **WITHOUT_CIPHERTEXT)
        self.call("re_encrypt", source_key_id=source, destination_key_id=key, **WITHOUT_CIPHERTEXT)

    def _made(self, operation: str, **members: Any) -> MultipleResults[bytes]:
        made = self.call(operation, **members)
        return multiple() if made is None else multiple(made["ciphertext_blob"])
