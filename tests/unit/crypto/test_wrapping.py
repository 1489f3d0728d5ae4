import secrets
import subprocess
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.keywrap import aes_key_wrap, aes_key_wrap_with_padding
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_der_public_key,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.crypto.caller_side import HASHES, OAEP_ALGORITHMS, RSA_AES_ALGORITHMS, encrypt_oaep, wrap
from unit.crypto.calls import built_ins_called
from unit.crypto.leaks import shown_by, shows

from keyferry_server.crypto.secret import Secret
from keyferry_server.crypto.wrapping import unwrap_key_material, wrapping_key
from keyferry_server.crypto.wrapping.wrapping_key import (
    WrappingKeyPair,
    WrappingPrivateKey,
    generate_wrapping_key_pair,
    load_wrapping_private_key,
)
from keyferry_server.domain.errors import (
    InvalidCiphertextException,
    KmsError,
    KMSInternalException,
    UnsupportedOperationException,
    ValidationException,
)
from keyferry_server.domain.importable_keys import WRAPPINGS
from keyferry_server.domain.key_material import WrappingAlgorithm, WrappingKeySpec

MATERIAL = bytes(range(32, 64))
MODULUS_BYTES = {WrappingKeySpec.RSA_2048: 256, WrappingKeySpec.RSA_3072: 384, WrappingKeySpec.RSA_4096: 512}
SMALL = WrappingKeySpec.RSA_2048


@pytest.fixture(scope="module")
def pair(wrapping_key_pairs: Mapping[WrappingKeySpec, WrappingKeyPair]) -> WrappingKeyPair:
    return wrapping_key_pairs[SMALL]


@pytest.fixture(scope="module")
def private_key(pair: WrappingKeyPair) -> WrappingPrivateKey:
    return load_wrapping_private_key(pair.private_key)


def _refusal(algorithm: WrappingAlgorithm, private_key: WrappingPrivateKey, encrypted: bytes) -> KmsError:
    with pytest.raises(InvalidCiphertextException) as caught:
        unwrap_key_material(algorithm, private_key, encrypted)
    assert caught.value.message == ""
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


# the index


def test_every_algorithm_that_a_key_may_be_wrapped_by_unwraps() -> None:
    assert {algorithm for wrappings in WRAPPINGS.values() for algorithm in wrappings} == set(HASHES)
    assert {
        spec for wrappings in WRAPPINGS.values() for specs in wrappings.values() for spec in specs
    } == set(MODULUS_BYTES)


@pytest.mark.parametrize("algorithm", [WrappingAlgorithm.RSAES_PKCS1_V1_5, WrappingAlgorithm.SM2PKE])
def test_pkcs1_and_sm2_are_unsupported(algorithm: WrappingAlgorithm, private_key: WrappingPrivateKey) -> None:
    with pytest.raises(UnsupportedOperationException):
        unwrap_key_material(algorithm, private_key, bytes(256))


def test_sm2_keys_are_unsupported() -> None:
    with pytest.raises(UnsupportedOperationException):
        generate_wrapping_key_pair(WrappingKeySpec.SM2)


# what unwraps


@pytest.mark.parametrize("algorithm", HASHES)
@pytest.mark.parametrize("spec", MODULUS_BYTES)
def test_what_a_caller_wrapped_unwraps(
    wrapping_key_pairs: Mapping[WrappingKeySpec, WrappingKeyPair],
    algorithm: WrappingAlgorithm,
    spec: WrappingKeySpec,
) -> None:
    encrypted = wrap(wrapping_key_pairs[spec].public_key, MATERIAL, algorithm)
    assert len(encrypted) == MODULUS_BYTES[spec] + (40 if algorithm in RSA_AES_ALGORITHMS else 0)
    private_key = load_wrapping_private_key(wrapping_key_pairs[spec].private_key)
    assert unwrap_key_material(algorithm, private_key, encrypted).reveal() == MATERIAL


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(material=st.binary(min_size=1, max_size=190), algorithm=st.sampled_from(list(HASHES)))
def test_material_of_every_length_unwraps_and_is_left_to_the_domain(
    pair: WrappingKeyPair, private_key: WrappingPrivateKey, material: bytes, algorithm: WrappingAlgorithm
) -> None:
    encrypted = wrap(pair.public_key, material, algorithm)
    assert unwrap_key_material(algorithm, private_key, encrypted).reveal() == material


