"""Rules: parameters are fetched, material is wrapped rightly or wrongly, imported, imported again, deleted."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import MultipleResults, precondition, rule
from model.imports import Token
from model.key import Key, Material, Members
from model.machine import DRY, IMPORTABLE, IMPORTS, KEYS, MOMENT, Machine

SECRETS = st.sampled_from([bytes([number]) * 32 for number in (1, 2, 3)])
TYPES = st.sampled_from([None, "NEW_KEY_MATERIAL", "EXISTING_KEY_MATERIAL"])
WORDS = st.sampled_from([None, "", "HSM 1", "HSM 2"])
ALGORITHMS = st.sampled_from(
    ["RSAES_OAEP_SHA_256", "RSAES_OAEP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256", "RSAES_PKCS1_V1_5"]
)
YEAR = timedelta(days=365)
# How long material is valid, from a moment before the import; None: it never expires.
LIFETIMES = st.sampled_from([None, None, timedelta(hours=1), timedelta(days=30), MOMENT + YEAR])
NO_LIFETIMES = st.sampled_from([MOMENT, -timedelta(days=1), MOMENT + YEAR + MOMENT])
# Which of the ids that a key knows; None: no id is given.
NUMBERS = st.sampled_from([None, None, None, 0, 1, 2])
CHANGES = st.sampled_from(
    [
        {},
        {},
        {"dry_run": True},
        {"key_material_description": "other words"},
        {"import_type": "EXISTING_KEY_MATERIAL"},
        {"expiration_model": "KEY_MATERIAL_DOES_NOT_EXPIRE", "valid_to": None},
    ]
)
FAULTS = st.sampled_from(
    [
        "unknown token",
        "token of another key",
        "token that is used up",
        "other public key",
        "other hash",
        "damaged",
        "too short",
        "31 bytes",
        "33 bytes",
        "no ValidTo",
        "ValidTo without need",
    ]
)


class Importing(Machine):
    """Whether material may be imported is the model's to say."""

    @rule(key=KEYS, algorithm=ALGORITHMS, seconds=st.sampled_from([None, 60, 7200]))
    def fetch_parameters(self, key: str, algorithm: str, seconds: int | None) -> None:
        self.fetch(key, algorithm, seconds)

    @rule(
        target=IMPORTS,
        key=IMPORTABLE,
        secret=SECRETS,
        lifetime=LIFETIMES,
        import_type=TYPES,
        key_material_description=WORDS,
        number=NUMBERS,
        dry_run=DRY,
    )
    def import_material(
        self, key: str, secret: bytes, lifetime: timedelta | None, number: int | None, **members: Any
    ) -> MultipleResults[Members]:
        return self.bring(key, secret, lifetime, key_material_id=self._id(key, number), **members)

    @rule(target=IMPORTS, key=IMPORTABLE, secret=SECRETS, lifetime=LIFETIMES)
    def import_and_rotate(
        self, key: str, secret: bytes, lifetime: timedelta | None
    ) -> MultipleResults[Members]:
        request = self.bring(key, secret, lifetime, import_type="NEW_KEY_MATERIAL")
        self.rotate_on_demand(key)
        return request

    @precondition(lambda self: any(self._missing().values()))
    @rule(which=st.integers(0, 2), lifetime=LIFETIMES)
    def import_what_is_missing(self, which: int, lifetime: timedelta | None) -> None:
        missing = [(key, materials) for key, materials in self._missing().items() if materials]
        key, materials = missing[which % len(missing)]
        for material in materials:
            self.bring(key.key_id, material.secret, lifetime)

    @rule(request=IMPORTS, change=CHANGES)
    def repeat_an_import(self, request: Members, change: Members) -> None:
        self.call("import_key_material", **request | change)

    @rule(key=IMPORTABLE, secret=SECRETS, lifetime=NO_LIFETIMES)
    def import_with_a_wrong_expiry(self, key: str, secret: bytes, lifetime: timedelta) -> None:
        self.bring(key, secret, lifetime)

    @rule(key=KEYS, secret=SECRETS, faults=st.lists(FAULTS, min_size=1, max_size=4, unique=True))
    def import_wrongly(self, key: str, secret: bytes, faults: list[str]) -> None:
        token = self.token(key) or self.model.tokens[-1]
        others = [self.token(one.key_id) for one in self.live if one is not token.key]
        others = [one for one in others if one is not None] or [token]
        for fault in faults:
            self._import_wrongly(key, secret, token, others[-1], fault)

    @rule(key=KEYS, number=NUMBERS)
    def delete_material(self, key: str, number: int | None) -> None:
        self.call("delete_imported_key_material", key_id=key, key_material_id=self._id(key, number))

    @rule(key=KEYS, number=st.integers(0, 3))
    def revoke(self, key: str, number: int) -> None:
        """Revoke a token that can be used, or one of the latest, which may be used up or another key's."""
        mine, now = self.key(key), self.world.clock.now()
        tokens = [one for one in self.model.tokens if one.key is mine and one.is_outstanding(now)]
        tokens += reversed(self.model.tokens)
        for token in tokens[number : number + 1]:
            self.call("revoke_import_token", key_id=key, import_token_id=token.entry["import_token_id"])

    def _missing(self) -> dict[Key, list[Material]]:
        now = self.world.clock.now()
        return {
            key: [one for one in key.materials if one.secret is not None and not one.is_there(now)]
            for key in self.live
        }

    def _import_wrongly(self, key: str, secret: bytes, token: Token, other: Token, fault: str) -> None:
        public_key = other.public_key if fault == "other public key" else token.public_key
        changed: Members = {}
        if fault == "unknown token":
            changed["import_token"] = bytes(len(token.blob))
        if fault == "token of another key":
            token, public_key = other, other.public_key
        if fault == "token that is used up":
            used = [one for one in self.model.tokens if one.key is token.key and one is not token]
            token = used[-1] if used else token
            public_key = token.public_key
        if fault == "31 bytes":
            secret = secret[1:]
        if fault == "33 bytes":
            secret += secret[:1]
        blob = self.wrap(token, secret, public_key, with_the_other_hash=fault == "other hash")
        if fault == "damaged":
            blob = bytes([blob[0] ^ 1]) + blob[1:]
        if fault == "too short":
            blob = blob[1:]
        if fault == "no ValidTo":
            changed["expiration_model"] = None
        if fault == "ValidTo without need":
            changed["valid_to"] = self.world.clock.now() + YEAR
        self.call("import_key_material", **self.request(key, token, blob) | changed)

    def _id(self, name: str, number: int | None) -> str | None:
        """Return one of the ids that the key has known, or another one."""
        if number is None:
            return None
        key = self.key(name)
        known = list(key.ids.values()) if key else []
        return known[number] if number < len(known) else "0" * 64
