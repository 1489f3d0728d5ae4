"""What callers install: the wheels of client and contract, in an environment that holds nothing else."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
LIGHT = {
    "cffi",
    "cryptography",
    "googleapis-common-protos",
    "grpcio",
    "keyferry-client",
    "keyferry-protos",
    "protobuf",
    "pycparser",
    "typing-extensions",
}

LOOK_AROUND = """
import importlib.metadata, json, sys
import keyferry.v1, keyferry_client
from keyferry_client import BlockingKeyManagementServiceClient, CancellationTokenSource, Task, wrap_key_material
print(json.dumps({
    "distributions": sorted(one.metadata["Name"].lower().replace("_", "-") for one in importlib.metadata.distributions()),
    "loaded": sorted({name.partition(".")[0] for name in sys.modules}),
    "from": keyferry_client.__file__,
}))
"""


def run(*command: object) -> str:
    finished = subprocess.run(
        [str(one) for one in command], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels, by the names of their distributions."""
    folder = tmp_path_factory.mktemp("wheels")
    for distribution in ("protos", "client"):
        run(
            BIN / "uv", "build", "--quiet", "--wheel", "--no-build-isolation", "--python", sys.executable,
            "--out-dir", folder, ROOT / distribution,
        )  # fmt: skip
    return {path.name.partition("-")[0]: path for path in folder.glob("*.whl")}


@pytest.fixture(scope="module")
def environment(wheels: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheels and what they ask for, in the versions that are locked; its `bin`."""
    folder = tmp_path_factory.mktemp("clean") / "environment"
    run(BIN / "uv", "venv", "--quiet", "--python", sys.executable, folder)
    run(
        BIN / "uv", "pip", "install", "--quiet", "--python", folder, "--constraints", ROOT / "requirements.lock",
        *wheels.values(),
    )  # fmt: skip
    return folder / "bin"


def test_the_light_client_needs_nothing_of_the_server(environment: Path) -> None:
    seen: dict[str, Any] = json.loads(run(environment / "python", "-I", "-c", LOOK_AROUND))
    assert set(seen["distributions"]) == LIGHT
    assert str(environment.parent) in seen["from"]
    assert {"typer", "rich", "pytest", "sqlalchemy", "keyferry_server"} & set(seen["loaded"]) == set()


def test_without_its_extra_the_command_says_what_it_needs(environment: Path) -> None:
    finished = subprocess.run([environment / "keyferry"], capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout) == (1, "")
    assert "pip install 'keyferry-client[cli]'" in finished.stderr


def test_the_wheels_hold_what_type_checkers_need_and_no_tools(wheels: dict[str, Path]) -> None:
    names = {name for wheel in wheels.values() for name in zipfile.ZipFile(wheel).namelist()}
    assert {
        "keyferry_client/py.typed",
        "keyferry_client/operations.py",
        "keyferry_client/testing.py",
        "keyferry/v1/py.typed",
        "keyferry/v1/key_import_pb2.pyi",
    } <= names
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {
        "keyferry",
        "keyferry_client",
    }
