"""Who gets in over real connections: certificates, tokens, both; and what those who do not are told."""

import re
import threading
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import grpc
import pytest
from certificates import Pair, authority, channel_credentials, make, server_pair
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from direct_calls import somebody
from dumps import pg_dump
from e2e.callers_view import until
from fixtures.server import ServerFactory, TestServer
from google.rpc import error_details_pb2, status_pb2
from policies import permit, policy
from steps import create_external_key, describe
from token_issuer import ACCOUNT, AUDIENCE, ISSUER, ROLE, SUBJECT, TRUST_DOMAIN, Issuer, encode

from keyferry.v1 import ListKeysRequest
from keyferry_client import (
    AccessDeniedException,
    DependencyTimeoutException,
    ExpiredTokenException,
    KeyManagementServiceClient,
    MissingAuthenticationTokenException,
    ServiceUnavailableError,
    UnrecognizedClientException,
)
from keyferry_server.authn.principal_map import PrincipalMapError
from keyferry_server.authn.token_keys import TokenKeysError
from keyferry_server.routes import ROUTES

OTHER_ACCOUNT = "111111111111"
LIST_KEYS = "/keyferry.v1.KeyManagementService/ListKeys"


@pytest.fixture
def start(start_server: ServerFactory) -> ServerFactory:
    """Start a server with principals that may do everything with the keys of their account."""

    async def start(*names: tuple[str, str], **settings: Any) -> TestServer:
        server = await start_server(**settings)
        for account, name in names or ((ACCOUNT, "role/billing"),):
            await somebody(server, f"arn:aws:iam::{account}:{name}", policy(permit()))
        return server

    return start


@pytest.fixture(scope="module")
def trusted() -> Pair:
    return authority("trusted")


@pytest.fixture(scope="module")
def issuer() -> Issuer:
    return Issuer(one="P-256", rsa="RSA")


@pytest.fixture
def tls(trusted: Pair, tmp_path: Path) -> dict[str, Any]:
    """Settings of a server with TLS."""
    certificate, key = server_pair(trusted).write(tmp_path / "server")
    return {"tls_cert_file": certificate, "tls_key_file": key}


@pytest.fixture
def mtls(tls: dict[str, Any], trusted: Pair, tmp_path: Path) -> dict[str, Any]:
    """Settings of a server that asks for certificates."""
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(trusted.pem)
    return tls | {
        "auth": "mtls",
        "tls_client_ca_file": authorities,
        "spiffe_trust_domain": TRUST_DOMAIN,
        "replica_interval_seconds": 0.05,
    }


@pytest.fixture
def jwt(tls: dict[str, Any], issuer: Issuer, tmp_path: Path) -> dict[str, Any]:
    """Settings of a server that asks for tokens."""
    key_set = tmp_path / "keys.json"
    key_set.write_text(issuer.key_set())
    return tls | {
        "auth": "jwt",
        "jwt_issuer": ISSUER,
        "jwt_audience": AUDIENCE,
        "jwt_jwks_file": key_set,
        "spiffe_trust_domain": TRUST_DOMAIN,
    }


def role(name: str, account: str = ACCOUNT) -> str:
    return f"spiffe://{TRUST_DOMAIN}/account/{account}/role/{name}"


def client_of(
    address: str, trusted: Pair, client: Pair | None = None, token: str | None = None
) -> KeyManagementServiceClient:
    return KeyManagementServiceClient(
        address, credentials=channel_credentials(trusted, client, token), timeout=10
    )


async def list_keys(client: KeyManagementServiceClient) -> list[str]:
    async with client:
        response = await client.list_keys_async(ListKeysRequest())
        return [key.key_id for key in response.keys]


async def is_turned_away(client: KeyManagementServiceClient) -> bool:
    """Tell whether no connection comes about."""
    try:
        await list_keys(client)
    except ServiceUnavailableError:
        return True
    return False


# certificates


async def test_a_certificate_is_the_principal_of_its_spiffe_id_and_accounts_are_apart(
    start: ServerFactory, mtls: dict[str, Any], trusted: Pair
) -> None:
    server = await start((ACCOUNT, "role/billing"), (OTHER_ACCOUNT, "role/billing"), **mtls)
    async with (
        client_of(server.address, trusted, trusted.issue(role("billing"))) as one,
        client_of(server.address, trusted, trusted.issue(role("billing", OTHER_ACCOUNT))) as other,
    ):
        key_id = await create_external_key(one)
        arn = (await describe(one, key_id)).arn
        others = (await describe(other, await create_external_key(other))).arn
        assert (arn.split(":")[4], others.split(":")[4]) == (ACCOUNT, OTHER_ACCOUNT)
        for stranger, foreign in ((other, arn), (one, others), (one, arn.replace(ACCOUNT, OTHER_ACCOUNT))):
            with pytest.raises(AccessDeniedException):
                await describe(stranger, foreign)
        assert [key.key_id for key in (await one.list_keys_async(ListKeysRequest())).keys] == [key_id]


