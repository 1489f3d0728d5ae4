"""TLS on the HTTP wire, from the same files as gRPC's, which are read again as they change."""

import ssl

import structlog

from keyferry_server.transport.grpc_tls import TlsFiles

_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class HttpTls:
    """Makes the context of an HTTP server and keeps it up to date. Clients are not asked for certificates: they sign."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files; OSError if they cannot be used."""
        self._files = files
        self._seen = files.signature()
        self._current = self._load()

    def context(self) -> ssl.SSLContext:
        """Return the context that a server listens with; each handshake looks whether the files have changed."""
        context = self._load()
        context.sni_callback = self._follow
        return context

    def _follow(
        self, connection: ssl.SSLObject | ssl.SSLSocket, _name: str, _context: ssl.SSLContext
    ) -> None:
        try:
            signature = self._files.signature()
            if signature != self._seen:
                self._seen = signature
                self._current = self._load()
                _log.info("the TLS files were read again")
        except OSError as error:
            _log.error("the changed TLS files are not used; those before go on", reason=str(error))
        connection.context = self._current

    def _load(self) -> ssl.SSLContext:
        self._files.check()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self._files.certificate, self._files.key)
        return context
