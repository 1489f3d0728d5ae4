"""Answers as tables: aligned for people, on a terminal and in a pipe alike.

Texts come over the wire and go to a terminal: control characters are taken out, and
nothing of them is read as markup.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keyferry_client.cli.terminal import on_one_line

# In a pipe nothing is cut or broken, however long a line gets.
_UNLIMITED_COLUMNS = 100_000


def show_members(answer: Mapping[str, Any]) -> None:
    """Write one line for each member of `answer` to standard output."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for name, value in answer.items():
        table.add_row(Text(name, style="bold"), Text(_cell(value)))
    _print(table)


def show_rows(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a table with a line for each row to standard output."""
    table = Table(box=SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(row.get(column, ""))) for column in columns))
    _print(table)


def _print(table: Table) -> None:
    console = Console(
        file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else _UNLIMITED_COLUMNS
    )
    with console.capture() as captured:
        console.print(table)
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    if isinstance(value, dict):
        return ", ".join(f"{name}={_cell(one)}" for name, one in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return on_one_line(str(value))
