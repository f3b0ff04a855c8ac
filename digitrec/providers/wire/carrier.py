"""Send the requests that the SDKs have built, by two adapters of `requests`.

`questions` carries pictures and keys: it ends the SDK's call with the reply (`wire`). `errands`
fetches credentials: its answers go back to the SDK. Neither follows redirects, asks in the clear or reads
without end, and what an errand sends or brings is redacted from then on.
"""

from __future__ import annotations

import http.client
import io
import os
import re
import ssl
import time
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from digitrec.errors import BadAnswer, NotConfigured, TimedOut, Unavailable, Unreachable
from digitrec.providers import wire
from digitrec.providers.addresses import is_metadata_server, origin, proxy_variable
from digitrec.providers.masking import Secrets, secrets_in
from digitrec.providers.translate import Problem
from digitrec.providers.wire import Exchange, Reply

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session
    from requests.adapters import HTTPAdapter

CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
"""Variables that name a file or folder of certificates; requests itself reads the first two."""
CHUNK = 65_536
SPARE_S = 0.25
"""Seconds after the deadline in which the rest of an answer is read that is already here."""
NOT_AN_ADDRESS = {"LocationParseError", "LocationValueError", "InvalidURL", "InvalidProxyURL"}
"""What urllib3 and requests raise when an address names no place to connect to."""
SLOW = {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}
"""What they raise when the vendor says nothing for too long."""


def mount(session: Session, adapter: HTTPAdapter) -> None:
    """Let every request of the session go through the adapter, whatever its address."""
    if session.adapters.get("https://") is not adapter:
        session.adapters.clear()
        for scheme in ("https://", "http://"):
            session.mount(scheme, adapter)


def questions() -> HTTPAdapter:
    """Return an adapter for the requests that carry pictures; threads and sessions may share it."""
    adapter: HTTPAdapter = _classes()[0]()
    return adapter


def errands() -> HTTPAdapter:
    """Return an adapter for the requests that fetch credentials; threads may share it."""
    adapter: HTTPAdapter = _classes()[1]()
    return adapter


def forward(
    session: Session, method: str, url: str, headers: Mapping[str, str], body: Any, *, bundle: Any = None
) -> Response:
    """Send a request that an SDK built without `requests`, exactly as it is.

    Args:
        session: one on which an adapter of `questions` or `errands` is mounted.
        method, url, headers, body: the request.
        bundle: the SDK's own file of certificates; None: the variables of `CA_BUNDLES`.

    Raises:
        Ended: always with `questions`; with `errands`, where the answer may not be used.
    """
    from requests import PreparedRequest
    from requests.structures import CaseInsensitiveDict

    request = PreparedRequest()  # filled in and not prepared: what may be signed must go out as it is
    request.method, request.url, request.body = method, url, body
    request.headers = CaseInsensitiveDict(headers)
    around: Any = session.merge_environment_settings(url, {}, True, bundle, None)
    return session.get_adapter(url).send(request, **around)


