"""All settings, parsed once at the start. Nothing else reads the environment.

Each is a KEYFERRY_... variable in the environment, and for those of the command
line an option; the option wins.
"""

import ipaddress
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from keyferry_server.authn.bearer_token import ALGORITHMS as JWT_ALGORITHMS
from keyferry_server.domain.rate_limit import RateLimits

# Three centuries, so that no sum with a date overflows.
Seconds = Annotated[float, Field(gt=0, le=10**10, allow_inf_nan=False)]
_REGION = re.compile(r"[a-z0-9-]{1,64}")
_PREFIX = "KEYFERRY_"
# Those of the command `keyferry`, which may be in the same environment.
_OF_THE_CLIENT = frozenset(
    f"{_PREFIX}{name}"
    for name in (
        "AUTHORITIES",
        "ENDPOINT",
        "IDENTITY",
        "OUTPUT",
        "REGION",
        "SERVER_NAME",
        "TOKEN",
        "TOKEN_FILE",
    )
)
# Those of a compose file, and of a service called "keyferry…", which Kubernetes tells every container of.
_OF_A_PLATFORM = re.compile(rf"{_PREFIX}(UID|GID|PUBLISHED_\w+|(\w+_)?(SERVICE_HOST|(SERVICE_)?PORT(_\w+)?))")


class ListenAddress(str):
    """HOST:PORT; an IPv6 host stands in brackets. Port 0 picks a free one."""

    __slots__ = ()

    @property
    def host(self) -> str:
        """The host without brackets."""
        return self.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port, 0 to 65535."""
        return int(self.rpartition(":")[2])

    @property
    def is_loopback(self) -> bool:
        """Tell whether only this machine can reach it."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def with_port(self, port: int) -> str:
        """Return the address with another port."""
        return f"{self.rpartition(':')[0]}:{port}"


def _parse_listen(value: object) -> object:
    if not isinstance(value, str):
        return value
    host, _, port = value.rpartition(":")
    if not host or not (port.isascii() and port.isdecimal()) or int(port) > 65535:  # noqa: PLR2004 -- the largest port
        raise ValueError("expected HOST:PORT, for example 127.0.0.1:8700")
    return ListenAddress(value)


def _parse_listen_or_off(value: object) -> object:
    return value if value == "off" else _parse_listen(value)


def _parse_auth(value: object) -> object:
    return ",".join(sorted(part.strip() for part in value.split(","))) if isinstance(value, str) else value


def _parse_algorithms(value: object) -> object:
    if isinstance(value, str) and (unknown := set(value.split(",")) - set(JWT_ALGORITHMS)):
        raise ValueError(
            f"{min(unknown)!r} is not accepted; expected some of {','.join(JWT_ALGORITHMS)}, with commas between them"
        )
    return value


def _parse_rate_limits(value: object) -> object:
    return RateLimits.parse(value) if isinstance(value, str) else value


class RegionList(str):
    """Regions with commas between them, or `*` for any."""

    __slots__ = ()

    def allows(self, region: str) -> bool:
        """Tell whether a Region is in the list."""
        return _REGION.fullmatch(region) is not None if self == "*" else region in self.split(",")


def _parse_regions(value: object) -> object:
    if not isinstance(value, str):
        return value
    regions = [region.strip() for region in value.split(",")]
    if regions != ["*"] and not all(map(_REGION.fullmatch, regions)):
        raise ValueError("expected Regions with commas between them, for example us-east-1,eu-west-1, or *")
    return RegionList(",".join(regions))


Listen = Annotated[ListenAddress, BeforeValidator(_parse_listen)]
ListenOrOff = Annotated[ListenAddress | Literal["off"], BeforeValidator(_parse_listen_or_off)]
Regions = Annotated[RegionList, BeforeValidator(_parse_regions)]

Auth = Annotated[Literal["none", "mtls", "jwt", "jwt,mtls"], BeforeValidator(_parse_auth)]
Limits = Annotated[RateLimits, BeforeValidator(_parse_rate_limits)]
Algorithms = Annotated[str, BeforeValidator(_parse_algorithms)]