async def test_no_strangers_certificate_opens_a_connection(
    start: ServerFactory, mtls: dict[str, Any], trusted: Pair, database_url: str
) -> None:
    server = await start(**mtls)
    before = await pg_dump(database_url)
    namesake = authority("trusted")
    good = trusted.issue(role("billing"))
    strangers = {
        "none": None,
        "of another authority": authority("other").issue(role("billing")),
        "of another authority of the same name": namesake.issue(role("billing")),
        "of its own": make("CN=billing", names=[x509.UniformResourceIdentifier(role("billing"))]),
        "expired": trusted.issue(role("billing"), valid_from=timedelta(days=-2)),
        "not valid yet": trusted.issue(role("billing"), valid_from=timedelta(hours=1)),
        "of a server": trusted.issue(role("billing"), usage=ExtendedKeyUsageOID.SERVER_AUTH),
        "of a client that plays the authority": good.issue(role("root")),
    }
    for name, stranger in strangers.items():
        assert await is_turned_away(client_of(server.address, trusted, stranger)), name
    assert await is_turned_away(KeyManagementServiceClient(server.address, timeout=5))
    assert await list_keys(client_of(server.address, trusted, good)) == []
    assert data_of(await pg_dump(database_url), "keys") == data_of(before, "keys")


async def test_a_trusted_certificate_that_stands_for_nobody_may_do_nothing(
    start: ServerFactory, mtls: dict[str, Any], trusted: Pair
) -> None:
    server = await start(**mtls)
    for uris in (
        (),
        ("spiffe://other.org/account/000000000000/role/x",),
        (role("a"), role("b")),
        (role(".."),),
    ):
        client = client_of(server.address, trusted, trusted.issue(*uris))
        with pytest.raises(UnrecognizedClientException) as refused:
            await list_keys(client)
        assert refused.value.message == "The security token included in the request is invalid."
        assert refused.value.request_id


async def test_a_connection_does_not_outlive_its_certificate(
    start: ServerFactory, mtls: dict[str, Any], trusted: Pair
) -> None:
    server = await start(**mtls)
    short = trusted.issue(role("billing"), valid_for=timedelta(hours=2))
    async with client_of(server.address, trusted, short) as client:
        await client.list_keys_async(ListKeysRequest())
        server.clock.advance(timedelta(hours=2))
        with pytest.raises(ExpiredTokenException):
            await client.list_keys_async(ListKeysRequest())


async def test_entries_of_the_principals_file_are_followed_without_a_restart(
    start: ServerFactory, mtls: dict[str, Any], trusted: Pair, tmp_path: Path
) -> None:
    file = tmp_path / "principals.toml"
    file.write_text("")
    server = await start((ACCOUNT, "user/backup"), **mtls, principals_file=file)
    async with client_of(server.address, trusted, trusted.issue(subject="CN=backup,O=Example")) as client:
        with pytest.raises(UnrecognizedClientException):
            await client.list_keys_async(ListKeysRequest())
        file.write_text(f'[certificates]\n"CN=backup,O=Example" = "arn:aws:iam::{ACCOUNT}:user/backup"\n')

        async def is_taken() -> bool:
            try:
                await client.list_keys_async(ListKeysRequest())
            except UnrecognizedClientException:
                return False
            return True

        await until(is_taken)
        file.write_text("")

        async def is_refused() -> bool:
            return not await is_taken()

        await until(is_refused)


async def test_new_certificates_and_authorities_are_taken_over_without_a_restart(
    start: ServerFactory, mtls: dict[str, Any], trusted: Pair
) -> None:
    server = await start(**mtls)
    old = client_of(server.address, trusted, trusted.issue(role("billing")))
    await old.list_keys_async(ListKeysRequest())
    new = authority("new")

    # While they are being replaced they do not belong together: the old ones go on.
    mtls["tls_cert_file"].write_bytes(server_pair(new).pem)
    assert await list_keys(client_of(server.address, trusted, trusted.issue(role("billing")))) == []
    mtls["tls_client_ca_file"].write_bytes(new.pem)
    server_pair(new).write(mtls["tls_cert_file"].parent)

    assert await list_keys(client_of(server.address, new, new.issue(role("billing")))) == []
    with pytest.raises(ServiceUnavailableError):
        await list_keys(client_of(server.address, trusted, trusted.issue(role("billing"))))
    with pytest.raises(ServiceUnavailableError):
        await list_keys(client_of(server.address, new, trusted.issue(role("billing"))))
    # An open connection is not cut.
    await old.list_keys_async(ListKeysRequest())
    await old.close()


