# ruff: noqa: ASYNC109 -- a deadline travels with the call, so that the service knows it too
"""The client: one method per operation of the service descriptor, over one connection.

The descriptor is the only index: a response type names its operation, which names
the path on the wire and the request that it takes.
"""

import asyncio
from types import TracebackType
from typing import Self, TypeVar

import grpc
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import DecodeError, Message

from keyferry.v1 import (
    CancelKeyDeletionRequest,
    CancelKeyDeletionResponse,
    CreateKeyRequest,
    CreateKeyResponse,
    DecryptRequest,
    DecryptResponse,
    DeleteImportedKeyMaterialRequest,
    DeleteImportedKeyMaterialResponse,
    DeriveSharedSecretRequest,
    DeriveSharedSecretResponse,
    DescribeKeyRequest,
    DescribeKeyResponse,
    DisableKeyRequest,
    DisableKeyResponse,
    DisableKeyRotationRequest,
    DisableKeyRotationResponse,
    EnableKeyRequest,
    EnableKeyResponse,
    EnableKeyRotationRequest,
    EnableKeyRotationResponse,
    EncryptRequest,
    EncryptResponse,
    GenerateDataKeyPairRequest,
    GenerateDataKeyPairResponse,
    GenerateDataKeyPairWithoutPlaintextRequest,
    GenerateDataKeyPairWithoutPlaintextResponse,
    GenerateDataKeyRequest,
    GenerateDataKeyResponse,
    GenerateDataKeyWithoutPlaintextRequest,
    GenerateDataKeyWithoutPlaintextResponse,
    GenerateMacRequest,
    GenerateMacResponse,
    GenerateRandomRequest,
    GenerateRandomResponse,
    GetKeyLastUsageRequest,
    GetKeyLastUsageResponse,
    GetKeyRotationStatusRequest,
    GetKeyRotationStatusResponse,
    GetParametersForImportRequest,
    GetParametersForImportResponse,
    GetPublicKeyRequest,
    GetPublicKeyResponse,
    ImportKeyMaterialRequest,
    ImportKeyMaterialResponse,
    ListImportReceiptsRequest,
    ListImportReceiptsResponse,
    ListImportTokensRequest,
    ListImportTokensResponse,
    ListKeyRotationsRequest,
    ListKeyRotationsResponse,
    ListKeysRequest,
    ListKeysResponse,
    ReEncryptRequest,
    ReEncryptResponse,
    RevokeImportTokenRequest,
    RevokeImportTokenResponse,
    RotateKeyOnDemandRequest,
    RotateKeyOnDemandResponse,
    ScheduleKeyDeletionRequest,
    ScheduleKeyDeletionResponse,
    SignRequest,
    SignResponse,
    VerifyMacRequest,
    VerifyMacResponse,
    VerifyRequest,
    VerifyResponse,
    key_management_service_pb2,
    keyferry_service_pb2,
)
from keyferry_client.errors import ClientClosedError
from keyferry_client.status_details import error_of_call, unreadable_answer

DEFAULT_TIMEOUT_SECONDS = 30.0

SERVICES = (
    key_management_service_pb2.DESCRIPTOR.services_by_name["KeyManagementService"],
    keyferry_service_pb2.DESCRIPTOR.services_by_name["KeyferryService"],
)
_METHODS: dict[str, MethodDescriptor] = {
    method.output_type.full_name: method for service in SERVICES for method in service.methods
}

_CHANNEL_OPTIONS = (
    # Environment variables for the web's proxies would send even loopback calls there.
    ("grpc.enable_http_proxy", 0),
    # A restarted service is found again within seconds; the default waits up to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
)

Response = TypeVar("Response", bound=Message)


