"""Key material in the one form in which it is sealed."""

from dataclasses import dataclass, field

from keyferry_server.crypto.secret import Secret


@dataclass(frozen=True, slots=True)
class Material:
    """Raw bytes, or a private key as PKCS#8 DER with its public key as SubjectPublicKeyInfo DER."""

    secret: Secret
    public_key: bytes | None = field(default=None, repr=False)

    @property
    def identity(self) -> Secret:
        """What the material is named after (``key_material_id``): a private key after its public key."""
        return self.secret if self.public_key is None else Secret(self.public_key)
