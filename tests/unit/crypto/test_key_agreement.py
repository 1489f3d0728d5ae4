"""Diffie-Hellman on the curve of the key, and on no other."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from private_keys import CURVES, generate, pkcs8, spki, tlv
from unit.crypto.leaks import shown_by, shows

from keyferry_server.crypto.key_agreement import derive_shared_secret, read_peer
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import KMSInternalException, ValidationException

COORDINATE_BYTES = {"ECC_NIST_P256": 32, "ECC_NIST_P384": 48, "ECC_NIST_P521": 66}


@pytest.mark.parametrize(("spec", "length"), COORDINATE_BYTES.items())
def test_both_sides_derive_the_same_secret_as_long_as_a_coordinate(spec: str, length: int) -> None:
    ours, theirs = generate(spec), generate(spec)
    assert isinstance(theirs, ec.EllipticCurvePrivateKey)
    derived = derive_shared_secret(read_peer(spki(theirs), spki(ours)), Secret(pkcs8(ours)))

    public_key = ours.public_key()
    assert isinstance(public_key, ec.EllipticCurvePublicKey)
    assert derived.reveal() == theirs.exchange(ec.ECDH(), public_key)
    assert len(derived) == length


def test_a_peer_of_another_curve_or_of_none_is_refused() -> None:
    ours = generate("ECC_NIST_P256")
    peer = spki(generate("ECC_NIST_P256"))
    point = peer[-65:]
    algorithm = peer[2:23]
    other = x25519.X25519PrivateKey.generate().public_key()
    not_on_the_curve = point[:-1] + bytes([point[-1] ^ 1])
    for wrong in (
        b"InvalidPublicKey",
        peer[:-1],
        peer + b"\0",
        point,
        spki(generate("RSA_2048")),
        other.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        *(spki(generate(spec)) for spec in CURVES if spec != "ECC_NIST_P256"),
        tlv(0x30, algorithm, tlv(3, b"\0" + not_on_the_curve)),
        tlv(0x30, algorithm, tlv(3, b"\0\0")),  # the point at infinity
    ):
        with pytest.raises(ValidationException, match="of a point on the curve secp256r1"):
            read_peer(wrong, spki(ours))
    assert tlv(0x30, algorithm, tlv(3, b"\0" + point)) == peer


def test_a_kept_key_that_is_not_one_of_a_curve_is_an_internal_fault() -> None:
    rsa_key, ours = generate("RSA_2048"), generate("ECC_NIST_P256")
    with pytest.raises(KMSInternalException):
        read_peer(spki(ours), spki(rsa_key))
    with pytest.raises(KMSInternalException) as caught:
        derive_shared_secret(read_peer(spki(ours), spki(ours)), Secret(pkcs8(rsa_key)))
    assert not shows(shown_by(caught.value), pkcs8(rsa_key)[-40:])
