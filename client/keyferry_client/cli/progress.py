"""A bar that shows how far a file is, on a terminal and nowhere else."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path


@contextlib.contextmanager
def progress_of(source: Path, what: str) -> Iterator[Callable[[int], None] | None]:
    """Give a function that is told of each further piece of `source` in bytes; None without a terminal.

    The bar is on standard error, and gone when the file is done.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 -- who has no terminal need not wait for it
    from rich.progress import (  # noqa: PLC0415 -- as above
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn(what), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    size = source.stat().st_size if source.is_file() else None
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        bar = progress.add_task(what, total=size)
        yield lambda read: progress.advance(bar, read)
