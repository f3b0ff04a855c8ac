"""A server over TLS, with faults in the handshake and after the request."""

import datetime
import ipaddress
import os
import socket
import ssl
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal
from unittest.mock import patch

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from digitrec.emulator.server import Connection, Server
from digitrec.emulator.vendors.base import Request, Stranger

TRUST_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""Variables that name the certificates which OpenSSL and requests trust."""
ALERT = b"\x15\x03\x03\x00\x02\x02\x50"
"""A TLS record: the fatal alert "internal error"."""


class TlsServer(Server):
    """A server with one fault at an https address; its certificate is trusted within the ``with``.

    "cut": close each connection during the handshake. "alert": read the whole request, then send a fatal
    TLS alert. "answer": send the bytes of ``answer``.
    """

    def __init__(self, fault: Literal["cut", "alert", "answer"], answer: bytes = b"") -> None:
        """Make a certificate and bind a port."""
        super().__init__(Stranger())
        self._fault, self._said = fault, answer
        self._folder = tempfile.TemporaryDirectory(prefix="digitrec-")
        certificate = Path(self._folder.name) / "certificate.pem"
        certificate.write_bytes(_certificate())
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._trusted = patch.dict(os.environ, dict.fromkeys(TRUST_VARIABLES, str(certificate)))

    @property
    def endpoint(self) -> str:
        """The address, such as "https://127.0.0.1:8001"."""
        return super().endpoint.replace("http:", "https:")

    def start(self) -> None:
        """Begin to answer, and trust the certificate."""
        self._trusted.start()
        super().start()

    def stop(self) -> None:
        """Free the port, and stop trusting the certificate."""
        super().stop()
        self._trusted.stop()
        self._folder.cleanup()

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Shake hands, then answer requests."""
        if self._fault == "cut":
            request.recv(1 << 16)
        else:
            with self._context.wrap_socket(request, server_side=True) as encrypted:
                super().finish_request(encrypted, client_address)

    def answer(self, request: Request, connection: Connection) -> Iterable[bytes]:
        """Return the bytes to send; an alert goes around the encryption."""
        connection.close_connection = True
        with self._lock:
            self._counts.calls += 1
        if self._fault == "answer":
            return [self._said]
        with socket.socket(fileno=os.dup(connection.connection.fileno())) as plain:
            plain.sendall(ALERT)
        return []


def _certificate() -> bytes:
    """Return a self-signed certificate for 127.0.0.1 with its key, as PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return made.public_bytes(pem) + key.private_bytes(pem, form, serialization.NoEncryption())
