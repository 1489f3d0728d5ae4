"""RSA private keys.

One form for one key: the larger prime first, the private exponent the smallest
(modulo the least common multiple of the primes less one), the rest as it follows.
So the same key has the same bytes, however it was encoded when it was imported.
"""

from cryptography.hazmat.primitives.asymmetric import rsa

from keyferry_server.crypto.key_material.material import Material
from keyferry_server.crypto.key_material.pkcs8 import read_imported, to_material
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import IncorrectKeyMaterialException

_PUBLIC_EXPONENT = 65537
# Smaller ones have weaknesses of their own; larger ones not every library can use.
_LEAST_PUBLIC_EXPONENT_BITS, _MOST_PUBLIC_EXPONENT_BITS = 17, 64
# AlgorithmIdentifier: rsaEncryption, NULL.
_ALGORITHM = bytes.fromhex("300d06092a864886f70d0101010500")


def generate(modulus_bits: int) -> Material:
    """Generate a key pair."""
    return to_material(rsa.generate_private_key(_PUBLIC_EXPONENT, modulus_bits))


def check_form(modulus_bits: int, imported: Secret) -> None:
    """Check encoding, kind and modulus; what the parts are worth is for ``rsa_key_check``."""
    _read(modulus_bits, imported)


def canonicalise(modulus_bits: int, imported: Secret) -> Material:
    """Encode a valid private key anew, in its one form."""
    numbers = _read(modulus_bits, imported).private_numbers()
    e = numbers.public_numbers.e
    p, q = max(numbers.p, numbers.q), min(numbers.p, numbers.q)
    d = rsa.rsa_recover_private_exponent(e, p, q)
    again = rsa.RSAPrivateNumbers(
        p=p,
        q=q,
        d=d,
        dmp1=rsa.rsa_crt_dmp1(d, p),
        dmq1=rsa.rsa_crt_dmq1(d, q),
        iqmp=rsa.rsa_crt_iqmp(p, q),
        public_numbers=numbers.public_numbers,
    )
    # The parts follow from those of a key that was validated.
    return to_material(again.private_key(unsafe_skip_rsa_key_validation=True))


def _read(modulus_bits: int, imported: Secret) -> rsa.RSAPrivateKey:
    private_key = read_imported(imported, _ALGORITHM)
    if not isinstance(private_key, rsa.RSAPrivateKey):
        raise IncorrectKeyMaterialException(
            f"The key material must be an RSA private key of {modulus_bits} bits with two primes, as unencrypted "
            "PKCS#8 in DER: openssl pkcs8 -topk8 -nocrypt -outform DER makes it so."
        )
    if private_key.key_size != modulus_bits:
        raise IncorrectKeyMaterialException(
            f"The key material must be an RSA private key of {modulus_bits} bits; this one has {private_key.key_size}."
        )
    numbers = private_key.private_numbers()
    e = numbers.public_numbers.e
    if e % 2 == 0 or not _LEAST_PUBLIC_EXPONENT_BITS <= e.bit_length() <= _MOST_PUBLIC_EXPONENT_BITS:
        raise IncorrectKeyMaterialException(
            "The public exponent of the RSA private key must be an odd number above 65536, of 64 bits at most; 65537 is "
            "what nearly all keys have."
        )
    if {numbers.p.bit_length(), numbers.q.bit_length()} != {modulus_bits // 2}:
        raise IncorrectKeyMaterialException(
            f"The two primes of the RSA private key must have {modulus_bits // 2} bits each."
        )
    return private_key
