"""A root key from a file that the operator guards: mode 0600, or a container's mounted secret."""

import errno
import glob
import os
import secrets
import stat
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path

from keyferry_server.crypto.root_key import RootKey
from keyferry_server.crypto.root_key.aes import KEY_BYTES
from keyferry_server.crypto.root_key.errors import RootKeyConfigurationError, RootKeyMismatchError
from keyferry_server.crypto.root_key.text import format_root_key_line, parse_root_key, without_version
from keyferry_server.crypto.secret import Secret

# Container engines mount secrets here, on a file system in memory that no other
# user of the host sees, with a mode (often 0444) that the container cannot change.
_MOUNTED_SECRETS = Path("/run/secrets")
_LONGEST_FILE_BYTES = 1024 * 1024
_RANDOM_DIGITS = 16
_HEADER = """\
# The root key of a Keyferry installation. Whoever reads this file can open everything
# that the installation has sealed; without it nothing can be opened again. Keep a copy
# in a safe place. One line a version: number, blank, base64 of 32 bytes.
"""


class FileRootKeyProvider:
    """The root key in one file. Whoever changes it is alone: rotation holds a lock in the database."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __str__(self) -> str:
        return str(self._path)

    def load(self) -> RootKey:
        """Read the file."""
        return load_root_key_file(self._path)

    def add_version(self, version: int) -> None:
        """Add a line with a fresh key."""
        self._replace(
            lambda text: f"{text.rstrip()}\n{format_root_key_line(version, Secret.generate(KEY_BYTES))}",
            lambda versions: versions | {version},
        )

    def remove_version(self, version: int) -> None:
        """Take the line of a version out."""
        self._replace(lambda text: without_version(text, version), lambda versions: versions - {version})

    def _replace(
        self, edit: Callable[[str], str], expect: Callable[[AbstractSet[int]], AbstractSet[int]]
    ) -> None:
        """Put a changed copy in the file's place.

        1. Remove copies that a change left behind when it was killed.
        2. Write the copy beside the file, private from its first byte, readable for whom the
           file is; sync it.
        3. Read it back: it has the expected versions, and those that stay are the same keys.
        4. Rename it over the file: whoever reads sees the old one or the new one.
        5. Sync the folder.
        """
        path = self._path.resolve()
        before = load_root_key_file(path)
        temporary = _beside(path)
        try:
            for left_behind in path.parent.glob(f".{glob.escape(path.name)}.{'[0-9a-f]' * _RANDOM_DIGITS}"):
                left_behind.unlink()
            try:
                # Comments may be in any encoding.
                text = _read(path).reveal().decode(errors="surrogateescape")
                _write_private(
                    temporary, Secret(edit(text).encode(errors="surrogateescape")), like=path.stat()
                )
                after = load_root_key_file(temporary)
                if after.versions != expect(before.versions) or not _agree(before, after):
                    raise RootKeyConfigurationError(
                        f"The root key at {path} is not changed: the copy did not come out right. Put each version on a "
                        "line of its own."
                    )
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            _sync_folder(path.parent)
        except OSError as error:
            raise RootKeyConfigurationError(
                f"The root key at {path} cannot be changed: {error.strerror}. If it is mounted here from elsewhere, "
                "change it there: a version is one line, its number, a blank, and 32 random bytes in base64."
            ) from None


def load_root_key_file(path: Path) -> RootKey:
    """Load a root key that this user alone can change and, mounted secrets excepted, no stranger can read.

    RootKeyConfigurationError, which says what to do and never quotes the file.
    """
    return parse_root_key(_read(path), str(path))


def generate_root_key_file(path: Path) -> None:
    """Make a root key of one version in a new file, mode 0600, durable when this returns.

    1. Write a temporary file beside it, private from its first byte, and sync it.
    2. Link it to its name, which fails if the name is taken: a root key is never
       overwritten, and a crash never leaves a half-written one.
    3. Remove the temporary name and sync the folder.

    RootKeyConfigurationError if there is such a file or it cannot be written.
    """
    temporary = _beside(path)
    try:
        try:
            _write_private(
                temporary, Secret((_HEADER + format_root_key_line(1, Secret.generate(KEY_BYTES))).encode())
            )
            os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except FileExistsError:
        raise RootKeyConfigurationError(
            f"{path} exists already and is not overwritten: what was sealed under it would be lost. "
            "Give another path, or move the file away."
        ) from None
    except OSError as error:
        raise RootKeyConfigurationError(
            f"A root key cannot be written to {path}: {error.strerror}."
        ) from None


def _read(path: Path) -> Secret:
    try:
        # Not blocking, so that a named pipe is refused below rather than waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unreadable(path, error) from None
    try:
        # The open file is checked, not whatever has its name a moment later.
        _check_mode(path, os.fstat(descriptor).st_mode)
        with open(descriptor, "rb", closefd=False) as file:
            content = Secret(file.read(_LONGEST_FILE_BYTES + 1))
    except OSError as error:
        raise _unreadable(path, error) from None
    finally:
        os.close(descriptor)
    if len(content) > _LONGEST_FILE_BYTES:
        raise RootKeyConfigurationError(f"{path} is too long for a root key. Is it the right file?")
    return content


def _unreadable(path: Path, error: OSError) -> RootKeyConfigurationError:
    if error.errno == errno.ENOENT:
        return RootKeyConfigurationError(
            f"There is no root key at {path}. Make one with: keyferry-server root-key generate --out {path}"
        )
    return RootKeyConfigurationError(f"The root key at {path} cannot be read: {error.strerror}.")


def _check_mode(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise RootKeyConfigurationError(f"{path} is not a regular file. Give the path of a root key file.")
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise RootKeyConfigurationError(
            f"Others than its owner can change the root key at {path} (mode {stat.S_IMODE(mode):04o}). "
            f"Correct it with: chmod 600 {path}"
        )
    if mode & stat.S_IROTH and not path.resolve().is_relative_to(_MOUNTED_SECRETS):
        raise RootKeyConfigurationError(
            f"Everyone on this machine can read the root key at {path} (mode {stat.S_IMODE(mode):04o}). "
            f"Correct it with: chmod 600 {path}"
        )


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{secrets.token_hex(_RANDOM_DIGITS // 2)}")


def _agree(one: RootKey, other: RootKey) -> bool:
    """Tell whether the versions that both have are the same keys."""
    try:
        for version in one.versions & other.versions:
            other.decrypt(version, one.encrypt(version, b"", b""), b"")
    except RootKeyMismatchError:
        return False
    return True


def _write_private(path: Path, content: Secret, like: os.stat_result | None = None) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with open(descriptor, "wb") as file:  # noqa: PTH123 -- Path.open cannot create it as private
        if like is not None:
            _let_the_same_read(descriptor, like)
        file.write(content.reveal())
        file.flush()
        os.fsync(descriptor)


def _let_the_same_read(descriptor: int, like: os.stat_result) -> None:
    mode = stat.S_IMODE(like.st_mode)
    try:
        # Else a server that runs as the owner could not read what root rotated.
        os.fchown(descriptor, like.st_uid if os.geteuid() == 0 else -1, like.st_gid)
    except PermissionError:
        # Of our own group, which it has now, nobody was meant.
        mode &= ~stat.S_IRWXG
    os.fchmod(descriptor, mode)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
