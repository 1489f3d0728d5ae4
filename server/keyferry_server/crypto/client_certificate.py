"""Reads what a client certificate says, once it has passed the TLS handshake."""

from functools import lru_cache

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from keyferry_server.authn.evidence import CallerRefusedError, ClientCertificate

_SPIFFE = "spiffe://"


@lru_cache(maxsize=1024)
def read_client_certificate(pem: bytes) -> ClientCertificate:
    """Read a certificate; CallerRefusedError for one that is not as RFC 5280 wants it."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        uris = _uris(certificate)
        subject = certificate.subject.rfc4514_string()
        valid_to = certificate.not_valid_after_utc
    except Exception as error:  # noqa: BLE001 -- what the handshake takes need not be readable, and anybody's CA may have made it
        raise CallerRefusedError(f"the client certificate cannot be read: {type(error).__name__}") from None
    spiffe_ids = [uri for uri in uris if uri.startswith(_SPIFFE)]
    # A SPIFFE certificate has exactly one URI (X.509-SVID, 2); with more it is not clear who it is.
    if spiffe_ids and len(uris) > 1:
        raise CallerRefusedError("the client certificate has a SPIFFE ID and another URI")
    return ClientCertificate(spiffe_ids[0] if spiffe_ids else None, subject, valid_to)


def _uris(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return []
    assert isinstance(names, x509.SubjectAlternativeName)  # noqa: S101 -- that is what the OID says
    return names.get_values_for_type(x509.UniformResourceIdentifier)