@pytest.mark.parametrize("algorithm", OAEP_ALGORITHMS)
def test_nothing_at_all_unwraps_under_oaep_and_is_left_to_the_domain(
    pair: WrappingKeyPair, private_key: WrappingPrivateKey, algorithm: WrappingAlgorithm
) -> None:
    assert len(unwrap_key_material(algorithm, private_key, wrap(pair.public_key, b"", algorithm))) == 0


def test_long_material_such_as_a_private_key_unwraps_under_rsa_aes(
    pair: WrappingKeyPair, private_key: WrappingPrivateKey
) -> None:
    for algorithm in RSA_AES_ALGORITHMS:
        encrypted = wrap(pair.public_key, pair.private_key.reveal(), algorithm)
        unwrapped = unwrap_key_material(algorithm, private_key, encrypted)
        assert unwrapped.reveal() == pair.private_key.reveal()


@pytest.mark.parametrize("algorithm", HASHES)
def test_what_the_openssl_command_wrapped_unwraps(
    pair: WrappingKeyPair, private_key: WrappingPrivateKey, algorithm: WrappingAlgorithm, tmp_path: Path
) -> None:
    (tmp_path / "public.der").write_bytes(pair.public_key)
    digest = HASHES[algorithm]().name
    oaep = ["pkeyutl", "-encrypt", "-pubin", "-keyform", "DER", "-inkey", "public.der"]
    for option in ("rsa_padding_mode:oaep", f"rsa_oaep_md:{digest}", f"rsa_mgf1_md:{digest}"):
        oaep += ["-pkeyopt", option]

    def openssl(arguments: list[str], given: bytes) -> bytes:
        return subprocess.run(
            ["openssl", *arguments], input=given, capture_output=True, check=True, cwd=tmp_path, timeout=30
        ).stdout

    if algorithm in OAEP_ALGORITHMS:
        encrypted = openssl(oaep, MATERIAL)
    else:
        aes_key = secrets.token_bytes(32)
        key_wrap = ["enc", "-id-aes256-wrap-pad", "-iv", "A65959A6", "-K", aes_key.hex()]
        encrypted = openssl(oaep, aes_key) + openssl(key_wrap, MATERIAL)
    assert unwrap_key_material(algorithm, private_key, encrypted).reveal() == MATERIAL


# what does not


@pytest.mark.parametrize("algorithm", OAEP_ALGORITHMS)
@pytest.mark.parametrize("length", [0, 1, 255, 257, 296, 344, 6144])
def test_oaep_of_a_length_that_is_not_the_modulus_is_a_validation_error(
    private_key: WrappingPrivateKey, algorithm: WrappingAlgorithm, length: int
) -> None:
    with pytest.raises(ValidationException) as caught:
        unwrap_key_material(algorithm, private_key, bytes(length))
    assert caught.value.message == "Invalid encrypted key size."


@pytest.mark.parametrize("algorithm", RSA_AES_ALGORITHMS)
@pytest.mark.parametrize("length", [0, 1, 255, 256, 257, 264, 271, 272, 295, 297, 6144])
def test_rsa_aes_of_a_wrong_length_is_refused_like_all_else(
    pair: WrappingKeyPair, private_key: WrappingPrivateKey, algorithm: WrappingAlgorithm, length: int
) -> None:
    encrypted = wrap(pair.public_key, MATERIAL, algorithm)
    _refusal(algorithm, private_key, encrypted[:length].ljust(length, b"\x00"))


