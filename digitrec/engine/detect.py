"""Find out whether an endpoint on this machine is an emulator, by asking the endpoint itself."""

import json
import socket
import time

from digitrec.providers.addresses import is_loopback, origin

CONTROL_PATH = "/_emulator"
"""The path at which an emulator identifies itself; no vendor uses it."""
MARK = "digitrec"
"""The value of "emulator" in its answer."""
MOST_BYTES = 10_000
"""Maximum size of its answer."""


def is_emulator(endpoint: str | None, *, timeout: float = 2.0) -> bool:
    """Return whether the server behind ``endpoint`` is digitrec's emulator.

    Send one request, ``GET /_emulator``, without a proxy, and only to this machine (localhost, 127.0.0.0/8,
    ::1): emulators listen nowhere else, and vendors must not be bothered. Return False if there is no server,
    no answer in time, or another answer.

    Args:
        endpoint: an address such as "http://127.0.0.1:8001"; None gives False.
        timeout: seconds for the whole request, > 0.
    """
    url = endpoint if endpoint and "//" in endpoint else f"http://{endpoint or ''}"
    scheme, host, port = origin(url)
    if scheme != "http" or not is_loopback(host):
        return False
    end, said = time.monotonic() + timeout, b""
    try:
        with socket.create_connection((host, port), timeout) as connection:
            connection.sendall(f"GET {CONTROL_PATH} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            while len(said) < MOST_BYTES and (part := connection.recv(MOST_BYTES)):
                said += part
                connection.settimeout(max(0.001, end - time.monotonic()))
        answer = json.loads(said.partition(b"\r\n\r\n")[2])
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(answer, dict) and answer.get("emulator") == MARK