class Settings(BaseSettings):
    """The configuration of one server process."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        extra="forbid",
    )

    # Where the keys are: a DSN in production, else the embedded Postgres in the data folder.
    database_url: SecretStr | None = None
    database_password_file: Path | None = None
    data_dir: Path | None = None
    database_pool_size: Annotated[int, Field(ge=1, le=100)] = 5
    database_connect_timeout_seconds: Seconds = 5
    database_statement_timeout_seconds: Seconds = 10

    # What seals the keys. With a DSN one of the three is required: a file, the key itself, or a PKCS#11 device.
    root_key_file: Path | None = None
    root_key: SecretStr | None = None
    pkcs11_module: Path | None = None
    pkcs11_token: str | None = None
    pkcs11_pin_file: Path | None = None
    pkcs11_pin: SecretStr | None = None
    pkcs11_key_label: Annotated[str, Field(min_length=1)] = "keyferry-root-key"

    # Who can reach it.
    grpc_listen: Listen = ListenAddress("127.0.0.1:8700")
    aws_listen: ListenOrOff = ListenAddress("127.0.0.1:8701")
    metrics_listen: ListenOrOff = ListenAddress("127.0.0.1:8702")
    auth: Auth = "none"
    aws_auth: Literal["none", "sigv4"] | None = None
    insecure_no_auth: bool = False
    tls_cert_file: Path | None = None
    tls_key_file: Path | None = None
    tls_client_ca_file: Path | None = None
    principals_file: Path | None = None
    spiffe_trust_domain: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: str | None = None
    jwt_jwks_file: Path | None = None
    jwt_jwks_url: str | None = None
    jwt_jwks_refresh_seconds: Seconds = 300
    jwt_algorithms: Algorithms = "RS256,PS256,ES256,ES384,Ed25519"
    jwt_clock_skew_seconds: Annotated[int, Field(ge=0, le=600)] = 30
    jwt_principal_claim: str | None = None
    workers: Annotated[int, Field(ge=1, le=256)] = 1

    # Whose keys they are.
    partition: Annotated[str, Field(pattern=r"^[a-z][a-z-]*$")] = "aws"
    default_region: Annotated[str, Field(pattern=r"^[a-z0-9-]+$")] = "us-east-1"
    default_account: Annotated[str, Field(pattern=r"^[0-9]{12}$")] = "000000000000"
    allowed_regions: Regions | None = None

    # Which keys take imported key material.
    importable_keys: Literal["symmetric", "all"] = "symmetric"

    # Limits and rhythms.
    max_message_bytes: Annotated[int, Field(ge=16_384, lt=2**31)] = 262_144
    http_receive_timeout_seconds: Seconds = 20
    # Undecoded: 500 would be taken for JSON, and not for what lacks its form.
    rate_limits: Annotated[Limits | None, NoDecode] = None
    wrapping_key_pool_size: Annotated[int, Field(ge=0, le=1000)] = 4
    key_cache_size: Annotated[int, Field(ge=0)] = 10_000
    key_cache_lease_seconds: Annotated[float, Field(ge=0.1, le=60)] = 2.0
    key_cache_stale_seconds: Annotated[float, Field(ge=0)] = 0.0
    sweep_interval_seconds: Seconds = 60
    usage_interval_seconds: Seconds = 60
    audit_write: Literal["batched", "each-call"] = "batched"
    audit_interval_seconds: Seconds = 1
    audit_head_interval_seconds: Seconds = 60
    audit_most_unwritten: Annotated[int, Field(ge=1)] = 10_000
    health_interval_seconds: Seconds = 1
    health_timeout_seconds: Seconds = 1
    replica_interval_seconds: Seconds = 5
    max_clock_drift_seconds: Seconds = 2
    drain_seconds: Annotated[float, Field(ge=0)] = 10
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"

    @property
    def served_regions(self) -> RegionList:
        """The Regions that there are."""
        return self.allowed_regions or RegionList(self.default_region)

    @property
    def checks_signatures(self) -> bool:
        """Tell whether requests on AWS's wire must be signed with an access key: as asked, or else where gRPC asks too."""
        return self.aws_auth == "sigv4" or (self.aws_auth is None and self.auth != "none")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.database_url is not None and self.data_dir is not None:
            raise ValueError(
                "give either a database URL or a data folder: with a database URL there is no embedded Postgres"
            )
        if sum(one is not None for one in (self.root_key, self.root_key_file, self.pkcs11_module)) > 1:
            raise ValueError(
                "give the root key once: KEYFERRY_ROOT_KEY_FILE, KEYFERRY_ROOT_KEY or KEYFERRY_PKCS11_MODULE"
            )
        if self.pkcs11_module is not None and (
            self.pkcs11_token is None or (self.pkcs11_pin is None) == (self.pkcs11_pin_file is None)
        ):
            raise ValueError(
                "KEYFERRY_PKCS11_MODULE needs KEYFERRY_PKCS11_TOKEN, the label of the token, and its PIN, in the file "
                "that KEYFERRY_PKCS11_PIN_FILE names or in KEYFERRY_PKCS11_PIN"
            )
        if not self.served_regions.allows(self.default_region):
            raise ValueError(
                f"KEYFERRY_ALLOWED_REGIONS must have the Region of KEYFERRY_DEFAULT_REGION in it, {self.default_region}: "
                "calls that name no Region are in that one"
            )
        check_authentication(self)
        return self


