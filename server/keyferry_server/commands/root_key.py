"""`keyferry-server root-key`: generate, status, rotate, rewrap, remove."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from keyferry_server.administration.root_key_check import check_root_key, seal_as_everybody
from keyferry_server.administration.root_key_rewrap import PORTION, Progress, RootKeyRewrap
from keyferry_server.administration.root_key_rotation import RootKeyRotation
from keyferry_server.administration.root_key_versions import RootKeyVersions, VersionStatus
from keyferry_server.commands.process import DatabaseUrl, DataDir, RootKeyFile, fail, read_settings, run
from keyferry_server.crypto.root_key import RootKeyError, RootKeyProvider
from keyferry_server.crypto.root_key.file import generate_root_key_file
from keyferry_server.crypto.root_key.ring import RootKeyRing
from keyferry_server.logs import configure_logs
from keyferry_server.opening import StartError, opened, root_key_provider
from keyferry_server.settings import Settings
from keyferry_server.storage.database import Database
from keyferry_server.storage.root_key_store import Replica

_POLL_SECONDS = 0.5

app = typer.Typer(help="The root key, which seals everything in the database.", no_args_is_help=True)

Wait = Annotated[
    float, typer.Option(metavar="SECONDS", help="How long to wait for servers before giving up.")
]


@app.command()
def generate(
    out: Annotated[
        Path | None, typer.Option(help="File to write; it must not exist. Default: the PKCS#11 device.")
    ] = None,
) -> None:
    """Make a new root key, in a file that only its owner can read or in a PKCS#11 device."""
    try:
        if out is not None:
            generate_root_key_file(out)
            where = str(out)
        else:
            settings = read_settings()
            if settings.pkcs11_module is None:
                fail("give --out FILE, or name a PKCS#11 device with KEYFERRY_PKCS11_MODULE")
            provider = root_key_provider(settings)
            provider.add_version(1)
            where = str(provider)
    except (OSError, RootKeyError, StartError) as error:
        fail(str(error))
    typer.echo(
        f"The root key is in {where}. Keep a copy apart from the database's backups: without it every key is lost."
    )


@app.command()
def status(
    database_url: DatabaseUrl = None, data_dir: DataDir = None, root_key_file: RootKeyFile = None
) -> None:
    """Show the versions: which one seals, and how many secrets each of them holds."""
    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), _status)


@app.command()
def rotate(
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
    wait_seconds: Wait = 300,
) -> None:
    """Make a new version and seal under it once every running server knows it. Safe to repeat."""

    async def work(database: Database, provider: RootKeyProvider, ring: RootKeyRing) -> None:
        await _rotate(RootKeyRotation(database, provider, ring), wait_seconds)

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command()
def rewrap(
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
    wait_seconds: Wait = 300,
    portion: Annotated[int, typer.Option(min=1, max=10_000, help="Secrets in one transaction.")] = PORTION,
) -> None:
    """Seal everything under the newest active version, beside running servers. Safe to repeat."""

    async def work(database: Database, _: RootKeyProvider, ring: RootKeyRing) -> None:
        await check_root_key(database, ring)
        if await seal_as_everybody(database, ring) is None:
            fail("no server has used this database yet, so there is nothing to rewrap")
        await _rewrap(RootKeyRewrap(database, ring, portion), wait_seconds)

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


@app.command()
def remove(
    version: Annotated[int, typer.Argument(help="The version to remove.")],
    database_url: DatabaseUrl = None,
    data_dir: DataDir = None,
    root_key_file: RootKeyFile = None,
) -> None:
    """Remove a version that nothing is sealed under any more."""

    async def work(database: Database, provider: RootKeyProvider, ring: RootKeyRing) -> None:
        await check_root_key(database, ring)
        await RootKeyVersions(database, provider, ring).remove(version)
        typer.echo(f"Version {version} is removed. Backups that are older than the rewrapping still need it.")

    _run(read_settings(database_url=database_url, data_dir=data_dir, root_key_file=root_key_file), work)


Work = Callable[[Database, RootKeyProvider, RootKeyRing], Awaitable[None]]


def _run(settings: Settings, work: Work) -> None:
    configure_logs("warning", settings.log_format)

    async def with_database() -> None:
        async with opened(settings) as (provider, database):
            await work(database, provider, RootKeyRing(provider.load))

    run(with_database())


async def _status(database: Database, provider: RootKeyProvider, ring: RootKeyRing) -> None:
    statuses, alive = await RootKeyVersions(database, provider, ring).status()
    for one in statuses:
        typer.echo(_line(one, provider))
    for replica in alive:
        versions = ", ".join(map(str, sorted(replica.root_key_versions)))
        typer.echo(f"server {replica.name} seals under {replica.sealing_version} and opens {versions}")


def _line(one: VersionStatus, provider: RootKeyProvider) -> str:
    facts = ["every server seals under it"] if one.is_sealing else []
    if one.activated_at is None:
        facts.append("not active: say `root-key rotate`" if one.is_here else "not active")
    if not one.is_here:
        facts.append(f"NOT in {provider}")
    facts += [f"{number} in {column.table}" for column, number in one.sealed.items()] or ["seals nothing"]
    return f"version {one.version}: {', '.join(facts)}"


async def _rotate(rotation: RootKeyRotation, wait_seconds: float) -> None:
    pending = await rotation.begin()
    made = "made" if pending.is_new else "was made before, and waits"
    typer.echo(f"Version {pending.version} {made}, in {rotation.provider}. Keep a copy of it.")

    async def lacking() -> Sequence[Replica]:
        return await rotation.lacking(pending.version)

    while True:
        await _wait_for(lacking, f"do not know version {pending.version} yet", wait_seconds)
        # One may have entered since.
        if not await rotation.activate(pending.version):
            break
    typer.echo(f"Version {pending.version} is active. Now say: keyferry-server root-key rewrap")


async def _rewrap(rewrapping: RootKeyRewrap, wait_seconds: float) -> None:
    await _wait_for(rewrapping.behind, "still seal under another version", wait_seconds)
    progress = Progress(0, 0, ())
    shown = -1
    async for progress in rewrapping.run():
        if progress.rewrapped != shown:
            shown = progress.rewrapped
            typer.echo(f"rewrapped {progress.rewrapped} of {progress.total}")
    if progress.unopened:
        for row in progress.unopened:
            typer.echo(f"cannot be opened: {row}")
        fail(
            f"{len(progress.unopened)} secrets cannot be opened: they were damaged. Restore them from a backup."
        )
    if left := await rewrapping.older():
        fail(f"{left} secrets were being written all the time. Say this again.")
    typer.echo(f"Everything is sealed under version {rewrapping.ring.current_version}.")


async def _wait_for(
    servers: Callable[[], Awaitable[Sequence[Replica]]], what: str, wait_seconds: float
) -> None:
    """Wait until `servers` are none; StartError names those that are left."""
    deadline = asyncio.get_running_loop().time() + wait_seconds
    shown: list[str] = []
    while left := [one.name for one in await servers()]:
        if asyncio.get_running_loop().time() >= deadline:
            raise StartError(
                f"servers {what}: {', '.join(left)}. Give them the root key that is here, then say this again"
            )
        if left != shown:
            shown = left
            typer.echo(f"waiting for servers that {what}: {', '.join(left)}")
        await asyncio.sleep(_POLL_SECONDS)
