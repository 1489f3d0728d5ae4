"""The helper that looks for leaks finds them; else the tests that use it could not fail."""

import base64

import pytest
from unit.crypto.leaks import shown_by, shows

from keyferry_server.domain.errors import NotFoundException
from keyferry_server.domain.identifiers import Accepts, Scope, parse_identifier

CONTENT = bytes(range(200, 232))


@pytest.mark.parametrize(
    "text",
    [
        repr(CONTENT),
        repr(repr(CONTENT)),
        CONTENT.decode("latin-1"),
        CONTENT.hex(),
        base64.b64encode(CONTENT).decode(),
        repr(list(CONTENT)),
    ],
)
def test_content_is_found_in_each_usual_encoding(text: str) -> None:
    assert shows(f"before {text} after", CONTENT)


def _fail_with_the_content_in_the_context() -> None:
    try:
        int(f"{CONTENT.hex()} is no number", 16)
    except ValueError:
        raise RuntimeError from None


def test_content_is_found_in_a_context_that_was_suppressed() -> None:
    with pytest.raises(RuntimeError) as caught:
        _fail_with_the_content_in_the_context()
    assert shows(shown_by(caught.value), CONTENT)


def test_content_is_found_in_a_local_variable_of_our_code() -> None:
    # Its local variable `text` is what it was asked to parse.
    with pytest.raises(NotFoundException) as caught:
        parse_identifier(
            f"no key id: {CONTENT.hex()}", Scope("aws", "us-east-1", "0" * 12), Accepts.KEY_ID_OR_ARN
        )
    caught.value.message = ""
    caught.value.args = ()
    assert shows(shown_by(caught.value), CONTENT)