# tokens


async def test_a_token_is_the_principal_of_its_subject(
    start: ServerFactory, jwt: dict[str, Any], trusted: Pair, issuer: Issuer
) -> None:
    server = await start(**jwt)
    async with client_of(server.address, trusted, token=issuer.token()) as client:
        key_id = await create_external_key(client)
        assert (await describe(client, key_id)).arn.split(":")[4] == ACCOUNT


async def refused_call(address: str, trusted: Pair, metadata: tuple[tuple[str, str], ...]) -> Any:
    """Make a call with any metadata and return the failure: status, message, name, details."""
    async with grpc.aio.secure_channel(address, channel_credentials(trusted)) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await channel.unary_unary(LIST_KEYS)(b"", metadata=metadata, timeout=10)
    failure = caught.value
    trailers = dict(failure.trailing_metadata() or ())
    details = status_pb2.Status.FromString(trailers["grpc-status-details-bin"]).details
    info = error_details_pb2.ErrorInfo()
    assert details[0].Unpack(info)
    assert not any(b"Traceback" in detail.value for detail in details)
    return failure.code(), failure.details(), info.reason, len(details)


async def test_whatever_is_wrong_with_a_token_the_answer_is_the_same_but_for_one_that_expired(
    start: ServerFactory, jwt: dict[str, Any], trusted: Pair, issuer: Issuer
) -> None:
    server = await start(**jwt)
    claims = encode(issuer.claims())
    wrong = {
        "alg none": f"{encode({'alg': 'none', 'kid': 'one'})}.{claims}.",
        "another audience": issuer.token(issuer.claims(aud="other")),
        "another issuer": issuer.token(issuer.claims(iss="https://other.example")),
        "the future": issuer.token(issuer.claims(nbf=99_999_999_999)),
        "a kid that is a path": issuer.token(header={"kid": "../../etc/passwd"}),
        "key confusion": f"{encode({'alg': 'HS256', 'kid': 'rsa'})}.{claims}.{encode(b'x' * 32)}",
        "another key": Issuer(one="P-256").token(),
        "nobody": issuer.token(issuer.claims(sub="somebody")),
        "no token": "x",
        "too long": f"{'a' * 5000}.{claims}.a",
    }
    answers = {
        name: await refused_call(server.address, trusted, (("authorization", f"Bearer {token}"),))
        for name, token in wrong.items()
    }
    assert set(answers.values()) == {
        (
            grpc.StatusCode.UNAUTHENTICATED,
            "The security token included in the request is invalid.",
            "UnrecognizedClientException",
            2,
        )
    }, answers
    expired = issuer.token(issuer.claims(exp=1_000_000_000))
    answer = await refused_call(server.address, trusted, (("authorization", f"Bearer {expired}"),))
    assert answer[:3] == (
        grpc.StatusCode.UNAUTHENTICATED,
        "The security token included in the request is expired",
        "ExpiredTokenException",
    )
    answer = await refused_call(server.address, trusted, ())
    assert answer[:3] == (
        grpc.StatusCode.UNAUTHENTICATED,
        "Missing Authentication Token",
        "MissingAuthenticationTokenException",
    )
    twice = (("authorization", f"Bearer {issuer.token()}"), ("authorization", f"Bearer {issuer.token()}"))
    assert (await refused_call(server.address, trusted, twice))[2] == "UnrecognizedClientException"


async def test_every_operation_asks_who_is_calling_before_it_looks_at_the_request(
    start: ServerFactory, jwt: dict[str, Any], trusted: Pair
) -> None:
    server = await start(**jwt)
    async with client_of(server.address, trusted) as client:
        for route in ROUTES:
            name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", route.name).lower()
            with pytest.raises(MissingAuthenticationTokenException):
                await getattr(client, f"{name}_async")()


async def test_who_may_not_call_does_not_learn_which_regions_there_are(
    start: ServerFactory, jwt: dict[str, Any], trusted: Pair
) -> None:
    server = await start(**jwt)
    for region in ("us-east-1", "mars-north-1"):
        client = KeyManagementServiceClient(
            server.address, credentials=channel_credentials(trusted, None, None), region=region, timeout=10
        )
        with pytest.raises(MissingAuthenticationTokenException):
            await list_keys(client)


