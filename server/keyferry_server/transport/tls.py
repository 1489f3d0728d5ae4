"""TLS for the HTTP listeners."""

import ssl
from pathlib import Path


def load_tls(cert_file: Path, key_file: Path) -> ssl.SSLContext:
    """Return what serves TLS 1.2 and newer with a certificate (and its chain) and its key; OSError if they do not do."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert_file, key_file)
    except ssl.SSLError as error:
        # It is an OSError too, with a text for those who wrote OpenSSL.
        raise OSError(
            f"the certificate {cert_file} and the key {key_file} cannot be used: "
            f"{error.reason or 'they are not PEM, or do not belong together'}"
        ) from error
    return context
