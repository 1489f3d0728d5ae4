"""Nothing in the repository depends on, or speaks of, the machine that it was written on."""

import configparser
import os
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
IGNORED = [
    ".git",
    *(line.strip("/") for line in (ROOT / ".gitignore").read_text().splitlines() if line and line[0] != "#"),
]
# What resolves or installs packages, and so must work behind any mirror.
RESOLVES_PACKAGES = (
    "*.lock",
    "*.in",
    "pyproject.toml",
    "Makefile",
    "Dockerfile",
    "docker-compose.yml",
    "run",
)
_HOME = re.compile(r"(?<![\w./-])/(?:home|Users|root)/[\w.-]*")


def files(folder: Path = ROOT) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if any(fnmatch(path.name, pattern) for pattern in IGNORED):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from files(path)
        elif path.is_file():
            yield path


def texts() -> Iterator[tuple[str, str]]:
    for path in files():
        try:
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def index_settings() -> Iterator[str]:
    """Give every index that this machine is set up to install from."""
    for name in ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX", "UV_EXTRA_INDEX_URL"):  # fmt: skip
        yield from os.environ.get(name, "").split()
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(
        ["/etc/pip.conf", Path("~/.config/pip/pip.conf").expanduser(), Path("~/.pip/pip.conf").expanduser()]
    )
    for section in parser.sections():
        for option in ("index-url", "extra-index-url", "find-links"):
            yield from parser.get(section, option, fallback="").split()


@pytest.mark.skipif(len(ROOT.parts) < 3, reason="a folder right under / has no telling name")
def test_no_file_names_the_folder_that_the_repository_lies_in() -> None:
    telling = re.compile(rf"{re.escape(str(ROOT))}|{re.escape(str(ROOT.parent))}/")
    assert [name for name, text in texts() if telling.search(text)] == []


def test_no_file_names_somebodys_home() -> None:
    assert [(name, match[0]) for name, text in texts() if (match := _HOME.search(text))] == []


def test_no_file_names_an_index_that_this_machine_installs_from() -> None:
    public = {"pypi.org", "files.pythonhosted.org"}
    private = {
        split.hostname or split.path
        for split in map(urlsplit, index_settings())
        if split.hostname not in public and (split.hostname or len(split.path) > 1)
    }
    assert [(name, index) for name, text in texts() for index in private if index in text] == []


def test_what_installs_packages_names_no_index_so_that_it_works_behind_any_mirror() -> None:
    named = re.compile(
        r"^\s*--?(?:i|index-url|extra-index-url|default-index|find-links|trusted-host)\b"
        r"|pypi\.org|pythonhosted\.org|^\s*\[+tool\.uv\.(?:index|sources)",
        re.MULTILINE,
    )
    found = [
        (name, match[0])
        for name, text in texts()
        if any(fnmatch(Path(name).name, pattern) for pattern in RESOLVES_PACKAGES)
        if (match := named.search(text))
    ]
    assert found == []


def test_no_lock_file_lists_where_packages_were_downloaded_from() -> None:
    assert [name for name, text in texts() if name.endswith(".lock") and "://" in text] == []
    assert [
        path.name for path in files() if path.name in {"uv.lock", "package-lock.json", "poetry.lock"}
    ] == []


def test_nothing_is_left_to_be_done_later() -> None:
    word = "TO" + "DO"
    assert [name for name, text in texts() if re.search(rf"\b{word}\b|\bFIX{'ME'}\b", text)] == []
