"""Data keys that only the right encryption context opens, and imports that only the right token opens."""

import json
import os
from collections.abc import Mapping
from typing import Any

import grpc
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from unit.client.small_service import Operation, refusal

from keyferry.v1 import DecryptRequest, DecryptResponse, GenerateDataKeyRequest, GenerateDataKeyResponse

KEY_ARN = "arn:aws:kms:us-east-1:000000000000:key/0e9a8f4e-6f1c-4a52-b7c1-1d7d1d1b5c11"


class SmallKms:
    """GenerateDataKey and Decrypt under one key."""

    def __init__(self) -> None:
        self._cipher = AESGCM(os.urandom(32))
        self.requests: list[GenerateDataKeyRequest | DecryptRequest] = []
        self.data_keys: list[bytes] = []

    @property
    def operations(self) -> dict[str, Operation]:
        return {"GenerateDataKey": self._generate_data_key, "Decrypt": self._decrypt}

    async def _generate_data_key(self, request: GenerateDataKeyRequest, _: Any) -> GenerateDataKeyResponse:
        self.requests.append(request)
        data_key, nonce = os.urandom(32), os.urandom(12)
        self.data_keys.append(data_key)
        blob = nonce + self._cipher.encrypt(nonce, data_key, _encode(request.encryption_context))
        return GenerateDataKeyResponse(key_id=KEY_ARN, plaintext=data_key, ciphertext_blob=blob)

    async def _decrypt(self, request: DecryptRequest, context: Any) -> DecryptResponse:
        self.requests.append(request)
        nonce, sealed = request.ciphertext_blob[:12], request.ciphertext_blob[12:]
        try:
            data_key = self._cipher.decrypt(nonce, sealed, _encode(request.encryption_context))
        except (InvalidTag, ValueError):
            await context.abort(*refusal("InvalidCiphertextException", grpc.StatusCode.INVALID_ARGUMENT))
        return DecryptResponse(key_id=KEY_ARN, plaintext=data_key)


def _encode(context: Mapping[str, str]) -> bytes:
    return json.dumps(sorted(context.items())).encode()