@pytest.mark.parametrize("algorithm", HASHES)
def test_one_flipped_bit_is_refused(
    pair: WrappingKeyPair, private_key: WrappingPrivateKey, algorithm: WrappingAlgorithm
) -> None:
    encrypted = wrap(pair.public_key, MATERIAL, algorithm)
    for position in range(len(encrypted)):
        damaged = bytearray(encrypted)
        damaged[position] ^= 1 << position % 8
        _refusal(algorithm, private_key, bytes(damaged))


@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(end=st.binary(max_size=100), algorithm=st.sampled_from(list(HASHES)))
def test_arbitrary_bytes_are_refused(
    private_key: WrappingPrivateKey, end: bytes, algorithm: WrappingAlgorithm
) -> None:
    start = (
        bytes(secrets.token_bytes(256))
        if algorithm in RSA_AES_ALGORITHMS
        else secrets.token_bytes(256 - len(end))
    )
    _refusal(algorithm, private_key, start + end)


def test_the_other_hash_is_refused(pair: WrappingKeyPair, private_key: WrappingPrivateKey) -> None:
    for family in (OAEP_ALGORITHMS, RSA_AES_ALGORITHMS):
        for algorithm, other in (family, family[::-1]):
            _refusal(other, private_key, wrap(pair.public_key, MATERIAL, algorithm))


def test_another_wrapping_key_is_refused(pair: WrappingKeyPair) -> None:
    stranger = load_wrapping_private_key(generate_wrapping_key_pair(SMALL).private_key)
    for algorithm in HASHES:
        _refusal(algorithm, stranger, wrap(pair.public_key, MATERIAL, algorithm))


@pytest.mark.parametrize("algorithm", HASHES)
def test_a_label_is_refused(
    pair: WrappingKeyPair, private_key: WrappingPrivateKey, algorithm: WrappingAlgorithm
) -> None:
    aes_key = secrets.token_bytes(32)
    encrypted = encrypt_oaep(pair.public_key, aes_key, algorithm, label=b"label")
    if algorithm in RSA_AES_ALGORITHMS:
        encrypted += aes_key_wrap_with_padding(aes_key, MATERIAL)
    _refusal(algorithm, private_key, encrypted)


@pytest.mark.parametrize("algorithm", RSA_AES_ALGORITHMS)
@pytest.mark.parametrize("length", [16, 24])
def test_an_aes_key_that_is_not_256_bits_is_refused(
    pair: WrappingKeyPair, private_key: WrappingPrivateKey, algorithm: WrappingAlgorithm, length: int
) -> None:
    aes_key = secrets.token_bytes(length)
    encrypted = encrypt_oaep(pair.public_key, aes_key, algorithm) + aes_key_wrap_with_padding(
        aes_key, MATERIAL
    )
    _refusal(algorithm, private_key, encrypted)


@pytest.mark.parametrize("length", [0, 1, 31, 33, 64])
def test_a_first_part_that_holds_no_aes_key_at_all_is_refused(
    pair: WrappingKeyPair, private_key: WrappingPrivateKey, length: int
) -> None:
    algorithm = WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256
    encrypted = encrypt_oaep(pair.public_key, bytes(length), algorithm)
    _refusal(algorithm, private_key, encrypted + aes_key_wrap_with_padding(bytes(32), MATERIAL))


def test_key_wrap_without_padding_is_refused(pair: WrappingKeyPair, private_key: WrappingPrivateKey) -> None:
    algorithm, aes_key = WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256, secrets.token_bytes(32)
    encrypted = encrypt_oaep(pair.public_key, aes_key, algorithm) + aes_key_wrap(aes_key, MATERIAL)
    _refusal(algorithm, private_key, encrypted)


