"""Send requests with two adapters of `requests`.

`Questions` sends pictures with keys; `Errands` fetches credentials for the vendors' libraries. Neither
follows redirects or reads without limit. All secrets in an errand's request and reply are redacted from then
on.
"""

import http.client
import io
import os
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3 import HTTPResponse

from digitrec.errors import BadAnswer, NotConfigured, TimedOut, Unavailable, Unreachable
from digitrec.providers.addresses import (
    in_the_clear,
    is_loopback,
    is_metadata_server,
    origin,
    proxy_variable,
)
from digitrec.providers.masking import secrets_in
from digitrec.providers.translate import Problem
from digitrec.providers.wire import EXCHANGE, MOST_BYTES, Exchange, GivenUp, Reply

CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables with a file or folder of certificates; requests itself reads the first two."""
CHUNK = 65_536
SPARE_S = 0.25
"""Seconds after the deadline for reading the part of a reply that has already arrived."""
NOT_AN_ADDRESS = {
    "LocationParseError", "LocationValueError", "InvalidURL", "InvalidProxyURL", "InvalidSchema",
    "UnicodeEncodeError",
}  # fmt: skip
"""Names of exceptions for an invalid address; for a SOCKS proxy, PySocks may be missing."""
SLOW = {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}
"""Names of exceptions for a vendor that does not answer in time."""


class Questions(HTTPAdapter):
    """Sends the requests that the vendor charges for; threads may share it."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Send the one request of the current exchange, which records the reply or the problem.

        Raises:
            GivenUp: always, so that an SDK does not see the reply.
        """
        exchange = EXCHANGE.get()
        if exchange.outcome is not None:  # an SDK that repeats a request gets the same outcome
            raise GivenUp
        raise exchange.end(self._fetched(request, exchange))

    def _fetched(self, request: requests.PreparedRequest, exchange: Exchange) -> Reply | Problem:
        _learn(exchange, request)
        url = str(request.url)
        around = _environment(url, exchange.wire.bundle)
        raw = None
        try:
            timeout = (exchange.left_s, exchange.left_s + exchange.attempt.late_s)
            raw = super().send(request, stream=True, timeout=timeout, **around).raw
            headers = {name.lower(): str(value) for name, value in raw.headers.items()}
            redirected = 300 <= raw.status < 400
            body = b"" if redirected else _body(raw, exchange.deadline + exchange.attempt.late_s)
            return Reply(raw.status, headers, body)
        except GivenUp:
            raise
        except Exception as error:
            if raw is not None and raw.status >= 400:  # the status counts even if its body is cut off
                return Reply(raw.status, headers, b"")
            return _problem(error, exchange, url, around["verify"], answered=raw is not None)
        finally:
            if raw is not None:
                raw.close()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """Return the connection pool for a request; its connections record when the request is sent."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        plain = pool.ConnectionCls  # read once, because another thread may replace it
        if not issubclass(plain, _Recording):
            pool.ConnectionCls = type("Recording", (_Recording, plain), {})
        return pool


class Errands(HTTPAdapter):
    """Sends the requests of a vendor's library that fetch credentials; threads may share it."""

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Send a request in the current exchange, and read the whole reply.

        Raises:
            GivenUp: the reply must not be used, or the request must not be sent.
        """
        exchange, url = EXCHANGE.get(), str(request.url)
        if in_the_clear(url) and not is_metadata_server(url):
            said = "the address of its token is not encrypted"
            todo = "correct that address in the credentials file, the profile or a variable"
            raise exchange.end(Problem(NotConfigured, said, todo=todo))
        _learn(exchange, request)
        exchange.wire.secrets.learn(*secrets_in(request.body))
        around = _environment(url, exchange.wire.bundle)
        try:
            response = super().send(request, stream=True, timeout=exchange.left_s, **around)
            body = _body(response.raw, exchange.deadline)
        except Exception as error:
            # Most machines have no metadata server, so a missing reply is not a network problem.
            missed = None if is_metadata_server(url) else _unsent(error, url, around["verify"])
            exchange.errand_problem = missed
            raise
        exchange.wire.secrets.learn(*secrets_in(body))
        exchange.errand_problem = _refused_errand(url, response.status_code)
        if 300 <= response.status_code < 400:
            response.close()
            said = "the address of its token sent a redirect, which digitrec does not follow"
            raise exchange.end(Problem(BadAnswer, said, response.status_code))
        response.raw = HTTPResponse(io.BytesIO(body), status=response.status_code, preload_content=False)
        return response


def errands() -> requests.Session:
    """Return a session of `requests` whose requests fetch credentials, at any address."""
    session = requests.Session()
    for scheme in ("https://", "http://"):
        session.mount(scheme, Errands())
    return session


class _Recording:
    """A connection of urllib3 that records when the first byte of a request is written."""

    _is_connected = False

    def connect(self: Any) -> None:
        """Connect, through a proxy and a TLS handshake if necessary."""
        self._is_connected = False
        super().connect()  # type: ignore[misc]
        self._is_connected = True

    def send(self: Any, data: Any) -> None:
        """Send a part of a request; a proxy's CONNECT is sent before the connection is complete."""
        if self.sock is None:
            self.connect()
        exchange = EXCHANGE.get()
        if self._is_connected and not exchange.sent:
            if not exchange.attempt.send():
                raise exchange.end(Problem(Unreachable, "it was abandoned before anything was sent"))
            written = self.sock.send(data)
            exchange.sent = True
            data = data[written:]
        if data:
            super().send(data)  # type: ignore[misc]


