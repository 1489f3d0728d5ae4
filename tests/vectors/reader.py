"""Reads the vectors that lie beside it."""

import json
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).parent


class KeyWrapVector(NamedTuple):
    key: bytes
    wrapped: bytes
    unwrapped: bytes | None


def read_wycheproof(name: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return (group, test) of each test of a Wycheproof file; binary members are hexadecimal text."""
    groups = json.loads((_HERE / "wycheproof" / f"{name}_test.json").read_text())["testGroups"]
    return [(group, test) for group in groups for test in group["tests"]]


def read_nist_key_unwrap(name: str) -> list[KeyWrapVector]:
    """Return the vectors of a NIST key unwrap file; `unwrapped` is None where unwrapping must fail."""
    vectors = []
    values: dict[str, bytes] = {}
    for line in (_HERE / "nist-cavp" / f"{name}.txt").read_text().splitlines():
        name_of_value, _, value = line.partition(" = ")
        if name_of_value in {"K", "C"}:
            values[name_of_value] = bytes.fromhex(value)
        elif name_of_value in {"P", "FAIL"}:
            unwrapped = None if name_of_value == "FAIL" else bytes.fromhex(value)
            vectors.append(KeyWrapVector(values["K"], values["C"], unwrapped))
    return vectors


def read_formats() -> dict[str, Any]:
    """Return the kept formats; binary members are hexadecimal text."""
    formats: dict[str, Any] = json.loads((_HERE / "keyferry" / "formats.json").read_text())
    return formats
