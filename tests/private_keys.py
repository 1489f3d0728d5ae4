"""Private keys as callers have them: PKCS#8, and everything that is not quite that."""

from math import gcd, lcm

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

CURVES: dict[str, ec.EllipticCurve] = {
    "ECC_NIST_P256": ec.SECP256R1(),
    "ECC_NIST_P384": ec.SECP384R1(),
    "ECC_NIST_P521": ec.SECP521R1(),
    "ECC_SECG_P256K1": ec.SECP256K1(),
}


def generate(spec: str) -> PrivateKey:
    """Generate a key pair of an asymmetric key spec."""
    if spec in CURVES:
        return ec.generate_private_key(CURVES[spec])
    return rsa.generate_private_key(65537, int(spec.removeprefix("RSA_")))


def pkcs8(key: PrivateKey, encryption: KeySerializationEncryption | None = None) -> bytes:
    """Return a private key as PKCS#8 DER."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, encryption or NoEncryption())


def traditional(key: PrivateKey) -> bytes:
    """Return a private key as PKCS#1 or SEC 1 DER."""
    return key.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def pem(key: PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def encrypted(key: PrivateKey) -> bytes:
    return pkcs8(key, BestAvailableEncryption(b"passphrase"))


def spki(key: PrivateKey) -> bytes:
    """Return the public key as SubjectPublicKeyInfo DER."""
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def tlv(tag: int, *contents: bytes) -> bytes:
    """Encode one value in DER."""
    content = b"".join(contents)
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 + len(octets)]) + octets + content


def integer(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")


def rsa_pkcs8(key: rsa.RSAPrivateKey, **changed: int) -> bytes:
    """Encode an RSA private key by hand, some of its numbers `changed`: n, e, d, p, q, dp, dq, qi or version."""
    numbers = key.private_numbers()
    values = {
        "version": 0,
        "n": numbers.public_numbers.n,
        "e": numbers.public_numbers.e,
        "d": numbers.d,
        "p": numbers.p,
        "q": numbers.q,
        "dp": numbers.dmp1,
        "dq": numbers.dmq1,
        "qi": numbers.iqmp,
    } | changed
    private_key = tlv(0x30, *(integer(value) for value in values.values()))
    return tlv(0x30, integer(0), RSA_ENCRYPTION, tlv(4, private_key))


def rsa_key_of_a_composite() -> bytes:
    """Encode what would be an RSA key of 2048 bits with everything that follows, if one of its factors were a prime."""
    e = 65537
    while True:
        halves = rsa.generate_private_key(e, 1024).private_numbers()  # noqa: S505 -- for its short primes
        key = rsa.generate_private_key(e, 2048)
        p, q = key.private_numbers().p, halves.p * halves.q
        if (p * q).bit_length() == 2048 and gcd(e, q - 1) == 1:
            d = pow(e, -1, lcm(p - 1, q - 1))
            return rsa_pkcs8(key, n=p * q, d=d, p=p, q=q, dp=d % (p - 1), dq=d % (q - 1), qi=pow(q, -1, p))


def rsa_key_with_exponent(key: rsa.RSAPrivateKey, e: int) -> bytes:
    """Encode the RSA key of the same primes with another public exponent, and the private one that belongs to it."""
    numbers = key.private_numbers()
    d = pow(e, -1, lcm(numbers.p - 1, numbers.q - 1)) if e % 2 else 3
    return rsa_pkcs8(key, e=e, d=d, dp=d % (numbers.p - 1), dq=d % (numbers.q - 1))


def same_rsa_key_encoded_otherwise(key: rsa.RSAPrivateKey) -> bytes:
    """Encode the same RSA key with its primes swapped and a longer private exponent."""
    numbers = key.private_numbers()
    p, q, e = numbers.q, numbers.p, numbers.public_numbers.e
    d = pow(e, -1, (p - 1) * (q - 1))
    return rsa_pkcs8(key, d=d, p=p, q=q, dp=d % (p - 1), dq=d % (q - 1), qi=pow(q, -1, p))


def same_ec_key_without_public_key(key: ec.EllipticCurvePrivateKey) -> bytes:
    """Encode the same elliptic curve key without the public key in it."""
    whole = pkcs8(key)
    size = (key.key_size + 7) // 8
    algorithm = whole[whole.index(b"\x30", 2) :][: whole[whole.index(b"\x30", 2) + 1] + 2]
    scalar = key.private_numbers().private_value.to_bytes(size, "big")
    made = tlv(0x30, integer(0), algorithm, tlv(4, tlv(0x30, integer(1), tlv(4, scalar))))
    loaded = load_der_private_key(made, None)
    assert isinstance(loaded, ec.EllipticCurvePrivateKey)
    assert spki(loaded) == spki(key)
    return made
