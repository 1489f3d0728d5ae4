"""The model of bringing key material: parameters, import, its repetition, deletion of material, tokens and receipts."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from model.key import Key, Material, Members, Refused, refuse_if
from model.lifecycle import Lifecycle

LONGEST_EXPIRY = timedelta(days=365)
MATERIAL_BYTES = 32


@dataclass(eq=False)
class Token:
    """An import token, and the request that spent it with its answer and its material."""

    key: Key
    blob: bytes
    public_key: bytes
    entry: Members
    is_revoked: bool = False
    spent_by: tuple[Members, Members, Material] | None = None

    @property
    def valid_to(self) -> datetime:
        return self.entry["valid_to"]

    def is_outstanding(self, now: datetime) -> bool:
        return not self.is_revoked and self.spent_by is None and now < self.valid_to


class Imports(Lifecycle):
    """`wrapped` knows what the caller has put into which blob, and for which token's public key."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)
        self.tokens: list[Token] = []
        self.wrapped: dict[bytes, tuple[bytes, bytes]] = {}

    def get_parameters_for_import(self, asked: Members, told: Members) -> Members:
        key = self.admitted("GetParametersForImport", asked["key_id"])
        algorithm, spec = asked["wrapping_algorithm"], asked["wrapping_key_spec"]
        refuse_if(
            algorithm in {"RSAES_PKCS1_V1_5", "SM2PKE"} or spec == "SM2", "UnsupportedOperationException"
        )
        now = self.clock.now()
        entry = {
            "import_token_id": told["import_token_id"],
            "wrapping_algorithm": algorithm,
            "wrapping_key_spec": spec,
            "creation_date": now,
            "valid_to": now + timedelta(seconds=asked.get("lifetime_seconds", 86400)),
        }
        self.tokens.append(Token(key, told["import_token"], told["public_key"], entry))
        return {
            "key_id": key.arn,
            "import_token": told["import_token"],
            "public_key": told["public_key"],
            "parameters_valid_to": entry["valid_to"],
            "import_token_id": told["import_token_id"],
        }

    def import_key_material(self, asked: Members, told: Members) -> Members:
        now = self.clock.now()
        key = self.admitted("ImportKeyMaterial", asked["key_id"])
        kind = asked.get("import_type") or ("EXISTING_KEY_MATERIAL" if key.materials else "NEW_KEY_MATERIAL")
        is_new = kind == "NEW_KEY_MATERIAL"
        valid_to = asked.get("valid_to")
        if asked.get("expiration_model") == "KEY_MATERIAL_DOES_NOT_EXPIRE":
            refuse_if(valid_to is not None, "ValidationException")
        else:
            refuse_if(valid_to is None, "ValidationException", says="A validTo date must be set")
            refuse_if(not now < valid_to <= now + LONGEST_EXPIRY, "ValidationException")
        refuse_if(is_new and "key_material_id" in asked, "ValidationException")

        token = next((one for one in self.tokens if one.blob == asked["import_token"]), None)
        refuse_if(token is None or token.key is not key, "InvalidImportTokenException")
        if now >= token.valid_to:
            raise Refused("ExpiredImportTokenException", *["InvalidImportTokenException"] * token.is_revoked)
        refuse_if(token.is_revoked, "InvalidImportTokenException")
        if token.spent_by is not None:
            request, answer, material = token.spent_by
            is_repeated = asked | {"dry_run": None} == request and material.is_there(now)
            refuse_if(not is_repeated, "InvalidImportTokenException")
            refuse_if(asked.get("dry_run"), "DryRunOperationException")
            return answer

        blob = asked["encrypted_key_material"]
        is_oaep = token.entry["wrapping_algorithm"].startswith("RSAES_OAEP")
        refuse_if(is_oaep and len(blob) != 256, "ValidationException", says="Invalid encrypted key size.")
        public_key, secret = self.wrapped.get(blob, (b"", b""))
        refuse_if(public_key != token.public_key, "InvalidCiphertextException")
        refuse_if(len(secret) != MATERIAL_BYTES, "IncorrectKeyMaterialException")
        material = next((one for one in key.associated(now) if one.secret == secret), None)
        refuse_if(is_new == (material is not None), "IncorrectKeyMaterialException")
        if "key_material_id" in asked:
            refuse_if(key.ids[secret] != asked["key_material_id"], "IncorrectKeyMaterialException")
        waits = is_new and bool(key.materials)
        refuse_if(
            waits and key.pending(now) is not None, "KMSInvalidStateException", says="is pending rotation."
        )
        refuse_if(asked.get("dry_run"), "DryRunOperationException", says="would have succeeded")

        key.is_on = key.is_on or key.state(now) == "PENDING_IMPORT"
        if secret not in key.ids:
            key.ids[secret] = self.fresh_id(told["key_material_id"])
        if material is None:
            material = Material(secret, key.ids[secret])
            if waits:
                key.waiting = material
            else:
                key.materials.append(material)
        material.is_deleted, material.valid_to = False, valid_to
        material.description = asked.get("key_material_description", material.description)
        receipt = {
            "import_token_id": token.entry["import_token_id"],
            "key_id": key.arn,
            "key_material_id": material.id,
            "wrapping_algorithm": token.entry["wrapping_algorithm"],
            "wrapping_key_spec": token.entry["wrapping_key_spec"],
            "import_date": now,
            "caller": "arn:aws:iam::000000000000:root",
            "request_id": told["receipt"]["request_id"],
        }
        key.receipts.append(receipt)
        answer = {"key_id": key.arn, "key_material_id": material.id, "receipt": receipt}
        token.spent_by = (asked | {"dry_run": None}, answer, material)
        return answer

    def delete_imported_key_material(self, asked: Members, told: Members) -> Members:
        now = self.clock.now()
        key = self.admitted("DeleteImportedKeyMaterial", asked["key_id"])
        if "key_material_id" in asked:
            known = {one.id: one for one in key.associated(now)}
            refuse_if(asked["key_material_id"] not in known, "NotFoundException")
            material = known[asked["key_material_id"]]
        elif key.materials:
            material = key.materials[-1]
        else:
            return {"key_id": key.arn}
        material.is_deleted = True
        return {"key_id": key.arn, "key_material_id": material.id}

    def list_import_tokens(self, asked: Members, told: Members) -> Members:
        key = self.admitted("ListImportTokens", asked["key_id"])
        entries = [one.entry for one in self._outstanding(key)]
        entries.sort(key=lambda one: one["import_token_id"])
        return {"truncated": False} | ({"import_tokens": entries} if entries else {})

    def revoke_import_token(self, asked: Members, told: Members) -> Members:
        key = self.admitted("RevokeImportToken", asked["key_id"])
        token_id = asked["import_token_id"]
        token = next(
            (one for one in self._outstanding(key) if one.entry["import_token_id"] == token_id), None
        )
        refuse_if(token is None, "NotFoundException")
        token.is_revoked = True
        return {"key_id": key.arn}

    def list_import_receipts(self, asked: Members, told: Members) -> Members:
        receipts = self.admitted("ListImportReceipts", asked["key_id"]).receipts
        return {"truncated": False} | ({"import_receipts": receipts} if receipts else {})

    def _outstanding(self, key: Key) -> list[Token]:
        now = self.clock.now()
        return [one for one in self.tokens if one.key is key and one.is_outstanding(now)]
