"""TLS on the gRPC wire, from files that are read again as they change.

Every handshake looks whether a file has changed since the last one. New connections
get the new certificate, and are held to the new authorities; those that are open go on
(`LONGEST_CONNECTION_SECONDS` says for how long, where client certificates are asked for).
Files that do not belong together, as while they are being replaced, change nothing.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path

import grpc
import structlog

LONGEST_CONNECTION_SECONDS = 3600

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """PEM files: the server's certificate with its chain, its key, and the authorities of client certificates.

    With authorities every client must show a certificate of one of them. gRPC's Python
    server cannot ask for one and go on without it.
    """

    certificate: Path
    key: Path
    client_authorities: Path | None = None

    def check(self) -> None:
        """Raise OSError, with what to correct, if they cannot be used."""
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.key)
        except ssl.SSLError as error:
            raise OSError(
                f"the certificate {self.certificate} and the key {self.key} cannot be used: "
                f"{error.reason or 'they are not PEM, or do not belong together'}"
            ) from None
        except OSError as error:
            raise OSError(
                f"the certificate {self.certificate} or the key {self.key} cannot be read: {error.strerror}"
            ) from None
        if self.client_authorities is None:
            return
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_verify_locations(self.client_authorities)
        except ssl.SSLError:
            raise OSError(f"{self.client_authorities} holds no certificate of an authority in PEM") from None
        except OSError as error:
            raise OSError(f"{self.client_authorities} cannot be read: {error.strerror}") from None

    def signature(self) -> tuple[tuple[int, int, int], ...]:
        """Return what is another as soon as a file is; OSError if one is gone."""
        stats = [
            file.stat() for file in (self.certificate, self.key, self.client_authorities) if file is not None
        ]
        return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)


class GrpcTls:
    """Makes the credentials of a gRPC server and keeps them up to date."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files; OSError if they cannot be used."""
        self._files = files
        self._seen = files.signature()
        self._configuration = self._load()

    @property
    def asks_for_certificates(self) -> bool:
        """Tell whether every client must show a certificate."""
        return self._files.client_authorities is not None

    def credentials(self) -> grpc.ServerCredentials:
        """Return credentials whose certificates follow the files."""
        return grpc.dynamic_ssl_server_credentials(
            self._configuration,
            self._follow,  # type: ignore[arg-type]  # gRPC takes None for "as before"; its stubs do not say so
            require_client_authentication=self.asks_for_certificates,
        )

    def _follow(self) -> grpc.ServerCertificateConfiguration | None:
        """Return the configuration if it has changed; gRPC calls this in a thread of its own before each handshake."""
        try:
            signature = self._files.signature()
            if signature == self._seen:
                return None
            self._seen = signature
            configuration = self._load()
        except OSError as error:
            _log.error("the changed TLS files are not used; those before go on", reason=str(error))
            return None
        _log.info("the TLS files were read again")
        return configuration

    def _load(self) -> grpc.ServerCertificateConfiguration:
        self._files.check()
        authorities = self._files.client_authorities
        return grpc.ssl_server_certificate_configuration(
            [(self._files.key.read_bytes(), self._files.certificate.read_bytes())],
            root_certificates=None if authorities is None else authorities.read_bytes(),
        )
