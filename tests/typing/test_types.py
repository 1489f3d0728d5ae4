"""Callers' type checkers see the exact request and response of every operation: mypy --strict and pyright."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from unit.client.small_service import METHODS

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
SOURCES = ("protos", "client")


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def every_operation() -> str:
    """Write a program that calls every operation each way, and says which types that has."""
    lines = [
        "from typing import assert_type",
        "from keyferry import v1",
        "from keyferry_client import AsyncResult, BlockingKeyManagementServiceClient, KeyManagementServiceClient, Task",
        "def calls(client: KeyManagementServiceClient, blocking: BlockingKeyManagementServiceClient) -> None:",
    ]
    for method in METHODS.values():
        name, request, response = (
            snake(method.name),
            f"v1.{method.name}Request()",
            f"v1.{method.name}Response",
        )
        lines += [
            f"    assert_type(client.{name}_async({request}), Task[{response}])",
            f"    assert_type(client.{name}_async(), Task[{response}])",
            f"    assert_type(blocking.{name}({request}), {response})",
            f"    assert_type(blocking.begin_{name}({request}), AsyncResult[{response}])",
            f"    assert_type(blocking.end_{name}(blocking.begin_{name}({request})), {response})",
        ]
    return "\n".join(lines) + "\n"


@pytest.fixture
def programs(tmp_path: Path) -> list[Path]:
    generated = tmp_path / "every_operation.py"
    generated.write_text(every_operation())
    return [Path(shutil.copy(Path(__file__).with_name("exact_types.py"), tmp_path)), generated]


def test_mypy_sees_the_exact_types(programs: list[Path], tmp_path: Path) -> None:
    # The configuration of the repository, so that its cache serves here too.
    command = [BIN / "mypy", "--config-file", ROOT / "pyproject.toml", "--strict", *programs]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, ""), checked.stdout


def test_pyright_sees_the_exact_types(programs: list[Path], tmp_path: Path) -> None:
    settings = {
        "include": [str(program) for program in programs],
        "extraPaths": [str(ROOT / source) for source in SOURCES],
        "reportUnnecessaryTypeIgnoreComment": True,
        "enableTypeIgnoreComments": False,
    }
    (tmp_path / "pyrightconfig.json").write_text(json.dumps(settings))
    command = [BIN / "pyright", "--project", tmp_path, "--pythonpath", sys.executable, "--outputjson"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(checked.stdout)
    problems = [
        (one["file"], one["range"]["start"]["line"] + 1, one["message"])
        for one in report["generalDiagnostics"]
    ]
    assert (problems, report["summary"]["filesAnalyzed"]) == ([], len(programs))
