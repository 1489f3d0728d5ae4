"""Writes the reference, docs/reference/: a page for each operation, for the types and the permissions, and an index.

Run by `make docs`; `make check` runs it with --check and fails if a page is not what it would
write. Everything in a page comes from where it is enforced: members and limits from the
contract, with its comments; permission, identifiers, key states and deadline from routes.py;
what an exception means and its status from the server's errors.
"""

import argparse
import sys
from pathlib import Path

from contract import read_contract
from differences import read_differences
from index_page import index_page
from operation_page import operation_page
from permissions_page import permissions_page
from types_page import types_page

DOCS = Path(__file__).resolve().parents[1]
REFERENCE = DOCS / "reference"


def make_pages() -> dict[str, str]:
    """Return the text of every page by its file name."""
    contract = read_contract(DOCS.parent / "protos")
    differences = read_differences(DOCS / "differences-from-aws.md")
    pages = {
        f"{operation.name}.md": operation_page(operation, contract, differences)
        for operation in contract.operations
    }
    return pages | {
        "types.md": types_page(contract),
        "permissions.md": permissions_page(contract),
        "README.md": index_page(contract),
    }


def main() -> None:
    """Write the pages, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a page is out of date")
    is_check: bool = parser.parse_args().check
    pages = make_pages()
    written = {path.name: path.read_text() for path in REFERENCE.glob("*.md")}
    stale = sorted(name for name in {*pages, *written} if pages.get(name) != written.get(name))
    if is_check:
        if stale:
            sys.exit(
                f"The reference is out of date: {', '.join(stale)}. Run `make docs` and commit the result."
            )
        return
    REFERENCE.mkdir(exist_ok=True)
    for name in stale:
        if name in pages:
            (REFERENCE / name).write_text(pages[name])
        else:
            (REFERENCE / name).unlink()


if __name__ == "__main__":
    main()