async def test_with_both_a_token_speaks_and_a_certificate_that_is_no_good_is_not_made_good_by_one(
    start: ServerFactory, mtls: dict[str, Any], jwt: dict[str, Any], trusted: Pair, issuer: Issuer
) -> None:
    both = jwt | mtls | {"auth": "mtls,jwt"}
    server = await start((ACCOUNT, "role/billing"), (OTHER_ACCOUNT, "role/machine"), **both)
    machine = trusted.issue(role("machine", OTHER_ACCOUNT))

    async def account(token: str | None) -> str:
        async with client_of(server.address, trusted, machine, token) as client:
            return (await describe(client, await create_external_key(client))).arn.split(":")[4]

    assert (await account(None), await account(issuer.token())) == (OTHER_ACCOUNT, ACCOUNT)
    with pytest.raises(UnrecognizedClientException):
        await account(issuer.token(issuer.claims(aud="other")))
    with pytest.raises(ServiceUnavailableError):
        await list_keys(client_of(server.address, trusted, None, issuer.token()))


class KeySetServer:
    """Answers with the issuer's key set over HTTP, or as the test says."""

    def __init__(self, issuer: Issuer) -> None:
        self.status = 200
        self.body: bytes | None = None
        self.asked = 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked += 1
                body = issuer.key_set().encode() if outer.body is None else outer.body
                self.send_response(outer.status)
                self.send_header("location", "http://127.0.0.1:1/")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/keys"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def fresh_issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def key_set_server(fresh_issuer: Issuer) -> Iterator[KeySetServer]:
    server = KeySetServer(fresh_issuer)
    yield server
    server.close()


async def test_the_key_set_is_fetched_from_a_url_and_its_rotation_is_followed(
    start: ServerFactory,
    jwt: dict[str, Any],
    trusted: Pair,
    fresh_issuer: Issuer,
    key_set_server: KeySetServer,
) -> None:
    key_set_server.status = 503
    server = await start(
        **jwt | {"jwt_jwks_file": None, "jwt_jwks_url": key_set_server.url, "jwt_jwks_refresh_seconds": 0.02}
    )

    async def is_taken(kid: str) -> bool:
        try:
            await list_keys(client_of(server.address, trusted, token=fresh_issuer.token(kid=kid)))
        except UnrecognizedClientException:
            return False
        return True

    # The start did not wait for the issuer. Until it answers, a token is neither good nor bad.
    with pytest.raises(DependencyTimeoutException):
        await is_taken("one")
    key_set_server.status = 200
    await until(lambda: _eventually(is_taken("one")))

    fresh_issuer.add("two")
    await until(lambda: is_taken("two"))
    # None of these answers takes anything away, and none of them is followed elsewhere.
    for status, body in (
        (302, None),
        (500, b""),
        (200, b"<html>"),
        (200, b'{"keys": []}'),
        (200, b"x" * 1_100_000),
    ):
        key_set_server.status, key_set_server.body = status, body
        asked = key_set_server.asked
        await until(lambda asked=asked: _is(key_set_server.asked > asked + 1))
        assert await is_taken("two")
    key_set_server.status, key_set_server.body = 200, None
    token = fresh_issuer.token(kid="one")
    del fresh_issuer.keys["one"]

    async def is_refused() -> bool:
        with suppress(UnrecognizedClientException):
            await list_keys(client_of(server.address, trusted, token=token))
            return False
        return True

    await until(is_refused)


async def _is(condition: bool) -> bool:  # noqa: FBT001 -- it is the condition
    return condition


async def _eventually(is_so: Coroutine[Any, Any, bool]) -> bool:
    try:
        return await is_so
    except DependencyTimeoutException:
        return False


# none


async def test_without_authentication_everyone_is_the_root_of_the_account_and_tokens_mean_nothing(
    start: ServerFactory, issuer: Issuer
) -> None:
    server = await start()
    async with grpc.aio.insecure_channel(server.address) as channel:
        await channel.unary_unary(LIST_KEYS)(b"", metadata=(("authorization", "Bearer x"),), timeout=10)


async def test_a_file_that_cannot_be_used_stops_the_start(
    start: ServerFactory, mtls: dict[str, Any], jwt: dict[str, Any], tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("nothing")
    for settings, error in (
        (mtls | {"tls_cert_file": broken}, OSError),
        (mtls | {"tls_key_file": tmp_path / "missing"}, OSError),
        (mtls | {"tls_client_ca_file": broken}, OSError),
        (mtls | {"principals_file": broken}, PrincipalMapError),
        (jwt | {"jwt_jwks_file": broken}, TokenKeysError),
    ):
        with pytest.raises(error) as refused:
            await start(**settings)
        assert str(tmp_path) in str(refused.value) or "key set" in str(refused.value)


def data_of(dump: bytes, table: str) -> bytes:
    return dump.partition(f"COPY public.{table} ".encode())[2].partition(b"\\.")[0]


def test_the_names_of_this_module_agree() -> None:
    assert (role("billing"), f"arn:aws:iam::{ACCOUNT}:role/billing") == (SUBJECT, ROLE)
