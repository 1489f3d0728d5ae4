"""Why a server cannot listen is said with what the operator can change."""

import errno
import os

import pytest

from keyferry_server.settings import ListenAddress
from keyferry_server.transport.listening import CannotListenError, by_option


@pytest.mark.parametrize(("port", "is_said"), [(80, True), (8080, False)])
def test_a_low_port_is_said_to_need_a_permission(port: int, is_said: bool) -> None:  # noqa: FBT001 -- a parameter of the test
    refused = OSError(errno.EACCES, os.strerror(errno.EACCES))
    said = str(CannotListenError(ListenAddress(f"127.0.0.1:{port}"), refused))
    assert said.startswith(f"cannot listen on 127.0.0.1:{port}: Permission denied")
    assert ("below 1024" in said) is is_said


def test_the_option_that_changes_the_address_is_named() -> None:
    with pytest.raises(OSError, match="KEYFERRY_GRPC_LISTEN") as raised, by_option("grpc-listen"):
        raise CannotListenError(ListenAddress("127.0.0.1:8700"), None)
    assert "--grpc-listen" in str(raised.value)