def check_authentication(settings: Settings) -> None:
    """Raise ValueError for settings that would let the wrong caller in, or nobody."""
    ways = settings.auth.split(",")
    if (settings.tls_cert_file is None) != (settings.tls_key_file is None):
        raise ValueError("TLS needs both KEYFERRY_TLS_CERT_FILE and KEYFERRY_TLS_KEY_FILE")
    if (settings.tls_client_ca_file is not None) != ("mtls" in ways):
        raise ValueError("KEYFERRY_AUTH=mtls and KEYFERRY_TLS_CLIENT_CA_FILE need each other")
    if "mtls" in ways and settings.tls_cert_file is None:
        raise ValueError("KEYFERRY_AUTH=mtls needs KEYFERRY_TLS_CERT_FILE and KEYFERRY_TLS_KEY_FILE")
    if "jwt" in ways:
        _check_tokens(settings)
    if settings.auth != "none":
        maps = (settings.principals_file, settings.spiffe_trust_domain, settings.jwt_principal_claim)
        if all(one is None for one in maps):
            raise ValueError(
                f"with KEYFERRY_AUTH={settings.auth} nobody could call: say who is who, with KEYFERRY_SPIFFE_TRUST_DOMAIN, "
                "KEYFERRY_PRINCIPALS_FILE or KEYFERRY_JWT_PRINCIPAL_CLAIM"
            )
    _check_aws_wire(settings)
    exposed = [address for address in (settings.grpc_listen, settings.metrics_listen) if _is_exposed(address)]
    if exposed and settings.auth == "none" and not settings.insecure_no_auth:
        raise ValueError(
            f"{exposed[0]} can be reached from other machines, and there is no authentication: everyone who reaches it could "
            "use every key. Set KEYFERRY_AUTH, listen on 127.0.0.1, or set KEYFERRY_INSECURE_NO_AUTH=1 if the network "
            "around the server keeps everyone else out"
        )
    if settings.auth != "none" and settings.grpc_listen in exposed and settings.tls_cert_file is None:
        raise ValueError(
            f"{settings.grpc_listen} can be reached from other machines, and tokens would travel in the clear: set "
            "KEYFERRY_TLS_CERT_FILE and KEYFERRY_TLS_KEY_FILE"
        )


def _check_aws_wire(settings: Settings) -> None:
    is_exposed = _is_exposed(settings.aws_listen)
    if settings.checks_signatures:
        if is_exposed and settings.tls_cert_file is None:
            raise ValueError(
                f"{settings.aws_listen} can be reached from other machines, and signatures hide nothing: plaintexts and data "
                "keys could be read on the way. Set KEYFERRY_TLS_CERT_FILE and KEYFERRY_TLS_KEY_FILE, or listen on 127.0.0.1"
            )
    elif is_exposed and not settings.insecure_no_auth:
        raise ValueError(
            f"{settings.aws_listen} can be reached from other machines, and there is no authentication: everyone who reaches "
            "it could use every key. Set KEYFERRY_AWS_AUTH=sigv4, listen on 127.0.0.1, or set KEYFERRY_INSECURE_NO_AUTH=1 "
            "if the network around the server keeps everyone else out"
        )
    elif settings.auth != "none" and settings.aws_listen != "off" and not settings.insecure_no_auth:
        raise ValueError(
            f"with KEYFERRY_AWS_AUTH=none everyone on this machine could go around KEYFERRY_AUTH={settings.auth}: set "
            "KEYFERRY_AWS_AUTH=sigv4, or KEYFERRY_AWS_LISTEN=off"
        )


def _is_exposed(address: ListenAddress | str) -> bool:
    return isinstance(address, ListenAddress) and not address.is_loopback


def _check_tokens(settings: Settings) -> None:
    if not settings.jwt_issuer or not settings.jwt_audience:
        raise ValueError("KEYFERRY_AUTH=jwt needs KEYFERRY_JWT_ISSUER and KEYFERRY_JWT_AUDIENCE")
    if (settings.jwt_jwks_file is None) == (settings.jwt_jwks_url is None):
        raise ValueError(
            "KEYFERRY_AUTH=jwt needs KEYFERRY_JWT_JWKS_FILE or KEYFERRY_JWT_JWKS_URL, one of the two"
        )
    if settings.jwt_jwks_url is not None:
        url = urlsplit(settings.jwt_jwks_url)
        is_local = url.scheme == "http" and url.hostname in {"localhost", "127.0.0.1", "::1"}
        if url.scheme != "https" and not is_local:
            raise ValueError(
                "KEYFERRY_JWT_JWKS_URL must begin with https://: whoever can change what it answers can be anybody"
            )


def unknown_variables(names: Iterable[str] = os.environ) -> list[str]:
    """Return those variables that look like settings and are none: not of the server, the client or a platform."""
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields} | _OF_THE_CLIENT
    return sorted(
        name
        for name in names
        if name.startswith(_PREFIX) and name not in known and _OF_A_PLATFORM.fullmatch(name) is None
    )


def describe_setting_errors(errors: list[Any]) -> str:
    """Return one line a faulty setting, named as the environment names it, without any value."""
    lines = []
    for error in errors:
        name = ".".join(str(part) for part in error["loc"][:1])
        message = str(error["msg"]).removeprefix("Value error, ")
        lines.append(f"KEYFERRY_{name.upper()}: {message}" if name else message)
    return "\n".join(dict.fromkeys(lines))
