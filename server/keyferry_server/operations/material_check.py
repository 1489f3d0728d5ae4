"""What unwrapped key material must be for its key, and the one form in which it is kept."""

from dataclasses import dataclass
from typing import Protocol

from keyferry_server.crypto.key_material import Material, canonicalise, check_form
from keyferry_server.crypto.secret import Secret
from keyferry_server.domain.errors import IncorrectKeyMaterialException
from keyferry_server.domain.key import KeySpec
from keyferry_server.domain.key_specs import is_rsa


class RsaKeyCheck(Protocol):
    """Looks at the parts of RSA private keys, off the event loop; it takes 0.1 to 0.3 s."""

    async def is_valid(self, private_key: Secret) -> bool:
        """Tell whether a private key, PKCS#8 DER, has primes for factors and parts that belong together.

        KMSInternalException if it could not be checked; that may be retried.
        """
        ...


@dataclass(frozen=True, slots=True)
class MaterialCheck:
    """Checks imported key material and brings it into its one form."""

    rsa_keys: RsaKeyCheck

    async def check_and_canonicalise(self, key_spec: KeySpec, imported: Secret) -> Material:
        """Return the material to keep; IncorrectKeyMaterialException, saying what would be right, if it is wrong."""
        check_form(key_spec, imported)
        if is_rsa(key_spec) and not await self.rsa_keys.is_valid(imported):
            raise IncorrectKeyMaterialException(
                "The key material is not a valid RSA private key: its numbers do not belong together, or its factors "
                "are not primes."
            )
        return canonicalise(key_spec, imported)
