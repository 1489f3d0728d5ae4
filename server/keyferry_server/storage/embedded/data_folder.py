"""The data folder: made if it is missing, checked, and locked for as long as its server lives."""

import errno
import fcntl
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from keyferry_server.storage.embedded.errors import EmbeddedPostgresError
from keyferry_server.storage.embedded.system_user import SystemUser, owner_of, postgres_user

_PRIVATE = 0o700
_PASSABLE = 0o711


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The folder of one embedded Postgres; its path is absolute and free of symbolic links."""

    path: Path

    @property
    def cluster(self) -> Path:
        """Where Postgres keeps its data."""
        return self.path / "postgres"

    @property
    def log(self) -> Path:
        """What Postgres says, since it was started."""
        return self.path / "postgres.log"

    def lock(self) -> IO[str]:
        """Take the folder for this process until the returned file is closed or the process ends.

        EmbeddedPostgresError if another server has it. The lock is not inherited
        by subprocesses: it ends with the server, also when Postgres outlives it.
        """
        lock = _open_own(self.path / "postgres.lock", os.O_RDWR)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise EmbeddedPostgresError(
                f"Another server (process {holder}) uses the data folder {self.path}. "
                "Stop it, or give this one another folder."
            ) from None
        lock.seek(0)
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        return lock

    def open_log(self) -> IO[str]:
        """Open an empty log and keep that of the start before."""
        if self.log.exists():
            self.log.replace(self.path / "postgres.log.old")
        return _open_own(self.log, os.O_WRONLY | os.O_APPEND)

    def end_of_log(self, lines: int = 20) -> str:
        """Return the last lines of the log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def make_data_folder(path: Path) -> None:
    """Make a data folder that is not there yet, so that its Postgres can be reached inside; OSError."""
    _make(path.absolute(), postgres_user())


def open_data_folder(path: Path, user: SystemUser) -> DataFolder:
    """Make or check a data folder for a Postgres that runs as `user`; EmbeddedPostgresError if it cannot be used."""
    _make(path.absolute(), user)
    folder = path.resolve(strict=True)
    status = folder.stat()
    # Root may own it too: that is how container volumes arrive.
    if status.st_uid not in {0, os.geteuid()}:
        raise EmbeddedPostgresError(
            f"The data folder {folder} belongs to {owner_of(folder)}. Start the server as that user, or give another folder."
        )
    if status.st_mode & stat.S_IWOTH:
        raise EmbeddedPostgresError(
            f"Every user can change the data folder {folder}. Correct it with: chmod o-w {folder}"
        )
    closed = user.first_closed(folder)
    if closed is not None:
        raise EmbeddedPostgresError(
            f"Postgres does not run as root, so it runs as {user.name}, and {user.name} cannot enter {closed} "
            f"on the way to the data folder {folder}. Give a data folder elsewhere (/var/lib/keyferry), "
            f"start the server as an ordinary user, or open the way with: chmod o+x {closed}"
        )
    return DataFolder(folder)


def _make(path: Path, user: SystemUser) -> None:
    if path.is_dir():
        return
    _make(path.parent, user)
    try:
        path.mkdir(_PRIVATE)
    except FileExistsError:
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "it is not a folder", str(path)) from None
        return
    if user.is_another:
        path.chmod(_PASSABLE)


def _open_own(path: Path, flags: int) -> IO[str]:
    # A symbolic link here would be somebody else's idea.
    descriptor = os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    return open(descriptor, "r+" if flags & os.O_RDWR else "a", encoding="utf-8")  # noqa: PTH123 -- an open file, for the caller to close
