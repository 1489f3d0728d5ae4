"""The machine without its rules: every call goes to the server and to the model, and both must say the same."""

import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, invariant, multiple
from model.imports import Token
from model.key import Key, Members, Refused
from model.kms import Kms
from model.world import World
from steps import wrap

from keyferry_client.errors import ServiceError

# IDs or ARNs of keys; blobs; requests of ImportKeyMaterial that were made.
KEYS, CIPHERTEXTS, IMPORTS = Bundle("keys"), Bundle("ciphertexts"), Bundle("imports")
# Those of the origin EXTERNAL.
IMPORTABLE = Bundle("importable")
# Between two calls: no two things happen at the same time.
MOMENT = timedelta(microseconds=1)
DRY = st.sampled_from([None, None, None, None, True])


class Unsaid:
    """What a server that refused did not say."""

    def __getitem__(self, name: str) -> "Unsaid":
        return self

    def __len__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "<?>"


def differences(server: Any, model: Any, place: str = "") -> Iterator[str]:
    """Say where the two answers differ."""
    if isinstance(server, list):
        server = dict(enumerate(server))
        model = dict(enumerate(model)) if isinstance(model, list) else model
    if not isinstance(server, dict) or not isinstance(model, dict):
        if server != model:
            yield f"the server:{place} {server!r}"
            yield f"the model: {place} {model!r}"
        return
    for name in sorted(server.keys() | model.keys()):
        yield from differences(server.get(name), model.get(name), f"{place} {name}")


class Machine(RuleBasedStateMachine):
    """Calls, compares, looks at a key after each step and at everything in the end."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self.world = world
        self.model = Kms(world.clock)
        self._looks = 0
        world.begin_anew()

    @property
    def live(self) -> list[Key]:
        return list(self.model.keys.values())

    def key(self, name: str) -> Key | None:
        """Return the key of that ID or ARN, None if it is gone."""
        return self.model.keys.get(name.rpartition("/")[2])

    def call(self, operation: str, **members: Any) -> Members | None:
        """Make one call; return the members of its answer, None if it was refused, as it had to be."""
        self.world.clock.advance(MOMENT)
        asked = {name: value for name, value in members.items() if value is not None}
        answer, refusal, told = None, None, Unsaid()
        try:
            answer = told = self.world.call(operation, asked)
        except ServiceError as error:
            refusal = error
        try:
            expected = getattr(self.model, operation)(asked, told)
            is_same = answer == expected
        except Refused as refused:
            expected = refused
            is_same = (
                refusal is not None and refusal.name in refused.names and refused.says in refusal.message
            )
        self.world.outcomes[operation, refusal.name if refusal else "ok"] += 1
        if not is_same:
            raise AssertionError(
                f"{operation} at {self.world.clock.now()}\nasked for: {asked}\n"
                + "\n".join(differences(refusal if answer is None else answer, expected))
            )
        return answer

    def rotate_on_demand(self, key: str) -> bool:
        is_rotated = self.call("rotate_key_on_demand", key_id=key) is not None
        if is_rotated:
            # The id of material that the service has made is shown here first.
            self.call("describe_key", key_id=key)
        return is_rotated

    def describe_all(self) -> None:
        for key in self.live:
            self.call("describe_key", key_id=key.key_id)

    def fetch(self, key: str, algorithm: str = "RSAES_OAEP_SHA_256", seconds: int | None = None) -> None:
        self.call(
            "get_parameters_for_import",
            key_id=key,
            wrapping_algorithm=algorithm,
            wrapping_key_spec="RSA_2048",
            lifetime_seconds=seconds,
        )

    def token(self, name: str) -> Token | None:
        """Return the key's newest token that can be used, or get one; None for a key that gets none."""
        now = self.world.clock.now()
        for is_last_try in (False, True):
            for one in reversed(self.model.tokens):
                if one.key is self.key(name) and one.is_outstanding(now):
                    return one
            if not is_last_try:
                self.fetch(name)
        return None

    def bring(
        self,
        key: str,
        secret: bytes,
        lifetime: timedelta | None = None,
        *,
        token: Token | None = None,
        **members: Any,
    ) -> MultipleResults[Members]:
        """Import as it should be done, and return the request if one could be made."""
        token = token or self.token(key)
        if token is None:
            return multiple()
        request = self.request(key, token, self.wrap(token, secret, token.public_key), lifetime) | members
        self.call("import_key_material", **request)
        return multiple(request)

    def wrap(
        self, token: Token, secret: bytes, public_key: bytes, *, with_the_other_hash: bool = False
    ) -> bytes:
        algorithm, _, bits = token.entry["wrapping_algorithm"].rpartition("_")
        if with_the_other_hash:
            bits = "1" if bits == "256" else "256"
        blob = wrap(public_key, secret, f"{algorithm}_{bits}")
        if not with_the_other_hash:
            self.model.wrapped[blob] = (public_key, secret)
        return blob

    def request(self, key: str, token: Token, blob: bytes, lifetime: timedelta | None = None) -> Members:
        request = {"key_id": key, "import_token": token.blob, "encrypted_key_material": blob}
        if lifetime is None:
            return request | {"expiration_model": "KEY_MATERIAL_DOES_NOT_EXPIRE"}
        return request | {"valid_to": self.world.clock.now() + lifetime}

    @invariant()
    def a_key_is_as_the_model_says(self) -> None:
        if not self.live:
            return
        self.world.steps += 1
        self._looks += 1
        number, look = divmod(self._looks, 3)
        key = self.live[number % len(self.live)].key_id
        if look == 0:
            self.call("describe_key", key_id=key)
        if look == 1:
            self.call("list_key_rotations", key_id=key, include_key_material="ALL_KEY_MATERIAL")
        if look == 2:
            # In the end all of these are decrypted.
            self.call("encrypt", key_id=key, plaintext=b"for the end")

    def teardown(self) -> None:
        if sys.exc_info()[0] is not None:
            return
        self.call("list_keys")
        self.call("list_aliases")
        self.describe_all()
        for key in self.live:
            self.call("list_key_rotations", key_id=key.key_id, include_key_material="ALL_KEY_MATERIAL")
            for look in (
                "get_key_last_usage",
                "list_resource_tags",
                "list_import_tokens",
                "list_import_receipts",
            ):
                self.call(look, key_id=key.key_id)
        for blob, sealed in self.model.ciphertexts.items():
            self.call("decrypt", ciphertext_blob=blob, encryption_context=sealed.context)
