"""Settings: parsed once, refused with the setting's name and never with its value."""

import ipaddress
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from keyferry_server.opening import default_data_dir
from keyferry_server.settings import ListenAddress, Settings, describe_setting_errors, unknown_variables

DSN = "postgresql://keyferry:hunter2hunter2@db.internal/keyferry"
ROOT_KEY = "1 c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ="
LISTENERS = ("grpc_listen", "aws_listen", "metrics_listen")


@pytest.fixture(autouse=True)
def without_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().startswith("KEYFERRY_")]:
        monkeypatch.delenv(name)


def refusal(**given: Any) -> str:
    """Return what the operator reads about settings that must be refused."""
    with pytest.raises(ValidationError) as refused:
        Settings(**given)
    return describe_setting_errors(refused.value.errors())


def test_without_any_setting_only_this_machine_can_reach_the_server() -> None:
    settings = Settings()
    assert settings.grpc_listen == "127.0.0.1:8700"
    assert settings.aws_listen == "127.0.0.1:8701"
    assert settings.metrics_listen == "127.0.0.1:8702"
    assert not settings.insecure_no_auth


def test_every_setting_is_a_variable_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYFERRY_DATABASE_URL", DSN)
    monkeypatch.setenv("KEYFERRY_GRPC_LISTEN", "127.0.0.1:9000")
    monkeypatch.setenv("KEYFERRY_INSECURE_NO_AUTH", "1")
    monkeypatch.setenv("KEYFERRY_DRAIN_SECONDS", "2.5")
    settings = Settings()
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == DSN
    assert (settings.grpc_listen.host, settings.grpc_listen.port) == ("127.0.0.1", 9000)
    assert settings.insecure_no_auth
    assert settings.drain_seconds == 2.5


def test_an_option_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYFERRY_GRPC_LISTEN", "127.0.0.1:9000")
    assert Settings(grpc_listen="127.0.0.1:9001").grpc_listen == "127.0.0.1:9001"


def test_settings_do_not_change_after_the_start() -> None:
    with pytest.raises(ValidationError):
        Settings().drain_seconds = 1


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0:8700",
        "[::]:8700",
        "192.0.2.7:8700",
        "[2001:db8::7]:8700",
        "kms.internal:8700",
        "127.0.0.1.example.org:8700",
        "localhost.example.org:8700",
        "*:8700",
    ],
)
def test_an_address_that_others_can_reach_is_refused_without_authentication(
    listener: str, address: str
) -> None:
    message = refusal(**{listener: address})
    assert address in message
    assert "no authentication" in message
    assert "KEYFERRY_INSECURE_NO_AUTH=1" in message
    assert Settings(**{listener: address, "insecure_no_auth": True}).insecure_no_auth


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("address", ["127.0.0.1:0", "127.9.8.7:8700", "[::1]:8700", "localhost:8700"])
def test_a_loopback_address_needs_no_authentication(listener: str, address: str) -> None:
    assert getattr(Settings(**{listener: address}), listener) == address


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(
    "address", ["", "8700", ":8700", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:65536", "[::1]", "127.0.0.1:-1", "127.0.0.1:٨٧٠٠"]
)  # fmt: skip
def test_an_address_that_is_not_host_and_port_is_refused_by_name(listener: str, address: str) -> None:
    message = refusal(**{listener: address})
    assert message.startswith(f"KEYFERRY_{listener.upper()}: ")
    assert "HOST:PORT" in message
    assert "\n" not in message


@given(
    host=st.one_of(st.text(), st.ip_addresses().map(str), st.ip_addresses(v=6).map("[{}]".format)),
    port=st.integers(0, 65535),
)
def test_no_address_but_loopback_is_ever_taken_without_authentication(host: str, port: int) -> None:
    try:
        settings = Settings(grpc_listen=f"{host}:{port}")
    except ValidationError:
        return
    address = settings.grpc_listen
    assert address.host == "localhost" or ipaddress.ip_address(address.host).is_loopback


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("127.0.0.1:1", "127.0.0.1", 1), ("[::1]:65535", "::1", 65535), ("localhost:0", "localhost", 0)],
)
def test_an_address_is_told_apart_into_host_and_port(address: str, host: str, port: int) -> None:
    listen = ListenAddress(address)
    assert (listen.host, listen.port) == (host, port)
    assert ListenAddress(listen.with_port(77)).host == host
    assert ListenAddress(listen.with_port(77)).port == 77


