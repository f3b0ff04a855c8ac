"""Find out whether an endpoint on this machine is an emulator, by asking the endpoint itself."""

import json
from http.client import HTTPConnection, HTTPException

from digitrec.providers.addresses import is_loopback, origin

CONTROL_PATH = "/_emulator"
"""The path at which an emulator identifies itself; no vendor uses it."""
MARK = "digitrec"
"""The value of "emulator" in its answer."""


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
    connection = HTTPConnection(host, port, timeout=timeout)
    try:
        connection.request("GET", CONTROL_PATH)
        answer = json.loads(connection.getresponse().read(10_000))
    except (OSError, HTTPException, ValueError, RecursionError):
        return False
    finally:
        connection.close()
    return isinstance(answer, dict) and answer.get("emulator") == MARK
