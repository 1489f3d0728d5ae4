"""ImportKeyMaterial: imports wrapped key material into a key that was created without any.

1. Parse and validate the request.
2. Load the key, admit the caller, check its origin and its state.
3. Check the combinations of ExpirationModel and ValidTo, of ImportType and KeyMaterialId.
4. Authenticate the import token; check that it names this key, that it has not
   expired, and that it is not spent. The identical request that spent it is
   answered again while its material is still there.
5. Unwrap the key material, with no database connection held.
6. Check the material itself; bring a private key into its one form.
7. Compare it with what is associated with the key (``domain.import_rules``). A dry
   run ends here.
8. In one short transaction: lock the key, check again what may have changed,
   write the sealed material, spend the token, write the receipt.
9. Answer with the receipt.

Everything before the commit of (8) changes nothing. A caller that cancels before
it finds the key as it was; from it on the import is done, and the repeated
request answers the same.
"""

import asyncio
import hashlib
from dataclasses import dataclass
from datetime import datetime

from keyferry.v1 import ImportKeyMaterialRequest, ImportKeyMaterialResponse
from keyferry_server.call import Call
from keyferry_server.crypto.import_token import ImportTokenCodec
from keyferry_server.crypto.key_material_id import KeyMaterialIds
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.crypto.wrapping import unwrap_key_material
from keyferry_server.crypto.wrapping.wrapping_key import load_wrapping_private_key
from keyferry_server.domain.clock import Clock
from keyferry_server.domain.dry_run import stop_if_dry_run
from keyferry_server.domain.import_parameters import ImportParameters, SpentParameters
from keyferry_server.domain.import_receipt import ImportReceipt
from keyferry_server.domain.import_rules import (
    check_import_type,
    check_symmetric_members,
    place_material,
    state_of_new_material,
)
from keyferry_server.domain.import_token import ImportToken
from keyferry_server.domain.import_token import check as check_import_token
from keyferry_server.domain.importable_keys import ImportableKeys
from keyferry_server.domain.key import Key
from keyferry_server.domain.key_material import (
    ExpirationModel,
    ImportType,
    KeyMaterial,
    WrappingKeySpec,
    check_expiration,
)
from keyferry_server.operations.get_parameters_for_import import private_key_place
from keyferry_server.operations.key_door import KeyDoor
from keyferry_server.operations.key_use import material_place
from keyferry_server.operations.material_check import MaterialCheck
from keyferry_server.storage.database import Database, Transaction
from keyferry_server.storage.import_receipt_store import ImportReceiptStore
from keyferry_server.storage.import_token_store import ImportTokenStore
from keyferry_server.storage.key_store import KeyStore
from keyferry_server.wire.enums import parse_enum
from keyferry_server.wire.import_receipt import format_import_receipt
from keyferry_server.wire.timestamps import parse_timestamp