def test_where_grpc_asks_who_is_calling_awss_wire_asks_too() -> None:
    tls = {"tls_cert_file": "cert.pem", "tls_key_file": "key.pem", "tls_client_ca_file": "ca.pem"}
    asking = tls | {"auth": "mtls", "spiffe_trust_domain": "example.org"}
    assert not Settings().checks_signatures
    assert Settings(aws_auth="sigv4").checks_signatures
    assert Settings(**asking).checks_signatures
    assert "go around KEYFERRY_AUTH" in refusal(**asking, aws_auth="none")
    assert Settings(**asking, aws_auth="none", aws_listen="off").aws_listen == "off"


def test_signatures_open_awss_wire_to_others_if_tls_hides_what_is_signed() -> None:
    exposed = {"aws_listen": "0.0.0.0:8701", "aws_auth": "sigv4"}
    assert "KEYFERRY_TLS_CERT_FILE" in refusal(**exposed)
    assert Settings(**exposed, tls_cert_file="cert.pem", tls_key_file="key.pem").aws_listen == "0.0.0.0:8701"
    message = refusal(**exposed, tls_cert_file="cert.pem", tls_key_file="key.pem", grpc_listen="0.0.0.0:8700")
    assert "0.0.0.0:8700" in message


def test_a_certificate_and_its_key_come_together() -> None:
    for one in ("tls_cert_file", "tls_key_file"):
        assert "both" in refusal(**{one: "file.pem"})


def test_regions_are_a_list_or_any(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEYFERRY_ALLOWED_REGIONS", "us-east-1, eu-west-1")
    regions = Settings().allowed_regions
    assert regions is not None
    assert [name for name in ("us-east-1", "eu-west-1", "eu-west", "", "*") if regions.allows(name)] == [
        "us-east-1",
        "eu-west-1",
    ]
    everything = Settings(allowed_regions="*").allowed_regions
    assert everything is not None
    assert everything.allows("mars-north-1")
    assert not any(map(everything.allows, ("", "*", "US EAST", "a/b", "é", "r" * 65)))


def test_the_http_listeners_can_be_switched_off_and_the_grpc_listener_can_not() -> None:
    assert Settings(aws_listen="off").aws_listen == "off"
    assert Settings(metrics_listen="off").metrics_listen == "off"
    assert refusal(grpc_listen="off").startswith("KEYFERRY_GRPC_LISTEN: ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"workers": 0},
        {"aws_listen": "8701"},
        {"aws_auth": "mtls"},
        {"allowed_regions": "US EAST"},
        {"allowed_regions": "us-east-1,*"},
        {"http_receive_timeout_seconds": 0},
        {"drain_seconds": -1},
        {"drain_seconds": "soon"},
        {"sweep_interval_seconds": 0},
        {"database_pool_size": 0},
        {"database_connect_timeout_seconds": 0},
        {"database_statement_timeout_seconds": float("inf")},
        {"max_clock_drift_seconds": float("nan")},
        {"replica_interval_seconds": 1e12},
        {"max_message_bytes": 1},
        {"max_message_bytes": 2**31},
        {"default_account": "12345"},
        {"default_region": "US EAST"},
        {"partition": ""},
        {"log_level": "loud"},
        {"log_format": "xml"},
        {"insecure_no_auth": "perhaps"},
    ],
    ids=lambda wrong: next(iter(wrong)) + f"={next(iter(wrong.values()))}",
)
def test_a_wrong_value_is_refused_on_one_line_that_names_its_variable(wrong: dict[str, object]) -> None:
    message = refusal(**wrong)
    (name,) = wrong
    assert message.startswith(f"KEYFERRY_{name.upper()}: ")
    assert "\n" not in message


