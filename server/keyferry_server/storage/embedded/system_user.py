"""The system user that Postgres runs as: ours, or ``nobody`` when we are root, which Postgres refuses.

Running as another user, Postgres reaches only what that user may. No mode of a
folder that was there before is ever changed for it: what blocks is named instead.
"""

import os
import pwd
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from keyferry_server.storage.embedded.errors import EmbeddedPostgresError

_NOBODY = "nobody"
# The kernel answers, not the modes: access control lists and namespaces count too.
_FIRST_CLOSED = 'for folder do (cd -- "$folder") 2>/dev/null || { printf %s "$folder"; exit; }; done'
_FIRST_UNREADABLE = 'for path do [ -r "$path" ] || { printf %s "$path"; exit; }; done'


@dataclass(frozen=True, slots=True)
class SystemUser:
    """Whom Postgres runs as. `is_another`: not the user that this process runs as."""

    name: str
    uid: int
    gid: int
    is_another: bool

    def process_arguments(self) -> dict[str, Any]:
        """Return what makes a subprocess run as this user, with no other groups."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_another else {}

    def own(self, path: Path) -> None:
        """Give something that we made to this user."""
        if self.is_another:
            os.chown(path, self.uid, self.gid)

    def first_closed(self, folder: Path) -> Path | None:
        """Return the uppermost of `folder` and those above it that this user cannot enter; None if there is none."""
        return self._first(_FIRST_CLOSED, [*reversed(folder.parents), folder])

    def can_read(self, paths: Iterable[Path]) -> bool:
        """Tell whether this user can read all of `paths`."""
        return self._first(_FIRST_UNREADABLE, paths) is None

    def _first(self, script: str, paths: Iterable[Path]) -> Path | None:
        if not self.is_another:
            return None
        try:
            answer = subprocess.run(  # noqa: S603 -- a fixed script; the paths are its arguments
                ["/bin/sh", "-c", script, "sh", *map(str, paths)],
                cwd="/",
                env={},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                **self.process_arguments(),
            ).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            raise EmbeddedPostgresError(
                f"Postgres does not run as root, and root cannot run it as the user {self.name} here. "
                "Start the server as an ordinary user, or give a --database-url."
            ) from error
        return Path(os.fsdecode(answer)) if answer else None


def postgres_user() -> SystemUser:
    """Return whom Postgres runs as; EmbeddedPostgresError if there is no user that it accepts."""
    uid = os.geteuid()
    if uid != 0:
        return SystemUser(_registered_name(uid), uid, os.getegid(), is_another=False)
    try:
        nobody = pwd.getpwnam(_NOBODY)
    except KeyError:
        raise EmbeddedPostgresError(
            f"Postgres does not run as root, and there is no user {_NOBODY} to run it as. "
            "Start the server as an ordinary user, or give a --database-url."
        ) from None
    return SystemUser(_NOBODY, nobody.pw_uid, nobody.pw_gid, is_another=True)


def owner_of(path: Path) -> str:
    """Return the name of the user that owns `path`, or its number if it has none."""
    return _name(path.stat().st_uid)


def _registered_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        raise EmbeddedPostgresError(
            f"This process runs as user {uid}, which has no entry in /etc/passwd, and Postgres wants one. "
            "Start the server as a user that has, or give a --database-url."
        ) from None


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
