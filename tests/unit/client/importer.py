"""Imports behind the small service: GetParametersForImport and ImportKeyMaterial, and what they were asked."""

from datetime import UTC, datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap_with_padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from google.protobuf.timestamp_pb2 import Timestamp
from unit.client.small_kms import KEY_ARN
from unit.client.small_service import Operation

from keyferry.v1 import (
    GetParametersForImportRequest,
    GetParametersForImportResponse,
    ImportKeyMaterialRequest,
    ImportKeyMaterialResponse,
)

MATERIAL = bytes(range(100, 132))
MATERIAL_ID = "ab" * 32
TOKEN = b"opaque import token"
VALID_TO = datetime(2030, 1, 31, 12, tzinfo=UTC)


def timestamp(time: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(time)
    return made


class Importer:
    """Unwraps with one private key."""

    def __init__(self, private_key: rsa.RSAPrivateKey) -> None:
        self._private_key = private_key
        self.asked: list[GetParametersForImportRequest] = []
        self.imported: list[ImportKeyMaterialRequest] = []

    @property
    def operations(self) -> dict[str, Operation]:
        return {"GetParametersForImport": self.get_parameters, "ImportKeyMaterial": self.import_material}

    async def get_parameters(
        self, request: GetParametersForImportRequest, _: Any
    ) -> GetParametersForImportResponse:
        self.asked.append(request)
        return GetParametersForImportResponse(
            key_id=KEY_ARN,
            import_token=TOKEN,
            public_key=self._private_key.public_key().public_bytes(
                Encoding.DER, PublicFormat.SubjectPublicKeyInfo
            ),
            parameters_valid_to=timestamp(VALID_TO),
        )

    async def import_material(self, request: ImportKeyMaterialRequest, _: Any) -> ImportKeyMaterialResponse:
        self.imported.append(request)
        return ImportKeyMaterialResponse(key_id=KEY_ARN, key_material_id=MATERIAL_ID)

    @property
    def material(self) -> bytes:
        """What the only import brought, unwrapped."""
        (request,) = self.imported
        digest, size = SHA256(), self._private_key.key_size // 8
        encrypted = request.encrypted_key_material
        oaep = padding.OAEP(padding.MGF1(digest), digest, label=None)
        opened = self._private_key.decrypt(encrypted[:size], oaep)
        return opened if len(encrypted) == size else aes_key_unwrap_with_padding(opened, encrypted[size:])
