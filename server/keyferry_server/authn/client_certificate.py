"""Authentication by a client certificate (mTLS)."""

from collections.abc import Callable
from dataclasses import dataclass

from keyferry_server.authn.caller import Principal
from keyferry_server.authn.evidence import CallerRefusedError, ClientCertificate, Evidence
from keyferry_server.authn.principal_map import PrincipalMap
from keyferry_server.domain.clock import Clock


@dataclass(frozen=True, slots=True)
class CertificateAuthenticator:
    """Takes a certificate that the handshake has verified for the principal that it stands for.

    `read` raises CallerRefusedError for one that it cannot read.
    """

    read: Callable[[bytes], ClientCertificate]
    principals: PrincipalMap
    clock: Clock

    async def __call__(self, evidence: Evidence) -> Principal | None:
        """Return the principal of the caller's certificate."""
        if evidence.certificate is None:
            return None
        certificate = self.read(evidence.certificate)
        # The handshake looked too, but a connection may outlive its certificate.
        if self.clock.now() > certificate.valid_to:
            raise CallerRefusedError("the client certificate has expired", is_expired=True)
        principal = self.principals.of_certificate(certificate.spiffe_id, certificate.subject)
        if principal is None:
            name = certificate.spiffe_id or certificate.subject
            raise CallerRefusedError(f"the client certificate of {name!r} stands for no principal")
        return principal