@cache
def _classes() -> tuple[type[HTTPAdapter], type[HTTPAdapter]]:
    """Make the two adapters; importing requests takes time, so not before one is needed."""
    from requests import Response
    from requests.adapters import HTTPAdapter

    class Questions(HTTPAdapter):
        def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
            exchange = wire.current()
            problem = exchange.wire.may_be_asked(str(request.url))
            if problem is not None or exchange.outcome is not None:  # an SDK that asks again gets nothing
                raise exchange.end(problem or Problem(NotConfigured))
            _learn(exchange, request)
            kwargs |= {"stream": True, "verify": _trusted(kwargs.get("verify", True))}
            late_s = exchange.read_deadline - exchange.deadline
            kwargs["timeout"] = (exchange.left_s, exchange.left_s + late_s)
            raw = None
            try:
                raw = super().send(request, *args, **kwargs).raw
                headers = {name.lower(): str(value) for name, value in raw.headers.items()}
                body = b"" if 300 <= raw.status < 400 else _body(raw, exchange.read_deadline)
                outcome: Reply | Problem = Reply(raw.status, headers, body, exchange.secrets)
            except wire.Ended:
                raise
            except Exception as error:
                outcome = _problem(error, exchange, kwargs["verify"], answered=raw is not None)
            finally:
                if raw is not None:
                    raw.close()
            raise exchange.end(outcome)

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            _record_sending(self.poolmanager)

        def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
            is_new = proxy not in self.proxy_manager
            manager = super().proxy_manager_for(proxy, **kwargs)
            if is_new:
                _record_sending(manager)
            return manager

        def build_response(self, req: PreparedRequest, resp: Any) -> Response:
            """Keep the raw response alone: no cookies, no guess at an encoding."""
            response = Response()
            response.raw = resp
            return response

    class Errands(HTTPAdapter):
        def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
            exchange = wire.current()
            _learn(exchange, request)
            exchange.wire.secrets.learn(*secrets_in(request.body))
            url, verify = str(request.url), _trusted(kwargs.get("verify", True))
            problem = wire.may_give_credentials(url)
            if problem is not None:
                raise exchange.end(problem)
            kwargs |= {"stream": True, "verify": verify, "timeout": exchange.left_s}
            is_expected = not is_metadata_server(url)  # most machines have no such server
            try:
                response = super().send(request, *args, **kwargs)
                body = _body(response.raw, exchange.deadline)
            except Exception as error:
                exchange.errand_problem = _unsent(error, url, verify) if is_expected else None
                raise
            exchange.wire.secrets.learn(*secrets_in(body))
            exchange.errand_problem = _refused_errand(url, response.status_code, body)
            if 300 <= response.status_code < 400:
                response.close()
                said = "a redirect from where its token comes from, which is never followed"
                raise exchange.end(Problem(BadAnswer, said, response.status_code))
            response.raw = _Kept(body)
            return response

    return Questions, Errands


class _Kept(io.BytesIO):
    """A body that was read, in the forms in which requests and botocore read it."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()


def _record_sending(manager: Any) -> None:
    """Let the connections of a manager of urllib3 record when the first byte of a request is written."""
    manager.pool_classes_by_scheme = {
        scheme: _recording_pool(pool) for scheme, pool in manager.pool_classes_by_scheme.items()
    }


@cache
def _recording_pool(pool: Any) -> Any:
    class Recording(pool.ConnectionCls):  # type: ignore[misc]
        response_class = _FinalResponse
        _is_connected = False

        def connect(self) -> None:
            """Connect, through a proxy and a TLS handshake where there are any."""
            wire.current().connecting = True
            self._is_connected = False
            super().connect()
            self._is_connected = True

        def send(self, data: Any) -> None:
            """Send a part of a request; a proxy's CONNECT is sent while it still connects."""
            if self.sock is None:
                self.connect()
            exchange = wire.current()
            if self._is_connected and not exchange.sent:
                exchange.connecting = True  # a connection that was kept is one as well
                exchange.begin_sending()
                written = self.sock.send(data)
                exchange.sent = True
                data = data[written:]
            if data:
                super().send(data)

    return type(pool.__name__, (pool,), {"ConnectionCls": Recording})


class _FinalResponse(http.client.HTTPResponse):
    """An answer without the interim ones before it (102, 103): http.client passes over 100 alone."""

    def begin(self) -> None:
        super().begin()
        while 102 <= self.status < 200:
            if time.monotonic() > wire.current().read_deadline:
                raise TimeoutError("interim answers, and no other")
            self.headers = cast("http.client.HTTPMessage", None)  # with headers, begin() reads nothing
            super().begin()


def _body(raw: Any, deadline: float) -> bytes:
    """Read the whole body, decompressed.

    After the deadline only what is already here is read: an answer that is complete is not discarded.
    """
    take = getattr(raw, "read1", raw.read)  # urllib3 2 need not wait for a whole chunk
    body = bytearray()
    while True:
        sock = getattr(getattr(raw, "connection", None), "sock", None)
        if sock is not None:
            sock.settimeout(max(0.01, deadline - time.monotonic()))
        if not (chunk := take(CHUNK, decode_content=True)):
            return bytes(body)
        body += chunk
        if len(body) > wire.MOST_BYTES:
            raise ValueError(f"more than {wire.MOST_BYTES} bytes")
        if time.monotonic() > deadline + SPARE_S:
            raise TimeoutError("the answer came too slowly")


def _learn(exchange: Exchange, request: PreparedRequest) -> None:
    """Redact from now on what stands in the headers that carry a secret."""
    for value in secrets_in(dict(request.headers)):
        signed = value.startswith("AWS4-")  # anew for each request: a wire that kept them would only grow
        secrets: Secrets = exchange.secrets if signed else exchange.wire.secrets
        secrets.learn(value, value.rpartition("Signature=")[2] if signed else value.partition(" ")[2])


