import base64

import pytest
from private_keys import encrypted, generate, pem, pkcs8, spki, traditional

from keyferry_client import InputError, KeyferryError, KeyMaterialError, wipe
from keyferry_client.key_material import check_key_material

KEY = bytes(range(200, 232))


@pytest.mark.parametrize("material", [KEY, bytearray(KEY), bytes(32), b"0123456789abcdef0123456789abcdef"])
def test_32_bytes_are_key_material_whatever_they_are(material: bytes | bytearray) -> None:
    check_key_material(material)


@pytest.mark.parametrize(
    ("material", "slip"),
    [
        (b"", "empty"),
        (KEY.hex().encode(), "64 hexadecimal digits"),
        (KEY.hex().upper().encode() + b"\n", "64 hexadecimal digits"),
        (b"0x" + KEY.hex().encode(), "64 hexadecimal digits"),
        (base64.b64encode(KEY), "base64"),
        (base64.b64encode(KEY) + b"\r\n", "base64"),
        (base64.urlsafe_b64encode(KEY).rstrip(b"="), "base64"),
        (KEY + b"\n", "trailing newline"),
        (KEY + b"\r\n", "trailing newline"),
        (b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n", "PEM"),
        (KEY * 8, "256 is the number of bits"),
        (KEY[:16], "128 bits instead of 256"),
        (KEY[:24], "192 bits instead of 256"),
        (KEY[:31], "This is 31 bytes"),
        (KEY + b"x", "This is 33 bytes"),
    ],
)
@pytest.mark.parametrize("kind", [bytes, bytearray])
def test_a_usual_slip_is_named(material: bytes, slip: str, kind: type[bytes] | type[bytearray]) -> None:
    with pytest.raises(KeyMaterialError, match=slip) as caught:
        check_key_material(kind(material))
    assert "exactly 32 raw bytes" in str(caught.value)


@pytest.mark.parametrize(
    "material", [KEY.hex().encode(), base64.b64encode(KEY), KEY + b"\n", KEY * 8, b"my secret password"]
)
def test_an_error_never_shows_the_material(material: bytes) -> None:
    with pytest.raises(KeyMaterialError) as caught:
        check_key_material(material)
    shown = f"{caught.value!r} {caught.value} {vars(caught.value)}"
    for part in (material[:8], KEY[:8]):
        assert part.decode("latin-1") not in shown
        assert part.hex() not in shown
        assert repr(part)[2:-1] not in shown


def test_wrong_material_is_a_value_error_of_this_package() -> None:
    assert issubclass(KeyMaterialError, ValueError)
    assert issubclass(KeyMaterialError, KeyferryError)


@pytest.mark.parametrize(
    ("spec", "fewest"), [("HMAC_224", 28), ("HMAC_256", 32), ("HMAC_384", 48), ("HMAC_512", 64)]
)
def test_hmac_key_material_has_at_least_the_bits_of_its_spec_and_at_most_1024(spec: str, fewest: int) -> None:
    for length in (fewest, fewest + 1, 128):
        check_key_material(bytes(length), spec)
    for length in (0, fewest - 1, 129):
        with pytest.raises(KeyMaterialError, match=f"{spec} is {fewest} to 128 raw bytes"):
            check_key_material(bytes(length), spec)


def test_an_hmac_key_that_looks_like_text_may_be_meant_so() -> None:
    check_key_material(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "HMAC_256")


def test_the_slips_with_hmac_keys_are_named_too() -> None:
    for material, slip in (
        (KEY[:28].hex().encode() * 3, "168 hexadecimal digits"),
        (KEY * 8, "256 is the number of bits"),
    ):
        with pytest.raises(KeyMaterialError, match=slip):
            check_key_material(material, "HMAC_256")


@pytest.mark.parametrize(
    "spec", ["RSA_2048", "ECC_NIST_P256", "ECC_NIST_P384", "ECC_NIST_P521", "ECC_SECG_P256K1"]
)
def test_a_private_key_in_pkcs8_der_is_taken_and_its_other_forms_are_named(spec: str) -> None:
    key = generate(spec)
    check_key_material(pkcs8(key), spec)
    check_key_material(bytearray(pkcs8(key)), f"KEY_SPEC_{spec}")
    other = (
        "RSA_3072"
        if spec.startswith("RSA")
        else "ECC_NIST_P256"
        if spec != "ECC_NIST_P256"
        else "ECC_NIST_P384"
    )
    slips = [
        (pem(key), spec, "PEM, a text form"),
        (base64.b64encode(pkcs8(key)), spec, "base64"),
        (base64.encodebytes(pkcs8(key)), spec, "base64"),
        (traditional(key), spec, "PKCS#1 or SEC 1"),
        (encrypted(key), spec, "encrypted by a password"),
        (pkcs8(key)[:-10], spec, "cannot be read"),
        (spki(key), spec, "cannot be read|encrypted"),
        (b"", spec, "empty"),
        (pkcs8(key), other, "not of"),
    ]
    for material, named, slip in slips:
        with pytest.raises(KeyMaterialError, match=slip) as caught:
            check_key_material(material, named)
        assert "PKCS#8, DER, not encrypted" in str(caught.value)
        assert caught.value.__cause__ is None


def test_an_unknown_key_spec_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match="no key spec 'AES_256'; it is one of SYMMETRIC_DEFAULT, HMAC_224"):
        check_key_material(KEY, "AES_256")


def test_wiping_leaves_zeros_and_the_length() -> None:
    material = bytearray(KEY)
    wipe(material)
    assert material == bytes(32)
