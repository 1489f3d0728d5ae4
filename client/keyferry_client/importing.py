"""Bring a key in one call.

1. Check the form of the material. What is refused here has been sent to nobody.
2. GetParametersForImport: a wrapping public key, and the import token that belongs to it.
3. Wrap the material under that public key, here.
4. ImportKeyMaterial.

One deadline and one cancellation token are for all of it. What fails says what to do
next, in a note on its exception.
"""

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from keyferry.v1 import (
    AlgorithmSpec,
    GetParametersForImportRequest,
    ImportKeyMaterialRequest,
    ImportKeyMaterialResponse,
    ImportType,
    KeySpec,
    WrappingKeySpec,
)
from keyferry_client.cancellation import CancellationToken
from keyferry_client.errors import (
    AccessDeniedException,
    ExpiredImportTokenException,
    IncorrectKeyMaterialException,
    InvalidArnException,
    InvalidCiphertextException,
    InvalidImportTokenException,
    KeyferryError,
    KMSInvalidStateException,
    NotFoundException,
    TransportError,
    UnsupportedOperationException,
)
from keyferry_client.key_material import Material, check_key_material, wipe
from keyferry_client.operations import (
    AlgorithmSpecName,
    ImportTypeName,
    KeySpecName,
    Operations,
    WrappingKeySpecName,
)
from keyferry_client.private_key_material import PRIVATE_KEYS
from keyferry_client.requests import build_request
from keyferry_client.task import Task
from keyferry_client.wrapping import parse_wrapping_algorithm, wrap_bytes

_AGAIN = "Import again: that fetches new parameters."

NEXT_STEPS: dict[type[KeyferryError], str] = {
    AccessDeniedException: "An import needs the permissions kms:GetParametersForImport and kms:ImportKeyMaterial.",
    ExpiredImportTokenException: _AGAIN,
    IncorrectKeyMaterialException: "A key takes back the key material that it had. To give a symmetric key other "
    "material, import it with import_type='NEW_KEY_MATERIAL' and rotate the key, or create another key.",
    InvalidArnException: "Give the key ID or the key ARN; aliases are not taken here.",
    InvalidCiphertextException: _AGAIN,
    InvalidImportTokenException: _AGAIN,
    KMSInvalidStateException: "DescribeKey shows the key's state.",
    NotFoundException: "ListKeys shows the keys of this account and Region.",
    UnsupportedOperationException: "The key must have the origin EXTERNAL, and a key spec into which the service imports.",
}
_UNKNOWN_OUTCOME = (
    "Whether the key material was imported is not known; importing the same material again does no harm."
)


class ImportingOperations(Operations):
    """The operations, and the import that puts three of their steps together."""

    @property
    @abstractmethod
    def timeout(self) -> float:
        """The deadline of a call in seconds, unless the call says otherwise."""

    def import_key_async(
        self,
        *,
        key_id: str,
        material: Material,
        valid_to: datetime | None,
        cancellation_token: CancellationToken = CancellationToken.none,
        timeout: float | None = None,
        key_spec: KeySpec | KeySpecName = "SYMMETRIC_DEFAULT",
        wrapping_algorithm: AlgorithmSpec | AlgorithmSpecName | None = None,
        wrapping_key_spec: WrappingKeySpec | WrappingKeySpecName = "RSA_3072",
        import_type: ImportType | ImportTypeName | None = None,
        key_material_description: str | None = None,
    ) -> Task[ImportKeyMaterialResponse]:
        """Import key material in one call: fetch parameters, wrap here, import.

        The material leaves this process only wrapped. It is copied at once: a bytearray
        may be `wipe`d as soon as this returns. Our copy is wiped in the end; copies that
        Python and the cryptographic library make on the way cannot be.

        Args:
            key_id: Key ID or key ARN of a key with the origin EXTERNAL.
            material: 32 raw bytes for a symmetric key; for other key specs see `key_material`.
            valid_to: When the material expires, with its time zone; None: never.
            cancellation_token: Cancels the import, at whichever step it is.
            timeout: The deadline of the whole import in seconds.
            key_spec: Key spec of the key; it decides which form the material needs.
            wrapping_algorithm: How to wrap; default RSAES_OAEP_SHA_256, and RSA_AES_KEY_WRAP_SHA_256
                for private keys, which are too long for the former.
            wrapping_key_spec: Kind of wrapping key.
            import_type: Default NEW_KEY_MATERIAL for the first import, else EXISTING_KEY_MATERIAL.
            key_material_description: Words about the material. Not secret.
        """
        spec = KeySpec.Name(key_spec) if isinstance(key_spec, int) else key_spec
        check_key_material(material, spec)
        algorithm = parse_wrapping_algorithm(wrapping_algorithm or default_wrapping_algorithm(spec))
        asking = build_request(
            GetParametersForImportRequest,
            {
                "key_id": key_id,
                "wrapping_algorithm": algorithm.spec_name,
                "wrapping_key_spec": wrapping_key_spec,
            },
        )
        importing = build_request(
            ImportKeyMaterialRequest,
            {
                "key_id": key_id,
                "valid_to": valid_to,
                "expiration_model": f"KEY_MATERIAL_{'DOES_NOT_EXPIRE' if valid_to is None else 'EXPIRES'}",
                "import_type": import_type,
                "key_material_description": key_material_description,
            },
        )
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (self.timeout if timeout is None else timeout)
        copy = bytearray(material)

        async def fetch_wrap_import() -> ImportKeyMaterialResponse:
            with _telling_what_to_do():
                parameters = await self.get_parameters_for_import_async(
                    asking, cancellation_token, timeout=deadline - loop.time()
                )
            importing.import_token = parameters.import_token
            importing.encrypted_key_material = wrap_bytes(parameters.public_key, algorithm, copy)
            wipe(copy)
            with _telling_what_to_do(_UNKNOWN_OUTCOME):
                return await self.import_key_material_async(
                    importing, cancellation_token, timeout=deadline - loop.time()
                )

        task = Task(fetch_wrap_import(), loop=loop, name="ImportKey")
        task.add_done_callback(lambda _: wipe(copy))
        return task


def default_wrapping_algorithm(
    key_spec: str,
) -> Literal["RSA_AES_KEY_WRAP_SHA_256", "RSAES_OAEP_SHA_256"]:
    """Return the wrapping algorithm that carries the material of a key of `key_spec`."""
    is_long = key_spec.removeprefix("KEY_SPEC_") in PRIVATE_KEYS
    return "RSA_AES_KEY_WRAP_SHA_256" if is_long else "RSAES_OAEP_SHA_256"


@contextlib.contextmanager
def _telling_what_to_do(without_answer: str | None = None) -> Iterator[None]:
    try:
        yield
    except KeyferryError as error:
        step = without_answer if isinstance(error, TransportError) else NEXT_STEPS.get(type(error))
        if step is not None:
            error.add_note(step)
        raise