def _environment(url: str, bundle: str | None) -> dict[str, Any]:
    """Return the proxies and the certificates to trust: ``bundle``, or as set in the environment."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
    trusted = [bundle, *map(os.environ.get, names), True]
    proxies = {} if is_loopback(origin(url)[1]) else get_environ_proxies(url)
    return {"proxies": proxies, "verify": next(filter(None, trusted))}


def _body(raw: Any, deadline: float) -> bytes:
    """Read the whole body, decompressed.

    After the deadline read only what has already arrived, so that a complete reply is not discarded.
    """
    take = getattr(raw, "read1", raw.read)  # urllib3 2 need not wait for a whole chunk
    body = bytearray()
    while True:
        sock = getattr(raw.connection, "sock", None)
        if sock is not None:
            sock.settimeout(max(0.01, deadline - time.monotonic()))
        if not (chunk := take(CHUNK, decode_content=True)):
            return bytes(body)
        body += chunk
        if len(body) > MOST_BYTES:
            raise ValueError(f"more than {MOST_BYTES} bytes")
        if time.monotonic() > deadline + SPARE_S:
            raise TimeoutError("the answer came too slowly")


def _learn(exchange: Exchange, request: requests.PreparedRequest) -> None:
    """Redact from now on the secrets in a request's headers, except signatures: each request has another."""
    headers: Mapping[str, Any] = request.headers
    for value in secrets_in(dict(headers)):
        if not value.startswith("AWS4-"):
            exchange.wire.secrets.learn(value, value.partition(" ")[2])


def _problem(error: Exception, exchange: Exchange, url: str, verify: Any, *, answered: bool) -> Problem:
    """Return the problem that an exception means, depending on how far the request had got."""
    if not exchange.sent:
        return _unsent(error, url, verify)
    chain = list(_chain(error))
    names = {type(one).__name__ for one in chain}
    if names & SLOW:
        return Problem(TimedOut, _last_words(chain))
    broke = isinstance(error, OSError) and "InvalidHeader" not in names
    if any(isinstance(one, http.client.HTTPException) for one in chain):  # the reply is not HTTP
        broke = "RemoteDisconnected" in names
    advice = "try again; the vendor may charge for both" if "IncompleteRead" in names else ""
    return Problem(Unavailable if broke and not answered else BadAnswer, _last_words(chain), todo=advice)


def _unsent(error: Exception, url: str, verify: Any) -> Problem:
    """Return why no connection was established: a wrong setting, or else the network."""
    chain = list(_chain(error))
    said = _last_words(chain)
    if isinstance(verify, str) and url.startswith("https:") and (problem := _wrong_bundle(verify)):
        return problem
    if refused := re.search(r"Tunnel connection failed: (\d+)", " ".join(map(str, chain))):
        return _proxy_refused(int(refused[1]), url)
    if NOT_AN_ADDRESS & {type(one).__name__ for one in chain}:
        return Problem(NotConfigured, said, todo="check the endpoint and any proxy")
    proxy = proxy_variable(url)
    advice = f"check the network, the endpoint and the proxy in {proxy}" if proxy else ""
    return Problem(Unreachable, said, todo=advice)


def _wrong_bundle(bundle: str) -> Problem | None:
    """Return the problem with a file of certificates, or None if it is usable."""
    where = {"capath" if Path(bundle).is_dir() else "cafile": bundle}
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**where)
        return None
    except OSError as error:  # ssl.SSLError is a subclass
        why = "no certificates in it" if isinstance(error, ssl.SSLError) else str(error.strerror).lower()
    variable = next((name for name in CA_BUNDLES if os.environ.get(name) == bundle), "")
    todo = f"correct {variable or 'ca_bundle in the AWS profile'}"
    return Problem(NotConfigured, f"{bundle}: {why}", todo=todo)


def _proxy_refused(status: int, url: str) -> Problem:
    """Return the problem that a proxy's refusal to connect means."""
    variable, host = proxy_variable(url), origin(url)[1]
    if status == 407:
        todo = f"set {variable} to http://USER:PASSWORD@HOST:PORT"
        return Problem(NotConfigured, "the proxy needs a user name and a password", todo=todo)
    if 400 <= status < 500:
        todo = f"request access to {host} through the proxy in {variable}, or add it to NO_PROXY"
        return Problem(NotConfigured, f"the proxy refused the connection with status {status}", todo=todo)
    return Problem(Unreachable, f"the proxy in {variable} answered {status}")


def _refused_errand(url: str, status: int) -> Problem | None:
    """Return why a request for credentials failed if a retry may succeed; else the library says why."""
    if (status != 429 and status < 500) or is_metadata_server(url):
        return None
    return Problem(Unreachable, f"its credentials come from {origin(url)[1]}, which answered {status}")


def _last_words(chain: list[BaseException]) -> str:
    """Return the innermost message of an exception."""
    return next((str(one) for one in reversed(chain) if str(one)), "")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yield the exception and its causes, outermost first."""
    while error is not None:
        yield error
        inner = [part for part in error.args if isinstance(part, BaseException)]
        error = error.__cause__ or error.__context__ or next(iter(inner), None)