class KeyManagementServiceClient:
    """Calls the key management service at `address`, HOST:PORT.

    ::

        async with KeyManagementServiceClient("127.0.0.1:8700") as client:
            response = await client.describe_key_async(DescribeKeyRequest(key_id=key_id))

    Without `credentials` the connection is neither encrypted nor authenticated.
    `timeout` is the deadline of a call in seconds; each method takes another one
    for its call. Every method raises the errors of `keyferry_client.errors`.
    Cancelling the awaiting task cancels the call, also in the service. A client
    belongs to the event loop of its first call.
    """

    def __init__(
        self,
        address: str,
        *,
        credentials: grpc.ChannelCredentials | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
    ) -> None:
        self.address = address
        self._credentials = credentials
        self._timeout = timeout
        self._channel: grpc.aio.Channel | None = None
        self._is_closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exception_type: type[BaseException] | None,
        exception: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection. Calls that still run end with ClientClosedError."""
        self._is_closed = True
        if self._channel is not None:
            await self._channel.close()

    async def create_key_async(
        self, request: CreateKeyRequest, *, timeout: float | None = None
    ) -> CreateKeyResponse:
        """Create a key; with the origin EXTERNAL without key material."""
        return await self._call(request, CreateKeyResponse, timeout)

    async def describe_key_async(
        self, request: DescribeKeyRequest, *, timeout: float | None = None
    ) -> DescribeKeyResponse:
        """Show a key's metadata, in every key state."""
        return await self._call(request, DescribeKeyResponse, timeout)

    async def list_keys_async(
        self, request: ListKeysRequest, *, timeout: float | None = None
    ) -> ListKeysResponse:
        """List one page of the keys."""
        return await self._call(request, ListKeysResponse, timeout)

    async def enable_key_async(
        self, request: EnableKeyRequest, *, timeout: float | None = None
    ) -> EnableKeyResponse:
        """Switch a disabled key on."""
        return await self._call(request, EnableKeyResponse, timeout)

    async def disable_key_async(
        self, request: DisableKeyRequest, *, timeout: float | None = None
    ) -> DisableKeyResponse:
        """Switch a key off."""
        return await self._call(request, DisableKeyResponse, timeout)

    async def get_parameters_for_import_async(
        self, request: GetParametersForImportRequest, *, timeout: float | None = None
    ) -> GetParametersForImportResponse:
        """Get a wrapping public key and the import token that belongs to it, for one import."""
        return await self._call(request, GetParametersForImportResponse, timeout)

    async def import_key_material_async(
        self, request: ImportKeyMaterialRequest, *, timeout: float | None = None
    ) -> ImportKeyMaterialResponse:
        """Import wrapped key material. Repeating the identical request gives the same answer."""
        return await self._call(request, ImportKeyMaterialResponse, timeout)

    async def delete_imported_key_material_async(
        self, request: DeleteImportedKeyMaterialRequest, *, timeout: float | None = None
    ) -> DeleteImportedKeyMaterialResponse:
        """Delete imported key material at once."""
        return await self._call(request, DeleteImportedKeyMaterialResponse, timeout)

    async def encrypt_async(
        self, request: EncryptRequest, *, timeout: float | None = None
    ) -> EncryptResponse:
        """Encrypt up to 4096 bytes."""
        return await self._call(request, EncryptResponse, timeout)

    async def decrypt_async(
        self, request: DecryptRequest, *, timeout: float | None = None
    ) -> DecryptResponse:
        """Decrypt what Encrypt, ReEncrypt or a data key operation made."""
        return await self._call(request, DecryptResponse, timeout)

    async def re_encrypt_async(
        self, request: ReEncryptRequest, *, timeout: float | None = None
    ) -> ReEncryptResponse:
        """Decrypt and encrypt again under another key or context, inside the service."""
        return await self._call(request, ReEncryptResponse, timeout)

    async def generate_data_key_async(
        self, request: GenerateDataKeyRequest, *, timeout: float | None = None
    ) -> GenerateDataKeyResponse:
        """Generate a data key, in plaintext and encrypted."""
        return await self._call(request, GenerateDataKeyResponse, timeout)

    async def generate_data_key_without_plaintext_async(
        self, request: GenerateDataKeyWithoutPlaintextRequest, *, timeout: float | None = None
    ) -> GenerateDataKeyWithoutPlaintextResponse:
        """Generate a data key, encrypted only."""
        return await self._call(request, GenerateDataKeyWithoutPlaintextResponse, timeout)

    async def generate_random_async(
        self, request: GenerateRandomRequest, *, timeout: float | None = None
    ) -> GenerateRandomResponse:
        """Get random bytes from the service."""
        return await self._call(request, GenerateRandomResponse, timeout)

    async def schedule_key_deletion_async(
        self, request: ScheduleKeyDeletionRequest, *, timeout: float | None = None
    ) -> ScheduleKeyDeletionResponse:
        """Have a key deleted after a waiting period, for good."""
        return await self._call(request, ScheduleKeyDeletionResponse, timeout)

    async def cancel_key_deletion_async(
        self, request: CancelKeyDeletionRequest, *, timeout: float | None = None
    ) -> CancelKeyDeletionResponse:
        """Take a scheduled deletion back; the key is then disabled."""
        return await self._call(request, CancelKeyDeletionResponse, timeout)

    async def enable_key_rotation_async(
        self, request: EnableKeyRotationRequest, *, timeout: float | None = None
    ) -> EnableKeyRotationResponse:
        """Have a key of the origin AWS_KMS rotated on a period."""
        return await self._call(request, EnableKeyRotationResponse, timeout)

    async def disable_key_rotation_async(
        self, request: DisableKeyRotationRequest, *, timeout: float | None = None
    ) -> DisableKeyRotationResponse:
        """End the rotation on a period."""
        return await self._call(request, DisableKeyRotationResponse, timeout)

    async def get_key_rotation_status_async(
        self, request: GetKeyRotationStatusRequest, *, timeout: float | None = None
    ) -> GetKeyRotationStatusResponse:
        """Show whether and when a key is rotated."""
        return await self._call(request, GetKeyRotationStatusResponse, timeout)

    async def rotate_key_on_demand_async(
        self, request: RotateKeyOnDemandRequest, *, timeout: float | None = None
    ) -> RotateKeyOnDemandResponse:
        """Rotate a key now."""
        return await self._call(request, RotateKeyOnDemandResponse, timeout)

    async def list_key_rotations_async(
        self, request: ListKeyRotationsRequest, *, timeout: float | None = None
    ) -> ListKeyRotationsResponse:
        """List one page of the key materials of a key."""
        return await self._call(request, ListKeyRotationsResponse, timeout)

    async def get_key_last_usage_async(
        self, request: GetKeyLastUsageRequest, *, timeout: float | None = None
    ) -> GetKeyLastUsageResponse:
        """Show when a key was last used."""
        return await self._call(request, GetKeyLastUsageResponse, timeout)

    async def list_import_tokens_async(
        self, request: ListImportTokensRequest, *, timeout: float | None = None
    ) -> ListImportTokensResponse:
        """List one page of the import tokens of a key that can still be used."""
        return await self._call(request, ListImportTokensResponse, timeout)

    async def revoke_import_token_async(
        self, request: RevokeImportTokenRequest, *, timeout: float | None = None
    ) -> RevokeImportTokenResponse:
        """Withdraw an import token."""
        return await self._call(request, RevokeImportTokenResponse, timeout)

    async def list_import_receipts_async(
        self, request: ListImportReceiptsRequest, *, timeout: float | None = None
    ) -> ListImportReceiptsResponse:
        """List one page of the receipts of a key's imports."""
        return await self._call(request, ListImportReceiptsResponse, timeout)

    async def sign_async(self, request: SignRequest, *, timeout: float | None = None) -> SignResponse:
        """Sign a message or its digest."""
        return await self._call(request, SignResponse, timeout)

    async def verify_async(self, request: VerifyRequest, *, timeout: float | None = None) -> VerifyResponse:
        """Verify a signature; KMSInvalidSignatureException if it is not right."""
        return await self._call(request, VerifyResponse, timeout)

    async def get_public_key_async(
        self, request: GetPublicKeyRequest, *, timeout: float | None = None
    ) -> GetPublicKeyResponse:
        """Get the public key of an asymmetric key."""
        return await self._call(request, GetPublicKeyResponse, timeout)

    async def generate_mac_async(
        self, request: GenerateMacRequest, *, timeout: float | None = None
    ) -> GenerateMacResponse:
        """Make the HMAC of a message."""
        return await self._call(request, GenerateMacResponse, timeout)

    async def verify_mac_async(
        self, request: VerifyMacRequest, *, timeout: float | None = None
    ) -> VerifyMacResponse:
        """Verify an HMAC; KMSInvalidMacException if it is not right."""
        return await self._call(request, VerifyMacResponse, timeout)

    async def derive_shared_secret_async(
        self, request: DeriveSharedSecretRequest, *, timeout: float | None = None
    ) -> DeriveSharedSecretResponse:
        """Derive the secret that is shared with a peer."""
        return await self._call(request, DeriveSharedSecretResponse, timeout)

    async def generate_data_key_pair_async(
        self, request: GenerateDataKeyPairRequest, *, timeout: float | None = None
    ) -> GenerateDataKeyPairResponse:
        """Generate a data key pair, its private key in plaintext and encrypted."""
        return await self._call(request, GenerateDataKeyPairResponse, timeout)

    async def generate_data_key_pair_without_plaintext_async(
        self, request: GenerateDataKeyPairWithoutPlaintextRequest, *, timeout: float | None = None
    ) -> GenerateDataKeyPairWithoutPlaintextResponse:
        """Generate a data key pair, its private key encrypted only."""
        return await self._call(request, GenerateDataKeyPairWithoutPlaintextResponse, timeout)

    async def _call(self, request: Message, response_type: type[Response], timeout: float | None) -> Response:
        method = _METHODS[response_type.DESCRIPTOR.full_name]
        if getattr(request, "DESCRIPTOR", None) != method.input_type:
            raise TypeError(f"{method.name} takes a {method.input_type.name}, not a {type(request).__name__}")
        operation: grpc.aio.UnaryUnaryMultiCallable[Message, bytes] = self._open_channel().unary_unary(
            f"/{method.containing_service.full_name}/{method.name}",
            request_serializer=type(request).SerializeToString,
        )
        try:
            answer = await operation(request, timeout=self._timeout if timeout is None else timeout)
            # Not gRPC's deserializer: what it cannot read it answers with None.
            return response_type.FromString(answer)
        except DecodeError:
            raise unreadable_answer(self.address) from None
        except grpc.aio.AioRpcError as failure:
            raise error_of_call(failure, self.address) from failure
        except asyncio.CancelledError:
            if self._is_closed and not _is_being_cancelled():
                raise ClientClosedError(f"The client was closed during {method.name}.") from None
            raise

    def _open_channel(self) -> grpc.aio.Channel:
        if self._is_closed:
            raise ClientClosedError("The client is closed.")
        if self._channel is None:
            self._channel = (
                grpc.aio.insecure_channel(self.address, _CHANNEL_OPTIONS)
                if self._credentials is None
                else grpc.aio.secure_channel(self.address, self._credentials, _CHANNEL_OPTIONS)
            )
        return self._channel


def _is_being_cancelled() -> bool:
    """Tell whether somebody cancelled the current task: gRPC ends calls of a closed channel as if so."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
