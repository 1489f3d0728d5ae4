"""Puts authentication together from the settings: who is asked for what, and what is read again."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from keyferry_server.authn.access_keys import AccessKeys
from keyferry_server.authn.bearer_token import BearerTokenAuthenticator, TokenRules
from keyferry_server.authn.caller import Principal
from keyferry_server.authn.client_certificate import CertificateAuthenticator
from keyferry_server.authn.evidence import Authenticator
from keyferry_server.authn.principal_map import PrincipalMap
from keyferry_server.authn.token_keys import TokenKeys
from keyferry_server.background.rereading import read_again_regularly
from keyferry_server.crypto.client_certificate import read_client_certificate
from keyferry_server.domain.clock import Clock
from keyferry_server.middleware.authenticate import (
    Identify,
    as_one,
    as_one_who_signs,
    by_evidence,
    by_signature,
)
from keyferry_server.settings import Settings
from keyferry_server.transport.grpc_tls import GrpcTls, TlsFiles
from keyferry_server.transport.https import HttpTls
from keyferry_server.transport.key_set import key_set_from_file, key_set_from_url


@dataclass(frozen=True, slots=True)
class Authentication:
    """What the composition root needs of it; `refreshes` are background tasks by their names."""

    identify: Identify
    tls: GrpcTls | None
    https: HttpTls | None
    refreshes: Mapping[str, Callable[[], Coroutine[Any, Any, None]]]


async def build_authentication(settings: Settings, clock: Clock) -> Authentication:
    """Read what the settings name; OSError, PrincipalMapError or TokenKeysError for a file that cannot be used.

    A key set from a URL may come later: until then calls with tokens are DependencyTimeoutException.
    """
    files, allows_region = _tls_files(settings), settings.served_regions.allows
    tls, https = (None, None) if files is None else (GrpcTls(files), HttpTls(files))
    if settings.auth == "none":
        return Authentication(as_one(_root(settings), allows_region), tls, https, {})

    refreshes: dict[str, Callable[[], Coroutine[Any, Any, None]]] = {}
    principals = PrincipalMap(settings.partition, settings.spiffe_trust_domain, settings.principals_file)
    if settings.principals_file is not None:

        async def read_principals() -> None:
            principals.read_again()

        refreshes["principals"] = read_again_regularly(read_principals, settings.replica_interval_seconds)

    # A token speaks for the caller, a certificate perhaps for the machine in between: the token comes first.
    authenticators: list[Authenticator] = []
    if "jwt" in settings.auth:
        keys = await _token_keys(settings)
        refreshes["token keys"] = read_again_regularly(keys.fetch_again, settings.jwt_jwks_refresh_seconds)
        authenticators.append(BearerTokenAuthenticator(_rules(settings), keys, principals, clock))
    if "mtls" in settings.auth:
        authenticators.append(CertificateAuthenticator(read_client_certificate, principals, clock))
    return Authentication(by_evidence(authenticators, allows_region), tls, https, refreshes)


def build_aws_authentication(settings: Settings, clock: Clock, access_keys: AccessKeys) -> Identify:
    """Return how callers on AWS's wire are authenticated."""
    if settings.checks_signatures:
        return by_signature(access_keys, clock, settings.served_regions.allows)
    return as_one_who_signs(_root(settings), settings.served_regions.allows)


def _root(settings: Settings) -> Principal:
    account = settings.default_account
    return Principal(account, f"arn:{settings.partition}:iam::{account}:root")


def _tls_files(settings: Settings) -> TlsFiles | None:
    if settings.tls_cert_file is None or settings.tls_key_file is None:
        return None
    return TlsFiles(settings.tls_cert_file, settings.tls_key_file, settings.tls_client_ca_file)


async def _token_keys(settings: Settings) -> TokenKeys:
    if settings.jwt_jwks_file is not None:
        keys = TokenKeys(key_set_from_file(settings.jwt_jwks_file))
        await keys.fetch()
        return keys
    keys = TokenKeys(key_set_from_url(settings.jwt_jwks_url or ""))
    await keys.fetch_again()
    return keys


def _rules(settings: Settings) -> TokenRules:
    return TokenRules(
        issuer=settings.jwt_issuer or "",
        audience=settings.jwt_audience or "",
        algorithms=tuple(settings.jwt_algorithms.split(",")),
        clock_skew_seconds=settings.jwt_clock_skew_seconds,
        claim=settings.jwt_principal_claim,
    )
