"""The list of sealed places is complete, and each of them can be counted and rewrapped."""

import inspect
import re

import pytest
from sqlalchemy import LargeBinary

from keyferry_server.domain import sealed_places
from keyferry_server.domain.sealed_places import SEALED_COLUMNS, SealedColumn
from keyferry_server.storage.tables import metadata

SAID_TO_BE_SEALED = {
    (table.name, column.name)
    for table in metadata.tables.values()
    for column in table.columns
    if isinstance(column.type, LargeBinary) and re.search(r"\bsealed\b", f"{column.name} {column.comment}")
}


def test_every_column_that_is_said_to_be_sealed_is_in_the_list_once() -> None:
    assert SAID_TO_BE_SEALED
    assert sorted((one.table, one.column) for one in SEALED_COLUMNS) == sorted(SAID_TO_BE_SEALED)


def test_every_sealed_column_of_the_module_is_in_the_list() -> None:
    made = inspect.getmembers(sealed_places, lambda member: isinstance(member, SealedColumn))
    assert {one for _, one in made} == set(SEALED_COLUMNS)


@pytest.mark.parametrize("one", SEALED_COLUMNS, ids=lambda one: one.table)
def test_a_sealed_row_is_named_by_its_primary_key(one: SealedColumn) -> None:
    assert one.identity == tuple(column.name for column in metadata.tables[one.table].primary_key)


def test_no_two_sealed_columns_make_the_same_place() -> None:
    names = [(one.table, one.purpose) for one in SEALED_COLUMNS]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("one", SEALED_COLUMNS, ids=lambda one: one.table)
def test_versions_in_use_are_found_by_an_index(one: SealedColumn) -> None:
    table = metadata.tables[one.table]
    indexed = {str(expression) for index in table.indexes for expression in index.expressions}
    has_one_row = any("one_row" in str(constraint.name) for constraint in table.constraints)
    assert has_one_row or f"substring({one.column}, 2, 4)" in indexed