def test_all_wrong_settings_are_named_at_once() -> None:
    message = refusal(workers=0, drain_seconds=-1, log_level="loud")
    assert sorted(line.split(":")[0] for line in message.splitlines()) == [
        "KEYFERRY_DRAIN_SECONDS",
        "KEYFERRY_LOG_LEVEL",
        "KEYFERRY_WORKERS",
    ]


def test_a_database_url_and_a_data_folder_exclude_each_other(tmp_path: Path) -> None:
    message = refusal(database_url=DSN, data_dir=tmp_path)
    assert "database URL" in message
    assert "data folder" in message
    assert "hunter2" not in message


def test_the_root_key_is_given_once(tmp_path: Path) -> None:
    message = refusal(root_key=ROOT_KEY, root_key_file=tmp_path / "root-key")
    assert "KEYFERRY_ROOT_KEY_FILE" in message
    assert ROOT_KEY.split()[1] not in message


def test_no_secret_shows_in_the_settings_or_in_what_is_wrong_with_them() -> None:
    settings = Settings(database_url=DSN, root_key=ROOT_KEY)
    with pytest.raises(ValidationError) as refused:
        Settings(database_url=DSN, root_key=ROOT_KEY, workers=0, grpc_listen="nowhere")
    shown = [
        repr(settings),
        str(settings),
        str(settings.model_dump()),
        settings.model_dump_json(),
        str(refused.value),
        repr(refused.value),
        describe_setting_errors(refused.value.errors()),
    ]
    for text in shown:
        assert "hunter2" not in text
        assert ROOT_KEY.split()[1] not in text


def test_the_embedded_data_lies_where_postgres_can_reach_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere/data")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "keyferry" in default_data_dir().parts
    assert default_data_dir() != Path("/var/lib/keyferry")
    # Root's own folders are closed to the user that Postgres runs as.
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_data_dir() == Path("/var/lib/keyferry")


TLS = {"tls_cert_file": "c.pem", "tls_key_file": "k.pem"}
MTLS = TLS | {"auth": "mtls", "tls_client_ca_file": "a.pem", "spiffe_trust_domain": "example.org"}
JWT = TLS | {
    "auth": "jwt",
    "jwt_issuer": "https://issuer.example",
    "jwt_audience": "keyferry",
    "jwt_jwks_url": "https://issuer.example/keys",
    "principals_file": "p.toml",
}


