"""A root key in a PKCS#11 device: what is made there, what is refused, and a device that comes back."""

from collections.abc import Iterator
from typing import Any

import pytest
from fixtures.softhsm import SoftHsm
from unit.crypto.leaks import shown_by

from keyferry_server.crypto.root_key import (
    RootKeyConfigurationError,
    RootKeyMismatchError,
    RootKeyUnavailableError,
    UnknownRootKeyVersionError,
)
from keyferry_server.crypto.root_key.ring import RootKeyRing


def test_a_made_key_never_leaves_the_device(softhsm: SoftHsm) -> None:
    import pkcs11

    provider = softhsm.provider("made")
    provider.add_version(1)

    token = pkcs11.lib(str(softhsm.module)).get_token(token_label=softhsm.token)
    with token.open() as session:
        key = session.get_key(label="made-1")
        assert key[pkcs11.Attribute.SENSITIVE]
        assert not key[pkcs11.Attribute.EXTRACTABLE]
        assert key[pkcs11.Attribute.VALUE_LEN] == 32
        with pytest.raises(pkcs11.exceptions.PKCS11Error):
            _ = key[pkcs11.Attribute.VALUE]


def test_a_version_is_never_made_twice(softhsm: SoftHsm) -> None:
    provider = softhsm.provider("twice")
    provider.add_version(1)
    with pytest.raises(RootKeyConfigurationError, match="not replaced"):
        provider.add_version(1)


def test_keys_of_another_label_are_not_versions(softhsm: SoftHsm) -> None:
    softhsm.provider("label-a").add_version(1)
    softhsm.provider("label").add_version(2)
    assert softhsm.provider("label").load().versions == {2}


def test_a_version_that_is_made_later_is_found_by_the_next_load(softhsm: SoftHsm) -> None:
    provider = softhsm.provider("later")
    provider.add_version(1)
    before = provider.load()
    softhsm.provider("later").add_version(2)
    assert (before.versions, provider.load().versions) == ({1}, {1, 2})


def test_a_token_without_a_root_key_says_how_to_make_one(softhsm: SoftHsm) -> None:
    with pytest.raises(RootKeyConfigurationError, match="root-key generate"):
        softhsm.provider("none").load()


def test_what_is_wrong_with_the_device_is_said_without_the_pin(softhsm: SoftHsm) -> None:
    from keyferry_server.crypto.root_key.pkcs11 import Pkcs11RootKeyProvider
    from keyferry_server.crypto.secret import Secret

    pin = Secret(b"999-secret")
    for module, token in ((softhsm.module, "no such token"), (softhsm.module.with_name("no.so"), "keyferry")):
        with pytest.raises(RootKeyConfigurationError, match="KEYFERRY_PKCS11_TOKEN") as caught:
            Pkcs11RootKeyProvider(module, token, pin, "label").load()
        assert "999-secret" not in shown_by(caught.value)


def test_a_device_that_lost_our_session_is_opened_again(softhsm: SoftHsm) -> None:
    provider = softhsm.provider("session")
    provider.add_version(1)
    root_key = provider.load()
    ciphertext = root_key.encrypt(1, b"text", b"")

    provider._session.close()
    assert root_key.decrypt(1, ciphertext, b"") == b"text"
    provider._session.close()
    assert root_key.decrypt(1, root_key.encrypt(1, b"text", b""), b"") == b"text"
    with pytest.raises(RootKeyMismatchError):
        root_key.decrypt(1, ciphertext, b"another place")


def test_a_device_that_is_gone_is_unavailable_and_not_a_mismatch(softhsm: SoftHsm) -> None:
    provider = softhsm.provider("gone")
    provider.add_version(1)
    root_key = provider.load()
    ciphertext = root_key.encrypt(1, b"text", b"")

    provider._session.close()
    provider._token_label = "pulled out"
    for call in (
        lambda: root_key.decrypt(1, ciphertext, b""),
        lambda: root_key.encrypt(1, b"text", b""),
        provider.load,
    ):
        with pytest.raises(RootKeyUnavailableError, match="does not answer"):
            call()
    provider._token_label = softhsm.token
    assert root_key.decrypt(1, ciphertext, b"") == b"text"


class HidesEverything:
    """A session whose token shows no object at the moment."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def get_objects(self, _: object) -> Iterator[object]:
        return iter(())


def test_a_key_that_the_device_does_not_show_at_the_moment_goes_on_being_used(softhsm: SoftHsm) -> None:
    provider = softhsm.provider("hidden")
    provider.add_version(1)
    ring = RootKeyRing(provider.load)
    ciphertext = ring.encrypt(1, b"text", b"")

    provider._session = HidesEverything(provider._session)
    ring.learn()
    assert ring.decrypt(1, ciphertext, b"") == b"text"
    assert ring.decrypt(1, ring.encrypt(1, b"text", b""), b"") == b"text"


def test_a_key_that_the_device_hides_behind_a_new_session_is_unavailable_and_not_unknown(
    softhsm: SoftHsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = softhsm.provider("hidden-later")
    provider.add_version(1)
    root_key = provider.load()
    ciphertext = root_key.encrypt(1, b"text", b"")
    really_open = provider._open
    with monkeypatch.context() as hidden:
        hidden.setattr(provider, "_open", lambda: HidesEverything(really_open()))
        provider._session.close()
        for call in (
            lambda: root_key.decrypt(1, ciphertext, b""),
            lambda: root_key.encrypt(1, b"text", b""),
            provider.load,
        ):
            with pytest.raises(RootKeyUnavailableError):
                call()
    assert root_key.decrypt(1, ciphertext, b"") == b"text"
    with pytest.raises(UnknownRootKeyVersionError):
        root_key.encrypt(2, b"text", b"")
