import base64

import pytest

from keyferry_client import KeyferryError, KeyMaterialError
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
