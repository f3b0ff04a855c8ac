"""Whether an endpoint is an emulator: asked of the endpoint itself, and only of this machine."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException

from digitrec.providers.addresses import in_the_clear, origin

CONTROL_PATH = "/_emulator"
"""Where an emulator says what it is; no vendor has such an address."""
MARK = "digitrec"
"""What it says there under "emulator"."""


def is_emulator(endpoint: str | None, *, timeout: float = 2.0) -> bool:
    """Whether the server behind ``endpoint`` is digitrec's emulator.

    It is asked once, directly (no proxy is used), at ``GET /_emulator``. Only an address of this
    machine is asked (localhost, 127.0.0.0/8, ::1): an emulator listens nowhere else, and a vendor is
    not to be bothered. No server, no answer in time, or any other answer means no.

    Args:
        endpoint: an address such as "http://127.0.0.1:8001"; None means no.
        timeout: seconds for the whole question, > 0.
    """
    url = endpoint if endpoint and "//" in endpoint else f"http://{endpoint or ''}"
    scheme, host, port = origin(url) or ("", "", 0)
    if scheme != "http" or in_the_clear(url):
        return False
    connection = HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", CONTROL_PATH)
        answer = json.loads(connection.getresponse().read(10_000))
    except (OSError, HTTPException, ValueError, RecursionError):
        return False
    finally:
        connection.close()
    return isinstance(answer, dict) and answer.get("emulator") == MARK
