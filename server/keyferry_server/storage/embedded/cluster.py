"""Postgres's data: made on the first start, checked on every other."""

import asyncio
import shutil
import subprocess
import tempfile
from pathlib import Path
from subprocess import DEVNULL, PIPE, STDOUT

from keyferry_server.storage.embedded.data_folder import DataFolder
from keyferry_server.storage.embedded.errors import EmbeddedPostgresError
from keyferry_server.storage.embedded.programs import process_arguments
from keyferry_server.storage.embedded.software import MAJOR_VERSION, Software
from keyferry_server.storage.embedded.system_user import SystemUser, owner_of

SUPERUSER = "keyferry"
_UNFINISHED = "postgres.new-"


async def make_cluster(folder: DataFolder, software: Software, user: SystemUser, *, durable: bool) -> None:
    """Make the cluster of a data folder that has none; `durable`: it survives a power cut from then on.

    It gets its name when it is complete, so that an interrupted first start leaves
    nothing that a second could take for a cluster.
    """
    unfinished = Path(tempfile.mkdtemp(dir=folder.path, prefix=_UNFINISHED))
    user.own(unfinished)
    await _initdb(unfinished, software, user, durable=durable)
    await asyncio.to_thread(unfinished.rename, folder.cluster)


def remove_unfinished(folder: DataFolder) -> None:
    """Remove what interrupted first starts left behind."""
    for unfinished in folder.path.glob(f"{_UNFINISHED}*"):
        # An initdb that was left alone may still write there; the next start has another try.
        shutil.rmtree(unfinished, ignore_errors=True)


def check_cluster(folder: DataFolder, user: SystemUser) -> None:
    """Raise EmbeddedPostgresError if the cluster is not one that our Postgres can run."""
    cluster = folder.cluster
    if cluster.stat().st_uid != user.uid:
        raise EmbeddedPostgresError(
            f"{cluster} belongs to {owner_of(cluster)}, but Postgres would run as {user.name}. "
            "Start the server as the user who started it the first time."
        )
    version = (cluster / "PG_VERSION").read_text().strip()
    if version != MAJOR_VERSION:
        raise EmbeddedPostgresError(
            f"{cluster} was made by Postgres {version}, and this release brings Postgres {MAJOR_VERSION}. Dump the "
            "database with the release that made it and restore it into a new data folder, or run that release."
        )


async def _initdb(cluster: Path, software: Software, user: SystemUser, *, durable: bool) -> None:
    process = _run_initdb(cluster, software, user, durable=durable)
    try:
        output, _ = await asyncio.to_thread(process.communicate)
    except BaseException:
        process.kill()
        raise
    if process.returncode != 0:
        raise EmbeddedPostgresError(
            f"Postgres's data could not be made in {cluster.parent}:\n{output.decode(errors='replace').strip()}"
        )


def _run_initdb(
    cluster: Path, software: Software, user: SystemUser, *, durable: bool
) -> subprocess.Popen[bytes]:
    # Not by the event loop: uvloop starts nothing as another user.
    return subprocess.Popen(  # noqa: S603 -- Postgres, with arguments of our own
        [
            software.initdb,
            f"--pgdata={cluster}",
            f"--username={SUPERUSER}",
            # Who can enter the folder may do anything; nobody else gets as far as the socket.
            "--auth-local=trust",
            "--auth-host=reject",
            "--encoding=UTF8",
            "--no-locale",
            "--no-instructions",
            *([] if durable else ["--no-sync"]),
        ],
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        **process_arguments(user),
    )
