import copy
import dataclasses
import json
import pickle

import pytest
from unit.crypto.leaks import shows

from keyferry_server.crypto.import_token import ImportTokenCodec
from keyferry_server.crypto.key_material_id import KeyMaterialIds
from keyferry_server.crypto.root_key.aes import AesRootKey
from keyferry_server.crypto.sealing import Sealer
from keyferry_server.crypto.secret import Secret
from keyferry_server.crypto.wrapping.wrapping_key import WrappingKeyPair, load_wrapping_private_key
from keyferry_server.domain.key_material import WrappingKeySpec

CONTENT = bytes(range(100, 132))
SECRET = Secret(CONTENT)


@dataclasses.dataclass(frozen=True)
class _Holder:
    secret: Secret


def test_reveal_is_the_door() -> None:
    assert SECRET.reveal() == CONTENT
    assert len(SECRET) == 32


def test_an_empty_secret_is_still_a_secret() -> None:
    assert bool(Secret(b"")) is True


def test_generated_secrets_have_the_length_and_differ() -> None:
    first, second = Secret.generate(48), Secret.generate(48)
    assert len(first) == len(second) == 48
    assert first.reveal() != second.reveal()


def test_no_text_of_a_secret_shows_its_content() -> None:
    for text in (repr(SECRET), str(SECRET), f"{SECRET}", f"{[SECRET]}", repr(_Holder(SECRET)), "%s" % SECRET):  # noqa: UP031 -- logging formats so
        assert not shows(text, CONTENT)
        assert "Secret(***)" in text


def test_secrets_are_not_compared() -> None:
    with pytest.raises(TypeError, match="not compared"):
        _ = Secret(CONTENT) == SECRET
    with pytest.raises(TypeError, match="not compared"):
        _ = SECRET != CONTENT
    with pytest.raises(TypeError, match="unhashable"):
        hash(SECRET)


@pytest.mark.parametrize(
    "door",
    [
        bytes,
        list,
        vars,
        json.dumps,
        copy.copy,
        copy.deepcopy,
        dataclasses.asdict,
        *(lambda secret, n=n: pickle.dumps(secret, n) for n in range(pickle.HIGHEST_PROTOCOL + 1)),
    ],
)
def test_there_is_no_other_door(door: object) -> None:
    assert callable(door)
    with pytest.raises(TypeError):
        door(SECRET)


def test_what_is_inside_a_secret_is_not_copied_with_its_holder() -> None:
    with pytest.raises(TypeError, match="not pickled or copied"):
        dataclasses.asdict(_Holder(SECRET))


def test_holders_of_secrets_neither_show_nor_pickle_them(
    wrapping_key_pairs: dict[WrappingKeySpec, WrappingKeyPair],
) -> None:
    pair = wrapping_key_pairs[WrappingKeySpec.RSA_2048]
    root_key = AesRootKey({1: SECRET})
    holders = [
        root_key,
        Sealer(root_key),
        KeyMaterialIds(SECRET),
        ImportTokenCodec(SECRET),
        pair,
        load_wrapping_private_key(pair.private_key),
    ]
    for holder in holders:
        for secret in (SECRET, pair.private_key):
            assert not shows(f"{holder!r} {holder}", secret.reveal())
        for refused in (pickle.dumps, copy.deepcopy):
            with pytest.raises(TypeError):
                refused(holder)


def test_a_wrapping_key_pair_shows_neither_half(
    wrapping_key_pairs: dict[WrappingKeySpec, WrappingKeyPair],
) -> None:
    pair = wrapping_key_pairs[WrappingKeySpec.RSA_2048]
    assert (
        repr(pair) == "WrappingKeyPair(spec=<WrappingKeySpec.RSA_2048: 'RSA_2048'>, private_key=Secret(***))"
    )
