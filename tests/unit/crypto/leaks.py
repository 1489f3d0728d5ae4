"""What a careless log or error tracker would show of an exception."""

import base64
import traceback


def shown_by(error: BaseException) -> str:
    """Return all that is to be seen of `error`: text, causes, contexts, and the local variables of our code."""
    shown = [*traceback.format_exception(error)]
    seen: BaseException | None = error
    while seen is not None:
        shown += [repr(seen), str(seen), repr(seen.args), repr(vars(seen))]
        for frame, _ in traceback.walk_tb(seen.__traceback__):
            if "keyferry_server" in frame.f_code.co_filename:
                shown += [f"{name}={value!r}" for name, value in frame.f_locals.items()]
        seen = seen.__cause__ or seen.__context__
    return "\n".join(shown)


def shows(text: str, content: bytes) -> bool:
    """Tell whether `text` holds `content` in a usual encoding, or a tell-tale part of it."""
    part = content[:16]
    encodings = [
        repr(part)[2:-1],
        repr(repr(part)[2:-1])[1:-1],
        part.decode("latin-1"),
        part.hex(),
        base64.b64encode(part).decode().rstrip("=")[:20],
        repr(list(part))[1:-1],
    ]
    return any(encoding in text for encoding in encodings)
