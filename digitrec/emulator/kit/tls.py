"""A TLS server on this machine that fails in the handshake, or after it has the whole request."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import os
import re
import socket
import ssl
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal
from unittest import SkipTest

TRUST_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
"""Variables by which OpenSSL and requests are told whom to trust."""
HANDSHAKE = b"\x16"
"""The first byte of a TLS connection."""


class TlsServer:
    """One fault at an https address, for as long as a ``with`` lasts; its certificate is trusted within.

    "cut": it closes each connection during the handshake. "alert": it takes the whole request, and answers
    with a fatal TLS alert. "answer": it answers with ``answer``.
    """

    def __init__(self, fault: Literal["cut", "alert", "answer"], answer: bytes = b"") -> None:
        """Make a certificate and bind a port."""
        self.complete = 0
        """How many requests arrived whole."""
        self.asked_plainly = False
        """Whether a client spoke without TLS."""
        self._fault, self._answer = fault, answer
        self._folder = tempfile.TemporaryDirectory(prefix="digitrec-")
        self.certificate = Path(self._folder.name) / "certificate.pem"
        """The file of its certificate and its key."""
        self.certificate.write_bytes(_certificate())
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(self.certificate)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"https://127.0.0.1:{self._socket.getsockname()[1]}"
        self._before: dict[str, str | None] = {}

    def __enter__(self) -> TlsServer:
        self._before = {name: os.environ.get(name) for name in TRUST_VARIABLES}
        os.environ.update(dict.fromkeys(TRUST_VARIABLES, str(self.certificate)))
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self._socket.close()
        self._folder.cleanup()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(10)
            first = connection.recv(1, socket.MSG_PEEK)
            if first and first != HANDSHAKE:
                self.asked_plainly = True
                return
            if self._fault == "cut":
                connection.recv(65_536)
                return
            for data in self._requests(connection):
                self.complete += 1
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):  # or a reset could overtake what was sent
                    pass

    def _requests(self, connection: socket.socket) -> Iterator[bytes]:
        """Read one whole request by TLS; yield the bytes to send back."""
        came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls, request = self._context.wrap_bio(came, goes, server_side=True), b""
        is_agreed = False
        while not is_agreed or not _is_whole(request):
            try:
                if is_agreed:
                    request += tls.read(65_536)
                else:
                    tls.do_handshake()
                    is_agreed = True
            except ssl.SSLWantReadError:
                connection.sendall(goes.read())
                if not (data := connection.recv(65_536)):
                    return
                came.write(data)
        if self._fault == "answer":
            tls.write(self._answer)
        else:
            came.write(b"\x17\x03\x03\x00\x20" + bytes(32))  # a record that cannot be decrypted
            with contextlib.suppress(ssl.SSLError):
                tls.read(1)
        yield goes.read()


def _is_whole(request: bytes) -> bool:
    head, separator, body = request.partition(b"\r\n\r\n")
    if not separator:
        return False
    lengths = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return len(body) >= int(lengths[1]) if lengths else body.endswith(b"0\r\n\r\n")


def _certificate() -> bytes:
    """Make a certificate for 127.0.0.1 that signs itself, with its key."""
    try:
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
    except ImportError as error:
        raise SkipTest("a certificate is made with the package cryptography") from error
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return made.public_bytes(pem) + key.private_bytes(pem, form, plain)
