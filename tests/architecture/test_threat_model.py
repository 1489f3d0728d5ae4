"""Every line of the threat model points at a test, and the test is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| the attacker has |")
]


def test_it_covers_what_somebody_might_have() -> None:
    text = " ".join(row[0] for row in ROWS)
    for thing in ("a dump of the database", "a process of the server's user", "a stolen bearer token", "a captured wrapped blob", "a client's certificate", "the audit tables", "the root key"):  # fmt: skip
        assert thing in text


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:60])
def test_every_line_names_a_test_that_there_is(row: list[str]) -> None:
    assert len(row) == 3
    named = re.findall(r"\[(test_\w+)\]\(\.\./(tests/[\w/]+\.py)\)", row[2])
    assert named
    for name, path in named:
        assert re.search(rf"def {name}\(", (ROOT / path).read_text()), f"{name} is not in {path}"


def test_what_is_not_defended_is_said() -> None:
    assert PAGE.read_text().split("## What is not defended\n")[1].count("\n- ") >= 5
