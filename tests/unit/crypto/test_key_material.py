"""Key material by key spec: what is generated, what may be imported, and the one form in which it is kept."""

import subprocess
from itertools import combinations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_der_public_key,
)
from private_keys import (
    CURVES,
    PrivateKey,
    encrypted,
    generate,
    integer,
    pem,
    pkcs8,
    rsa_key_of_a_composite,
    rsa_pkcs8,
    same_ec_key_without_public_key,
    same_rsa_key_encoded_otherwise,
    spki,
    tlv,
    traditional,
)
from unit.crypto.leaks import shown_by, shows

from keyferry_server.crypto.key_material import canonicalise, check_form, generate_material
from keyferry_server.crypto.key_material.pkcs8 import load_kept_private_key, load_kept_public_key
from keyferry_server.crypto.rsa_key_check import is_valid
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import IncorrectKeyMaterialException, KMSInternalException
from keyferry_server.domain.key import KeySpec

HMAC_BYTES = {"HMAC_224": 28, "HMAC_256": 32, "HMAC_384": 48, "HMAC_512": 64}


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


def refusal(spec: str, imported: bytes) -> str:
    """Return the words with which key material is refused; they and all around them show nothing of it."""
    with pytest.raises(IncorrectKeyMaterialException) as refused:
        check_form(KeySpec(spec), Secret(imported))
    # A few bytes are in every text.
    assert len(imported) < 16 or not shows(shown_by(refused.value), imported[-40:])
    with pytest.raises(IncorrectKeyMaterialException):
        canonicalise(KeySpec(spec), Secret(imported))
    return refused.value.message


@pytest.mark.parametrize("spec", sorted(set(KeySpec) - {"RSA_3072", "RSA_4096"}))
def test_generated_material_is_what_its_key_spec_says_and_always_another(spec: KeySpec) -> None:
    one, other = generate_material(spec), generate_material(spec)
    assert one.secret.reveal() != other.secret.reveal()
    check_form(spec, one.secret)
    if one.public_key is None:
        assert len(one.secret) == HMAC_BYTES.get(spec, 32)
        assert one.identity.reveal() == one.secret.reveal()
        return
    private, public = load_der_private_key(one.secret.reveal(), None), load_der_public_key(one.public_key)
    assert isinstance(private, PrivateKey)
    assert spki(private) == one.public_key == one.identity.reveal()
    if isinstance(public, rsa.RSAPublicKey):
        assert (f"RSA_{public.key_size}", public.public_numbers().e) == (spec, 65537)
    else:
        assert isinstance(public, ec.EllipticCurvePublicKey)
        assert public.curve.name == CURVES[spec].name


@pytest.mark.parametrize(("spec", "shortest"), HMAC_BYTES.items())
def test_hmac_keys_have_the_length_of_their_spec_up_to_1024_bits(spec: str, shortest: int) -> None:
    for length in (shortest, shortest + 1, 128):
        material = bytes(range(length))
        assert canonicalise(KeySpec(spec), Secret(material)).secret.reveal() == material
    for length in (0, 1, shortest - 1, 129):
        assert f"has {length} bytes" in refusal(spec, bytes(range(length)))


@pytest.mark.parametrize("spec", CURVES)
def test_a_key_is_taken_by_the_spec_of_its_curve_and_by_no_other(spec: str) -> None:
    key = generate(spec)
    kept = canonicalise(KeySpec(spec), Secret(pkcs8(key)))
    assert (kept.secret.reveal(), kept.public_key) == (pkcs8(key), spki(key))
    for other in set(CURVES) - {spec} | {"RSA_2048"}:
        assert "openssl pkcs8 -topk8 -nocrypt -outform DER" in refusal(other, pkcs8(key))


def test_an_rsa_key_is_taken_by_the_spec_of_its_modulus_and_by_no_other(rsa_key: rsa.RSAPrivateKey) -> None:
    kept = canonicalise(KeySpec.RSA_2048, Secret(pkcs8(rsa_key)))
    assert kept.public_key == spki(rsa_key)
    assert "of 3072 bits; this one has 2048" in refusal("RSA_3072", pkcs8(rsa_key))
    assert "of 2048 bits; this one has 2056" in refusal(
        "RSA_2048", pkcs8(rsa.generate_private_key(65537, 2056))
    )
    refusal("ECC_NIST_P256", pkcs8(rsa_key))


def test_the_same_private_key_in_another_encoding_is_kept_in_the_same_form(
    rsa_key: rsa.RSAPrivateKey,
) -> None:
    swapped = same_rsa_key_encoded_otherwise(rsa_key)
    assert is_valid(swapped)
    forms = {canonicalise(KeySpec.RSA_2048, Secret(one)).secret.reveal() for one in (pkcs8(rsa_key), swapped)}
    assert len(forms) == 1
    assert is_valid(forms.pop())

    curve_key = ec.generate_private_key(ec.SECP384R1())
    without = same_ec_key_without_public_key(curve_key)
    assert without != pkcs8(curve_key)
    assert canonicalise(KeySpec.ECC_NIST_P384, Secret(without)).secret.reveal() == pkcs8(curve_key)


