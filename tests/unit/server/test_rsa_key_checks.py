"""Imported RSA keys are checked beside the event loop, in processes that know nothing but the key and end with it."""

import asyncio

import pytest
from key_checks import checking, until_checking
from private_keys import generate, pkcs8

from keyferry_server.background.rsa_key_checks import RsaKeyChecks
from keyferry_server.crypto.rsa_key_check import MODULE
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import KMSInternalException


@pytest.fixture(scope="module")
def key() -> bytes:
    return pkcs8(generate("RSA_2048"))


async def test_a_valid_key_passes_and_any_other_does_not(key: bytes) -> None:
    checks = RsaKeyChecks(2)
    damaged = key[:-9] + bytes([key[-9] ^ 1]) + key[-8:]

    answers = await asyncio.gather(*map(checks.is_valid, map(Secret, (key, damaged, b"", b"no key"))))

    assert answers == [True, False, False, False]
    assert checking() == []


async def test_a_check_has_no_part_of_the_key_on_its_command_line_and_none_of_our_settings(
    key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYFERRY_ROOT_KEY", "1 c2VjcmV0")
    check = asyncio.create_task(RsaKeyChecks(1).is_valid(Secret(key)))
    (process,) = await until_checking(1)

    with process.oneshot():
        told = " ".join(process.cmdline())
        environment = process.environ()
    assert await check

    assert key[:8].hex() not in told
    assert told.endswith(f"-P -m {MODULE}")
    assert set(environment) <= {"PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "LC_CTYPE"}


async def test_a_call_that_gives_up_ends_its_check_and_lets_the_next_one_in(key: bytes) -> None:
    checks = RsaKeyChecks(1)
    given_up = asyncio.create_task(checks.is_valid(Secret(key)))
    await until_checking(1)
    waiting = asyncio.create_task(checks.is_valid(Secret(key)))

    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up

    assert await waiting
    assert checking() == []


async def test_a_check_that_is_killed_is_an_internal_fault_and_no_verdict(key: bytes) -> None:
    check = asyncio.create_task(RsaKeyChecks(1).is_valid(Secret(key)))
    (process,) = await until_checking(1)

    process.kill()

    with pytest.raises(KMSInternalException, match="could not be checked"):
        await check


async def test_a_check_that_does_not_even_start_is_an_internal_fault_and_no_verdict(
    key: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")

    with pytest.raises(KMSInternalException, match="could not be checked"):
        await RsaKeyChecks(1).is_valid(Secret(key))