@dataclass(frozen=True, slots=True)
class ImportKeyMaterial:
    """Imports key material; all or nothing."""

    database: Database
    door: KeyDoor
    keys: KeyStore
    tokens: ImportTokenStore
    receipts: ImportReceiptStore
    codec: ImportTokenCodec
    importable_keys: ImportableKeys
    material_check: MaterialCheck
    key_material_ids: KeyMaterialIds
    sealer: Sealer
    clock: Clock

    async def __call__(self, request: ImportKeyMaterialRequest, call: Call) -> ImportKeyMaterialResponse:
        """Follow the sequence in the module's docstring."""
        # 1
        model = parse_enum(request.expiration_model, ExpirationModel)
        asked_valid_to = (
            parse_timestamp(request.valid_to, "validTo") if request.HasField("valid_to") else None
        )
        asked_type = parse_enum(request.import_type, ImportType)
        asked_id = request.key_material_id if request.HasField("key_material_id") else None

        # 2
        key = await self.door.open(request.key_id, call)
        self.importable_keys.check(key)
        now = self.clock.now()
        key.check_state(call.route.key_states, now)

        # 3
        valid_to = check_expiration(model, asked_valid_to, now)
        check_symmetric_members(key, _symmetric_members(request))
        check_import_type(asked_type, asked_id, key)

        # 4
        token = self.codec.parse(request.import_token)
        check_import_token(token, key.key_id, now)
        parameters = await self.tokens.load(key, token)
        digest = _digest(key.key_id, request, valid_to)
        if isinstance(parameters, SpentParameters):
            # Read again: the import that spent the token may have committed after the key was loaded.
            key = await self.door.open(request.key_id, call)
            parameters.check_repetition(digest, key, now)
            stop_if_dry_run(request.dry_run)
            return _answer(key, await self.receipts.load(token))

        # 5
        secret = await self._unwrap(parameters, token, request.encrypted_key_material)

        # 6
        fresh = await self.material_check.check_and_canonicalise(key.key_spec, secret)

        # 7
        key_material_id = self.key_material_ids.of(key.key_id, fresh.identity)
        place_material(key, asked_type, asked_id, key_material_id, now)
        stop_if_dry_run(request.dry_run)

        # 8
        sealed = self.sealer.seal(fresh.secret, material_place(key.key_id, key_material_id))

        async def commit(transaction: Transaction) -> ImportReceipt:
            current = await self.door.lock(transaction, key, call)
            now = self.clock.now()
            current.check_state(call.route.key_states, now)
            unspent = await self.tokens.lock(transaction, current, token)
            if isinstance(unspent, SpentParameters):
                unspent.check_repetition(digest, current, now)
                return await self.receipts.read(transaction, token)
            known = place_material(current, asked_type, asked_id, key_material_id, now)
            material = KeyMaterial(
                key_material_id=key_material_id,
                state=known.state if known else state_of_new_material(current),
                sealed=sealed,
                valid_to=valid_to,
                imported_at=now,
                description=_description(request, known),
                rotation=known.rotation if known else None,
                public_key=fresh.public_key,
            )
            if not material.is_permanent:
                # One that expired unused may still have its row.
                await self.keys.forget_other_pending(transaction, current, key_material_id)
            await self.keys.put_material(transaction, current.identifier, material)
            if current.enabled_after_import(material, now) is not current.enabled:
                await self.keys.switch(transaction, current, enabled=True)
            await self.tokens.spend(transaction, token, SpentParameters(now, digest, key_material_id))
            receipt = ImportReceipt(
                token_name=token.name,
                key_material_id=key_material_id,
                wrapping_algorithm=unspent.wrapping_algorithm,
                wrapping_key_spec=unspent.wrapping_key_spec,
                imported_at=now,
                caller=str(call.caller),
                request_id=call.request_id,
            )
            await self.receipts.add(transaction, current, receipt)
            return receipt

        # 9
        return _answer(key, await self.database.transact(commit))

    async def _unwrap(self, parameters: ImportParameters, token: ImportToken, encrypted: bytes) -> Secret:
        """Unseal the wrapping private key and unwrap with it."""

        def unwrap() -> Secret:
            sealed = parameters.sealed_private_key
            private_key = load_wrapping_private_key(self.sealer.unseal(sealed, private_key_place(token)))
            return unwrap_key_material(parameters.wrapping_algorithm, private_key, encrypted)

        if parameters.wrapping_key_spec is WrappingKeySpec.RSA_2048:
            # 0.2 ms: less than the way through a thread costs. The larger keys would hold up the other calls.
            return unwrap()
        return await asyncio.to_thread(unwrap)


def _symmetric_members(request: ImportKeyMaterialRequest) -> list[str]:
    """Return which of the members are given that are about several materials in one key."""
    members = {
        "ImportType": request.import_type != 0,
        "KeyMaterialDescription": request.HasField("key_material_description"),
        "KeyMaterialId": request.HasField("key_material_id"),
    }
    return [name for name, is_given in members.items() if is_given]


def _description(request: ImportKeyMaterialRequest, known: KeyMaterial | None) -> str | None:
    """Return the words about the material: the request's, or those that it had."""
    if request.HasField("key_material_description"):
        return request.key_material_description
    return None if known is None else known.description


def _digest(key_id: str, request: ImportKeyMaterialRequest, valid_to: datetime | None) -> bytes:
    """Return what tells the identical request from any other: SHA-256 over its length-prefixed values."""
    expiry = "never" if valid_to is None else valid_to.isoformat()
    words = request.key_material_description if request.HasField("key_material_description") else None
    digest = hashlib.sha256()
    for value in (
        key_id.encode(),
        request.import_token,
        request.encrypted_key_material,
        expiry.encode(),
        bytes([request.import_type]),
        b"" if words is None else b"=" + words.encode(),
        request.key_material_id.encode(),
    ):
        digest.update(len(value).to_bytes(4, "big"))
        digest.update(value)
    return digest.digest()


def _answer(key: Key, receipt: ImportReceipt) -> ImportKeyMaterialResponse:
    return ImportKeyMaterialResponse(
        key_id=key.arn,
        key_material_id=receipt.key_material_id if key.is_symmetric else None,
        receipt=format_import_receipt(key, receipt),
    )
