"""Every operation in every key state: it works, or is refused as AWS's table says, and a refusal changes nothing.

The table stands in `state_table`. All rows of all tables are compared before and
after each refusal.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from contract.conftest import Refused
from contract.operations import request_on, send
from contract.state_table import (
    COLUMNS,
    NOT_TIED_TO_A_STATE,
    NOTES,
    OF_MULTI_REGION_KEYS,
    OF_OTHER_KEYS,
    outcomes,
)
from fixtures.server import TestServer
from policies import ROOT, user
from steps import (
    create_imported_key,
    delete_material,
    disable,
    encrypt,
    get_parameters,
    import_request,
    schedule_deletion,
    state_of,
)

from keyferry.v1 import CreateGrantRequest, CreateKeyRequest
from keyferry_client import KeyManagementServiceClient
from keyferry_client.errors import KMSInvalidStateException, ServiceError
from keyferry_server.transport.calls import SERVICES

OUTCOMES = outcomes()
OPERATIONS = sorted({method.name for service in SERVICES for method in service.methods})

ALIAS = "alias/moved"

# A state leaves the operation nothing to refuse for, but the request of this test does.
ALSO_REFUSED = {
    "RotateKeyOnDemand": (KMSInvalidStateException, "No available key material pending rotation"),
}


class Subject:
    """A key of one origin in one state, and what requests on it need."""

    def __init__(
        self, server: TestServer, client: KeyManagementServiceClient, origin: str, state: str, usable: str
    ) -> None:
        self.client = client
        self.origin, self.state = origin, state
        self._server = server
        self._usable = usable
        self._others_ciphertext = b""

    async def request(self, operation: str) -> object:
        """Make a fresh key, put it into its state, and return a right request on it."""
        key_id = await self._create()
        ciphertext = await encrypt(self.client, key_id)
        self._others_ciphertext = self._others_ciphertext or await encrypt(self.client, self._usable)
        imports: dict[str, bytes] = {}
        token_id = ""
        await self._give_names(operation, key_id)
        grant_id = await self._grant(key_id) if operation in {"RevokeGrant", "RetireGrant"} else ""
        if self.origin == "EXTERNAL" and operation in {"ImportKeyMaterial", "RevokeImportToken"}:
            parameters = await get_parameters(self.client, key_id)
            right = import_request(key_id, parameters)
            imports = {"import_token": right.import_token, "wrapped": right.encrypted_key_material}
            token_id = parameters.import_token_id
        await INTO[self.state](self.client, key_id)
        assert await state_of(self.client, key_id) == self.state
        return request_on(
            operation,
            key_id,
            ciphertext=self._others_ciphertext if operation == "ReEncrypt to" else ciphertext,
            destination=self._usable,
            token_id=token_id,
            grant_id=grant_id,
            **imports,
        )

    async def _give_names(self, operation: str, key_id: str) -> None:
        """Make the alias that an operation needs; every other finds none of that name."""
        if operation in {"DeleteAlias", "UpdateAlias"}:
            target = key_id if operation == "DeleteAlias" else self._usable
            await self.client.create_alias_async(alias_name=ALIAS, target_key_id=target)

    async def _grant(self, key_id: str) -> str:
        """Make a grant that the caller of these tests may retire."""
        request = CreateGrantRequest(
            key_id=key_id,
            grantee_principal=user("grantee"),
            retiring_principal=ROOT,
            operations=["GRANT_OPERATION_ENCRYPT"],
        )
        return (await self.client.create_grant_async(request)).grant_id

    async def _create(self) -> str:
        if self.origin == "EXTERNAL":
            return await create_imported_key(self.client)
        return (await self.client.create_key_async(CreateKeyRequest())).key_metadata.key_id


async def stay(_client: KeyManagementServiceClient, _key_id: str) -> None:
    pass


INTO: dict[str, Callable[[KeyManagementServiceClient, str], Awaitable[None]]] = {
    "ENABLED": stay,
    "DISABLED": disable,
    "PENDING_DELETION": schedule_deletion,
    "PENDING_IMPORT": delete_material,
}


def test_the_table_holds_every_operation_that_works_on_a_key() -> None:
    in_table = {operation.split()[0] for operation in OUTCOMES}
    assert set(OPERATIONS) - in_table == NOT_TIED_TO_A_STATE | OF_OTHER_KEYS | OF_MULTI_REGION_KEYS
    assert in_table <= set(OPERATIONS)


@pytest.mark.parametrize(("origin", "state"), COLUMNS)
async def test_every_operation_does_in_this_state_what_the_table_says(
    server: TestServer,
    client: KeyManagementServiceClient,
    refused: Refused[ServiceError],
    origin: str,
    state: str,
) -> None:
    subject = Subject(server, client, origin, state, await create_imported_key(client))
    for operation, cells in OUTCOMES.items():
        outcome = cells[origin, state]
        request = await subject.request(operation)
        if outcome != "ok":
            exception, words = NOTES[outcome]
            error = await refused(exception, send(client, request))
            assert error.message.endswith(words), f"{operation}: {error.message}"
        elif origin == "EXTERNAL" and operation in ALSO_REFUSED:
            exception, words = ALSO_REFUSED[operation]
            assert words in (await refused(exception, send(client, request))).message
        else:
            await send(client, request)


async def test_an_expired_key_is_refused_as_one_that_is_pending_import(
    server: TestServer, client: KeyManagementServiceClient, refused: Refused[ServiceError]
) -> None:
    valid_to = server.clock.now() + timedelta(hours=1)
    key_id = await create_imported_key(client, valid_to=valid_to)
    usable = await create_imported_key(client)
    ciphertext, others = await encrypt(client, key_id), await encrypt(client, usable)
    server.clock.advance(timedelta(hours=1))
    assert await state_of(client, key_id) == "PENDING_IMPORT"
    for operation, cells in OUTCOMES.items():
        outcome = cells["EXTERNAL", "PENDING_IMPORT"]
        if outcome == "ok":
            continue
        request = request_on(
            operation,
            key_id,
            ciphertext=others if operation == "ReEncrypt to" else ciphertext,
            destination=usable,
        )
        exception, words = NOTES[outcome]
        error = await refused(exception, send(client, request))
        assert error.message.endswith(words), operation