def test_whichever_step_of_rsa_aes_fails_all_steps_are_taken(
    pair: WrappingKeyPair, private_key: WrappingPrivateKey
) -> None:
    algorithm, aes_key = WrappingAlgorithm.RSA_AES_KEY_WRAP_SHA_256, secrets.token_bytes(32)
    key_part = encrypt_oaep(pair.public_key, aes_key, algorithm)
    short_key_part = encrypt_oaep(pair.public_key, aes_key[:16], algorithm)
    material_part = aes_key_wrap_with_padding(aes_key, MATERIAL)
    for encrypted in (
        key_part + material_part[::-1],
        short_key_part + material_part,
        key_part[::-1] + material_part,
        key_part + material_part[:-1],
        key_part,
        b"",
    ):
        called = built_ins_called(
            partial(_refusal, algorithm, private_key, encrypted), "decrypt", "aes_key_unwrap_with_padding"
        )
        assert called == ["decrypt", "aes_key_unwrap_with_padding"]


def test_no_refusal_shows_material_or_keys(pair: WrappingKeyPair, private_key: WrappingPrivateKey) -> None:
    aes_key = bytes(range(128, 160))
    wrapped = bytearray(aes_key_wrap_with_padding(aes_key, MATERIAL))
    wrapped[-1] ^= 1
    for algorithm in RSA_AES_ALGORITHMS:
        refusal = _refusal(
            algorithm, private_key, encrypt_oaep(pair.public_key, aes_key, algorithm) + wrapped
        )
        for content in (MATERIAL, aes_key, pair.private_key.reveal()):
            assert not shows(shown_by(refusal), content)


# wrapping keys


@pytest.mark.parametrize(("spec", "der_bytes"), [("RSA_2048", 294), ("RSA_3072", 422), ("RSA_4096", 550)])
def test_a_public_key_is_subject_public_key_info_of_the_spec(
    wrapping_key_pairs: Mapping[WrappingKeySpec, WrappingKeyPair], spec: str, der_bytes: int
) -> None:
    pair = wrapping_key_pairs[WrappingKeySpec(spec)]
    public_key = load_der_public_key(pair.public_key)
    assert isinstance(public_key, rsa.RSAPublicKey)
    assert len(pair.public_key) == der_bytes
    assert public_key.key_size == MODULUS_BYTES[pair.spec] * 8
    assert public_key.public_numbers().e == 65537


def test_generated_private_keys_pass_the_validation_that_loading_skips(
    wrapping_key_pairs: Mapping[WrappingKeySpec, WrappingKeyPair],
) -> None:
    for pair in wrapping_key_pairs.values():
        validated = load_der_private_key(pair.private_key.reveal(), password=None)
        assert isinstance(validated, rsa.RSAPrivateKey)
        assert load_wrapping_private_key(pair.private_key).modulus_bytes == MODULUS_BYTES[pair.spec]


def test_every_pair_is_fresh(pair: WrappingKeyPair) -> None:
    assert generate_wrapping_key_pair(SMALL).public_key != pair.public_key


def test_every_pair_is_tried_before_it_is_handed_out() -> None:
    called = built_ins_called(partial(generate_wrapping_key_pair, SMALL), "encrypt", "decrypt")
    assert called == ["encrypt", "decrypt"]


def test_a_pair_whose_halves_do_not_belong_together_fails_the_self_test(pair: WrappingKeyPair) -> None:
    other = generate_wrapping_key_pair(SMALL)
    with pytest.raises(KMSInternalException, match="does not work") as caught:
        wrapping_key._check_pair(WrappingKeyPair(SMALL, pair.private_key, other.public_key))
    assert not shows(shown_by(caught.value), pair.private_key.reveal())


def test_what_is_no_rsa_private_key_is_an_internal_fault_that_shows_nothing(pair: WrappingKeyPair) -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
    )
    for content in (b"garbage that is no key", pair.private_key.reveal()[:-1], elliptic):
        with pytest.raises(KMSInternalException, match="could not be read") as caught:
            load_wrapping_private_key(Secret(content))
        assert caught.value.__context__ is None
        assert not shows(shown_by(caught.value), content)
