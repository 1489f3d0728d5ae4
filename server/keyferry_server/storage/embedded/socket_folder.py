"""Where Postgres's socket lies: with its data, unless that path is too long for a socket."""

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

from keyferry_server.storage.embedded.data_folder import DataFolder
from keyferry_server.storage.embedded.errors import EmbeddedPostgresError
from keyferry_server.storage.embedded.system_user import SystemUser

PORT = 5432
_SOCKET = f".s.PGSQL.{PORT}"
# sockaddr_un.sun_path: 104 bytes on macOS, 108 on Linux, one of them the end.
_LONGEST_PATH_BYTES = 103
# Drivers take a comma for the end of a host, Postgres a quotation mark for that of a folder.
_AMBIGUOUS = re.compile(r'[,"]')


def open_socket_folder(folder: DataFolder, user: SystemUser) -> Path:
    """Return an existing folder that only `user` can enter, free of old sockets.

    It is the cluster, or else one in a temporary folder, of the same name at every
    start. Call it with the data folder locked and no Postgres running on it.
    """
    chosen = folder.cluster if _is_suitable(folder.cluster) else _temporary(folder, user)
    for name in (_SOCKET, f"{_SOCKET}.lock"):
        (chosen / name).unlink(missing_ok=True)
    return chosen


def close_socket_folder(chosen: Path, folder: DataFolder) -> None:
    """Remove the folder if it was a temporary one; Postgres has ended."""
    if chosen != folder.cluster and not any(chosen.iterdir()):
        chosen.rmdir()


def _temporary(folder: DataFolder, user: SystemUser) -> Path:
    name = f"keyferry-{hashlib.sha256(os.fsencode(folder.path)).hexdigest()[:16]}"
    for parent in (Path(tempfile.gettempdir()), Path("/tmp")):  # noqa: S108 -- the folder's owner is checked
        path = parent / name
        if _is_suitable(path) and user.first_closed(parent) is None:
            _make_private(path, user)
            return path
    raise EmbeddedPostgresError(
        f"The data folder {folder.path} has too long a path for Postgres's socket, and so has the folder for "
        "temporary files. Give a data folder with a shorter path."
    )


def _make_private(path: Path, user: SystemUser) -> None:
    try:
        path.mkdir(0o700)
        user.own(path)
    except FileExistsError:
        status = path.lstat()
        is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == user.uid and not status.st_mode & 0o077
        if not is_ours:
            raise EmbeddedPostgresError(
                f"{path}, where Postgres's socket belongs, is not a private folder of {user.name}. Remove it."
            ) from None


def _is_suitable(path: Path) -> bool:
    return len(os.fsencode(path / _SOCKET)) <= _LONGEST_PATH_BYTES and not _AMBIGUOUS.search(str(path))