def test_two_private_keys_are_never_the_same_material(rsa_key: rsa.RSAPrivateKey) -> None:
    materials = [
        canonicalise(KeySpec.RSA_2048, Secret(pkcs8(key)))
        for key in (rsa_key, rsa.generate_private_key(65537, 2048))
    ]
    materials += [
        canonicalise(KeySpec.ECC_NIST_P256, Secret(pkcs8(ec.derive_private_key(number, ec.SECP256R1()))))
        for number in (1, 2, 3)
    ]
    assert all(one.identity.reveal() != other.identity.reveal() for one, other in combinations(materials, 2))


@pytest.mark.parametrize("spec", ["RSA_2048", "ECC_NIST_P256"])
def test_private_keys_that_are_not_unencrypted_pkcs8_der_are_refused_with_what_makes_them_so(
    spec: str, rsa_key: rsa.RSAPrivateKey
) -> None:
    key = rsa_key if spec == "RSA_2048" else generate(spec)
    whole = pkcs8(key)
    others = ed25519.Ed25519PrivateKey.generate()
    for imported in (
        b"",
        b"no key",
        pem(key),
        whole.hex().encode(),
        traditional(key),
        encrypted(key),
        spki(key),
        whole + b"\0",
        whole[:-1],
        b"\x30\x80" + whole[whole.index(b"\x02\x01\x00") :] + b"\0\0",  # indefinite length: BER
        others.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),
    ):
        assert "unencrypted PKCS#8 in DER" in refusal(spec, imported)


def openssl(*arguments: str, given: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *arguments], input=given, capture_output=True, check=True).stdout


def as_pkcs8(key: bytes) -> bytes:
    return openssl("pkcs8", "-topk8", "-nocrypt", "-outform", "DER", given=key)


def test_a_curve_that_is_written_out_in_parameters_is_refused_although_it_is_the_right_one() -> None:
    curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    named = as_pkcs8(openssl("genpkey", *curve))
    check_form(KeySpec.ECC_NIST_P256, Secret(named))

    written_out = as_pkcs8(openssl("genpkey", *curve, "-pkeyopt", "ec_param_enc:explicit"))

    assert len(written_out) > 300
    assert "of the named curve NIST P-256" in refusal("ECC_NIST_P256", written_out)


def test_an_elliptic_curve_key_whose_parts_do_not_belong_together_is_refused() -> None:
    one, other = pkcs8(generate("ECC_NIST_P256")), pkcs8(generate("ECC_NIST_P256"))
    refusal("ECC_NIST_P256", one[:-65] + other[-65:])
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    algorithm = bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107")
    for number in (0, order, order + 1):
        scalar = tlv(0x30, integer(1), tlv(4, number.to_bytes(32, "big")))
        refusal("ECC_NIST_P256", tlv(0x30, integer(0), algorithm, tlv(4, scalar)))


def test_an_rsa_key_of_three_primes_or_for_pss_alone_is_refused(tmp_path: Path) -> None:
    for options in (("RSA", "-pkeyopt", "rsa_keygen_primes:3"), ("RSA-PSS",)):
        bits = ("-pkeyopt", "rsa_keygen_bits:2048")
        key = as_pkcs8(openssl("genpkey", "-algorithm", *options, *bits))
        assert "of 2048 bits with two primes" in refusal("RSA_2048", key)


def test_an_rsa_key_whose_numbers_do_not_belong_together_is_not_valid(rsa_key: rsa.RSAPrivateKey) -> None:
    numbers = rsa_key.private_numbers()
    assert is_valid(rsa_pkcs8(rsa_key))
    other = rsa.generate_private_key(65537, 2048).private_numbers()
    for spoiled in (
        rsa_pkcs8(rsa_key, d=numbers.d + 2),
        rsa_pkcs8(rsa_key, p=other.p),
        rsa_pkcs8(rsa_key, n=other.public_numbers.n),
        rsa_pkcs8(rsa_key, p=numbers.public_numbers.n, q=1),
        rsa_key_of_a_composite(),
        rsa_pkcs8(rsa_key, dp=numbers.dmp1 + 2),
        rsa_pkcs8(rsa_key, qi=numbers.iqmp + 1),
        rsa_pkcs8(rsa_key, e=numbers.public_numbers.e + 2),
        rsa_pkcs8(rsa_key, e=65536),
    ):
        assert not is_valid(spoiled)
    for no_rsa_key in (b"", b"no key", pkcs8(generate("ECC_NIST_P256")), encrypted(rsa_key), spki(rsa_key)):
        assert not is_valid(no_rsa_key)


def test_what_was_kept_and_cannot_be_read_is_an_internal_fault_that_shows_nothing() -> None:
    content = b"not a key but a secret"
    with pytest.raises(KMSInternalException) as private:
        load_kept_private_key(Secret(content))
    with pytest.raises(KMSInternalException):
        load_kept_public_key(content)
    ed = ed25519.Ed25519PrivateKey.generate()
    with pytest.raises(KMSInternalException):
        load_kept_private_key(Secret(ed.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())))
    assert not shows(shown_by(private.value), content)
