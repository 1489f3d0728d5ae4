"""Files that appear complete or not at all, readable by their owner only."""

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_unfinished: set[Path] = set()


@contextlib.contextmanager
def replaced_file(target: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `target` when the block ends well, and is gone if it fails.

    Beside the target, so that the last step is a rename; mode 0600. A target that
    is a symbolic link stays one. OSError if it cannot be written, for links that lead
    in a circle, and for a target that is not a regular file: a rename would do away
    with a device.
    """
    # Not exists(), which says of a circle of links that there is nothing.
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(target.stat().st_mode):
            raise FileExistsError(errno.EEXIST, "It exists and is not a regular file", str(target))
    place = target.resolve()
    descriptor, name = tempfile.mkstemp(prefix=".keyferry-", dir=place.parent)
    try:
        _unfinished.add(Path(name))
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(place)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    finally:
        _unfinished.discard(Path(name))


def remove_unfinished_files() -> None:
    """Remove what blocks that have not ended wrote so far: for a process that will not wait for them."""
    for path in tuple(_unfinished):
        path.unlink(missing_ok=True)
