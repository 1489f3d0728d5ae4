"""Private keys of elliptic curves: named ones, because parameters of the sender's own choice may be weak."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import ec

from keyferry_server.crypto.key_material.material import Material
from keyferry_server.crypto.key_material.pkcs8 import read_imported, to_material
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import IncorrectKeyMaterialException


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve and its AlgorithmIdentifier: id-ecPublicKey and the curve's name."""

    name: str
    curve: ec.EllipticCurve
    algorithm: bytes


P256 = Curve("NIST P-256", ec.SECP256R1(), bytes.fromhex("301306072a8648ce3d020106082a8648ce3d030107"))
P384 = Curve("NIST P-384", ec.SECP384R1(), bytes.fromhex("301006072a8648ce3d020106052b81040022"))
P521 = Curve("NIST P-521", ec.SECP521R1(), bytes.fromhex("301006072a8648ce3d020106052b81040023"))
P256K1 = Curve("secp256k1", ec.SECP256K1(), bytes.fromhex("301006072a8648ce3d020106052b8104000a"))


def generate(curve: Curve) -> Material:
    """Generate a key pair."""
    return to_material(ec.generate_private_key(curve.curve))


def check_form(curve: Curve, imported: Secret) -> None:
    """Check encoding, curve and the key itself."""
    _read(curve, imported)


def canonicalise(curve: Curve, imported: Secret) -> Material:
    """Encode a private key anew, with its public key derived from it."""
    number = _read(curve, imported).private_numbers().private_value
    return to_material(ec.derive_private_key(number, curve.curve))


def _read(curve: Curve, imported: Secret) -> ec.EllipticCurvePrivateKey:
    private_key = read_imported(imported, curve.algorithm)
    # With the right algorithm identifier the key itself could still name another curve.
    if not isinstance(private_key, ec.EllipticCurvePrivateKey) or private_key.curve.name != curve.curve.name:
        raise IncorrectKeyMaterialException(
            f"The key material must be a private key of the named curve {curve.name}, as unencrypted PKCS#8 in DER: "
            "openssl pkcs8 -topk8 -nocrypt -outform DER makes it so."
        )
    return private_key