def _trusted(verify: Any) -> Any:
    """Return the certificates to trust: as requests found them, else OpenSSL's own variables."""
    if verify is not True:
        return verify
    return os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR") or True


def _problem(error: Exception, exchange: Exchange, verify: Any, *, answered: bool) -> Problem:
    """Say what an exception of the transport means, by how far the request had come."""
    if not exchange.sent:
        url = exchange.wire.endpoint
        problem = _unsent(error, url, verify)
        if problem.kind is Unreachable and not exchange.connecting:
            return Problem(NotConfigured, problem.said, todo="check the endpoint and any proxy")
        return problem
    chain = list(_chain(error))
    said = _last_words(chain)
    if {type(one).__name__ for one in chain} & SLOW:
        return Problem(TimedOut, said)
    if answered or _is_garbage(error, chain):
        return Problem(BadAnswer, said)
    return Problem(Unavailable, said)


def _unsent(error: Exception, url: str, verify: Any) -> Problem:
    """Say why no connection came about: a setting that is wrong, or else the network."""
    chain = list(_chain(error))
    said = _last_words(chain)
    is_tls = url.lower().startswith("https:")
    if is_tls and isinstance(verify, str) and (problem := _wrong_bundle(verify)):
        return problem
    if refused := re.search(r"Tunnel connection failed: (\d+)", " ".join(map(str, chain))):
        return _proxy_refused(int(refused[1]), url)
    names = {type(one).__name__ for one in chain}
    if names & NOT_AN_ADDRESS or any(isinstance(one, UnicodeEncodeError) for one in chain):
        return Problem(NotConfigured, said, todo="check the endpoint and any proxy")
    return Problem(Unreachable, said)


def _wrong_bundle(bundle: str) -> Problem | None:
    """Return the problem of a file of certificates that cannot be used, or None."""
    where = {"capath" if Path(bundle).is_dir() else "cafile": bundle}
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(**where)
    except OSError as error:  # ssl.SSLError is one
        why = "no certificates in it" if isinstance(error, ssl.SSLError) else str(error.strerror).lower()
    else:
        return None
    variable = next((name for name in CA_BUNDLES if os.environ.get(name) == bundle), "")
    return Problem(
        NotConfigured, f"{bundle}: {why}", todo=f"correct {variable or 'ca_bundle in the AWS profile'}"
    )


def _proxy_refused(status: int, url: str) -> Problem:
    """Say what it means that the proxy opened no connection for us."""
    variable, host = proxy_variable(url), (origin(url) or ("", "", 0))[1]
    if status == 407:
        todo = f"set {variable} to http://USER:PASSWORD@HOST:PORT"
        return Problem(NotConfigured, "the proxy wants a user name and a password", todo=todo)
    if 400 <= status < 500:
        todo = f"ask for leave to reach {host} through the proxy in {variable}, or name it in NO_PROXY"
        return Problem(NotConfigured, f"the proxy refused the connection with status {status}", todo=todo)
    return Problem(Unreachable, f"the proxy in {variable} answered {status}")


def _refused_errand(url: str, status: int, body: bytes) -> Problem | None:
    """Return why credentials did not come, where another attempt may succeed; else the SDK says why."""
    if (status != 429 and status < 500) or is_metadata_server(url):
        return None
    host = (origin(url) or ("", "", 0))[1]
    said = " ".join(re.sub(r"<[^>]*>", " ", body[:2000].decode("utf-8", "replace")).split())
    return Problem(Unreachable, f"its credentials come from {host}, which answered {status}: {said}")


def _is_garbage(error: BaseException, chain: list[BaseException]) -> bool:
    """Whether something came back that is not HTTP: the connection did not just break."""
    if any(isinstance(one, http.client.RemoteDisconnected) for one in chain):
        return False
    spoke = any(isinstance(one, http.client.HTTPException) for one in chain)
    return spoke or "InvalidHeader" in {type(one).__name__ for one in chain} or not isinstance(error, OSError)


def _last_words(chain: list[BaseException]) -> str:
    """Return the innermost message of an exception."""
    return next((str(one) for one in reversed(chain) if str(one)), "")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield the exception and those inside it, outermost first."""
    seen: list[BaseException] = []
    left: list[Any] = [error]
    while left:
        one = left.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            yield one
            left += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
