"""Structured logs on standard error: one JSON object a line, or coloured lines for a person."""

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any, BinaryIO, TextIO, cast

import orjson
import structlog


def configure_logs(level: str, log_format: str, worker: int | None = None) -> None:
    """Send our own log lines, and the warnings of libraries, to standard error, all in one format.

    With the number of the worker process, if it is one of several.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    if worker is not None:
        shared.append(lambda _, __, line: {**line, "worker": worker})
    is_json = log_format == "json"
    # Every call is a line: our own are made and written as bytes, which costs half.
    own: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(serializer=_json) if is_json else _console()
    )
    structlog.configure(
        processors=[*shared, own],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", _Lossy(sys.stderr.buffer)))
        if is_json
        else structlog.PrintLoggerFactory(cast("TextIO", _Lossy(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer() if is_json else _console(),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)


class _Lossy:
    """A stream that loses what cannot be written: a full disk must not fail the call that a line is about."""

    def __init__(self, stream: IO[Any]) -> None:
        self._stream = stream

    def write(self, line: Any) -> None:
        with suppress(OSError):
            self._stream.write(line)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()


def _json(line: Any, default: Callable[[Any], Any], **_: object) -> bytes:
    return orjson.dumps(line, default=default)


def _console() -> structlog.typing.Processor:
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
