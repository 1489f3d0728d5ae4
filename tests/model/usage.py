"""The model of using keys: which key material makes and opens which ciphertext, and when a key was used last."""

from dataclasses import dataclass

from model.key import Key, Material, Members, Refused, all_of, refuse_if
from model.lifecycle import Lifecycle

SYMMETRIC = "SYMMETRIC_DEFAULT"


@dataclass(eq=False)
class Sealed:
    """What is in a ciphertext. `plaintext` is None until the service has shown it, `context` if nothing opens it."""

    key: Key
    material: Material
    context: Members | None
    plaintext: bytes | None
    length: int


class Usage(Lifecycle):
    """A ciphertext opens with its own key, its own encryption context, and as long as its key is Enabled."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.ciphertexts: dict[bytes, Sealed] = {}

    def spoil(self, ciphertext: bytes) -> bytes:
        """Return the ciphertext with one bit changed; it still names its key, and nothing opens it."""
        spoiled = ciphertext[:-1] + bytes([ciphertext[-1] ^ 1])
        sealed = self.ciphertexts[ciphertext]
        self.ciphertexts[spoiled] = Sealed(sealed.key, sealed.material, None, None, sealed.length)
        return spoiled

    def encrypt(self, asked: Members, told: Members) -> Members:
        key = self.admitted("Encrypt", asked["key_id"])
        self._seal(key, asked, told["ciphertext_blob"], asked["plaintext"], len(asked["plaintext"]))
        self._used(key, "ENCRYPT")
        return {
            "ciphertext_blob": told["ciphertext_blob"],
            "key_id": key.arn,
            "encryption_algorithm": SYMMETRIC,
        }

    def generate_data_key(self, asked: Members, told: Members) -> Members:
        answer = self._data_key("GenerateDataKey", asked, told)
        sealed = self.ciphertexts[told["ciphertext_blob"]]
        self._show(sealed, told["plaintext"])
        return answer | {"plaintext": sealed.plaintext}

    def generate_data_key_without_plaintext(self, asked: Members, told: Members) -> Members:
        return self._data_key("GenerateDataKeyWithoutPlaintext", asked, told)

    def decrypt(self, asked: Members, told: Members) -> Members:
        sealed = self._open("Decrypt", asked, "key_id", "encryption_context")
        refuse_if(asked.get("dry_run"), "DryRunOperationException")
        self._show(sealed, told["plaintext"])
        self._used(sealed.key, "DECRYPT")
        return {
            "key_id": sealed.key.arn,
            "plaintext": sealed.plaintext,
            "encryption_algorithm": SYMMETRIC,
            "key_material_id": sealed.material.id,
        }

    def re_encrypt(self, asked: Members, told: Members) -> Members:
        sealed, key = all_of(
            lambda: self._open("ReEncrypt from", asked, "source_key_id", "source_encryption_context"),
            lambda: self.admitted("ReEncrypt to", asked["destination_key_id"]),
        )
        asked = asked | {"encryption_context": asked.get("destination_encryption_context", {})}
        self._seal(key, asked, told["ciphertext_blob"], sealed.plaintext, sealed.length)
        self._used(sealed.key, "RE_ENCRYPT")
        self._used(key, "RE_ENCRYPT")
        return {
            "ciphertext_blob": told["ciphertext_blob"],
            "source_key_id": sealed.key.arn,
            "key_id": key.arn,
            "source_encryption_algorithm": SYMMETRIC,
            "destination_encryption_algorithm": SYMMETRIC,
            "source_key_material_id": sealed.material.id,
            "destination_key_material_id": key.materials[-1].id,
        }

    def get_key_last_usage(self, asked: Members, told: Members) -> Members:
        key = self.admitted("GetKeyLastUsage", asked["key_id"])
        answer = {
            "key_id": key.arn,
            "key_last_usage": {},
            "tracking_start_date": key.created,
            "key_creation_date": key.created,
        }
        if key.usage is not None:
            key.usage.setdefault("kms_request_id", told["key_last_usage"]["kms_request_id"])
            answer["key_last_usage"] = key.usage
        return answer

    def _data_key(self, operation: str, asked: Members, told: Members) -> Members:
        key = self.admitted(operation, asked["key_id"])
        length = asked.get("number_of_bytes") or {"AES_256": 32, "AES_128": 16}[asked["key_spec"]]
        self._seal(key, asked, told["ciphertext_blob"], None, length)
        self._used(key, "".join(f"_{one}" if one.isupper() else one.upper() for one in operation)[1:])
        current = key.materials[-1]
        return {"ciphertext_blob": told["ciphertext_blob"], "key_id": key.arn, "key_material_id": current.id}

    def _seal(self, key: Key, asked: Members, blob: bytes, plaintext: bytes | None, length: int) -> None:
        refuse_if(asked.get("dry_run"), "DryRunOperationException")
        assert blob not in self.ciphertexts, "the same ciphertext twice"
        context = asked.get("encryption_context", {})
        self.ciphertexts[blob] = Sealed(key, key.materials[-1], context, plaintext, length)

    def _open(self, operation: str, asked: Members, key_member: str, context_member: str) -> Sealed:
        if "dry_run_modifiers" in asked:
            key = self.admitted(operation, asked[key_member])
            return Sealed(key, key.materials[-1], {}, b"", 0)
        sealed = self.ciphertexts.get(asked["ciphertext_blob"])
        if sealed is None:
            raise Refused("InvalidCiphertextException")
        if key_member in asked:
            key = self.named(operation, asked[key_member])
            refuse_if(key is not sealed.key, "IncorrectKeyException")
        refuse_if(sealed.key.key_id not in self.keys, "AccessDeniedException")
        self.admitted(operation, sealed.key.key_id)
        refuse_if(asked.get(context_member, {}) != sealed.context, "InvalidCiphertextException")
        return sealed

    def _show(self, sealed: Sealed, plaintext: bytes) -> None:
        if sealed.plaintext is None:
            assert len(plaintext) == sealed.length
            sealed.plaintext = plaintext

    def _used(self, key: Key, operation: str) -> None:
        key.usage = {"operation": operation, "timestamp": self.clock.now()}