@pytest.mark.parametrize("given", [MTLS, JWT, MTLS | JWT | {"auth": "mtls,jwt"}], ids=["mtls", "jwt", "both"])
def test_with_authentication_any_address_may_be_listened_on(given: dict[str, Any]) -> None:
    settings = Settings(**given, grpc_listen="0.0.0.0:8700", metrics_listen="0.0.0.0:8702")
    assert settings.auth == ",".join(sorted(given["auth"].split(",")))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (MTLS | {"tls_client_ca_file": None}, "KEYFERRY_TLS_CLIENT_CA_FILE need each other"),
        (MTLS | {"auth": "none"}, "KEYFERRY_TLS_CLIENT_CA_FILE need each other"),
        (JWT | {"tls_client_ca_file": "a.pem"}, "KEYFERRY_TLS_CLIENT_CA_FILE need each other"),
        (MTLS | {"tls_key_file": None}, "both KEYFERRY_TLS_CERT_FILE and KEYFERRY_TLS_KEY_FILE"),
        (MTLS | {"tls_key_file": None, "tls_cert_file": None}, "needs KEYFERRY_TLS_CERT_FILE"),
        (MTLS | {"spiffe_trust_domain": None}, "nobody could call"),
        (JWT | {"principals_file": None}, "nobody could call"),
        (JWT | {"jwt_issuer": None}, "KEYFERRY_JWT_ISSUER"),
        (JWT | {"jwt_issuer": ""}, "KEYFERRY_JWT_ISSUER"),
        (JWT | {"jwt_audience": None}, "KEYFERRY_JWT_AUDIENCE"),
        (JWT | {"jwt_jwks_url": None}, "one of the two"),
        (JWT | {"jwt_jwks_file": "k.json"}, "one of the two"),
        (JWT | {"jwt_jwks_url": "http://issuer.example/keys"}, "https://"),
        (JWT | {"jwt_jwks_url": "file:///etc/passwd"}, "https://"),
        (JWT | {"jwt_jwks_url": "http://127.0.0.1.example/keys"}, "https://"),
        (JWT | {"jwt_algorithms": "RS256,HS256"}, "'HS256' is not accepted"),
        (JWT | {"jwt_algorithms": "none"}, "'none' is not accepted"),
        (JWT | {"jwt_algorithms": ""}, "is not accepted"),
        (JWT | {"jwt_clock_skew_seconds": 601}, "KEYFERRY_JWT_CLOCK_SKEW_SECONDS"),
        (JWT | {"tls_cert_file": None, "tls_key_file": None, "grpc_listen": "0.0.0.0:1"}, "in the clear"),
        ({"auth": "none,jwt"}, "KEYFERRY_AUTH"),
        ({"auth": "sigv4"}, "KEYFERRY_AUTH"),
        ({"auth": ""}, "KEYFERRY_AUTH"),
    ],
)
def test_settings_that_let_the_wrong_caller_in_or_nobody_are_refused(
    given: dict[str, Any], says: str
) -> None:
    assert says in refusal(**given)


PKCS11 = {"pkcs11_module": "/lib/p11.so", "pkcs11_token": "token", "pkcs11_pin": "1234-secret"}


def test_a_root_key_is_in_one_place_and_a_device_needs_its_token_and_its_pin() -> None:
    assert Settings(**PKCS11).pkcs11_key_label == "keyferry-root-key"
    for more in ({"root_key": ROOT_KEY}, {"root_key_file": "f"}):
        assert "once" in refusal(**PKCS11, **more)
    for less in ("pkcs11_token", "pkcs11_pin"):
        message = refusal(**PKCS11 | {less: None})
        assert "KEYFERRY_PKCS11_TOKEN" in message
        assert "1234-secret" not in message
    assert "KEYFERRY_PKCS11_PIN" in refusal(**PKCS11, pkcs11_pin_file="f")


def test_regions_without_the_default_one_are_refused_with_the_names_of_both_settings() -> None:
    reason = refusal(allowed_regions="eu-west-1,eu-west-2")
    assert "KEYFERRY_ALLOWED_REGIONS" in reason
    assert "KEYFERRY_DEFAULT_REGION" in reason
    assert Settings(allowed_regions="eu-west-1", default_region="eu-west-1").served_regions == "eu-west-1"


def test_a_variable_that_is_no_setting_is_found_and_those_of_others_are_not() -> None:
    client = Path(__file__).parents[3] / "client" / "keyferry_client" / "cli" / "app.py"
    of_the_client = re.findall(r'envvar="(KEYFERRY_\w+)"', client.read_text())
    assert len(of_the_client) > 5
    of_kubernetes = [
        "KEYFERRY_SERVICE_HOST",
        "KEYFERRY_SERVICE_PORT_GRPC",
        "KEYFERRY_PORT",
        "KEYFERRY_SERVER_PORT_8700_TCP_ADDR",
    ]
    ours = [f"KEYFERRY_{name.upper()}" for name in Settings.model_fields]
    assert unknown_variables([*of_the_client, *of_kubernetes, *ours, "KEYFERRY_UID", "HOME"]) == []
    assert unknown_variables(["KEYFERRY_AUTH", "KEYFERRY_AUHT"]) == ["KEYFERRY_AUHT"]
