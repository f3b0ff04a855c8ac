"""Carries the requests that the SDKs have built: the adapter of `requests` that all clouds go through.

`questions` is mounted where pictures and keys are sent. It ends the SDK's call with what came back
(`digitrec.wire`). `errands` is mounted where Google's SDK fetches a token; its answers go to
the SDK as always, but neither does it follow redirects, nor ask in the clear, nor read without end.
"""

from __future__ import annotations

import http.client
import io
import os
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitrec import wire
from digitrec.errors import BadAnswer, NotConfigured, TimedOut, Unavailable, Unreachable
from digitrec.wire import Exchange, Reply
from digitrec.wire.addresses import is_metadata_server
from digitrec.wire.translate import Problem

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session
    from requests.adapters import HTTPAdapter

TELL_TALE = ("authorization", "x-goog-api-key", "ocp-apim-subscription-key", "x-amz-security-token")
"""Headers that carry a secret: what stands in them is masked from then on, wherever the SDK found it."""
CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "AWS_CA_BUNDLE")
"""Variables that name a file of certificates."""
CHUNK = 65_536
NOT_CONNECTED = {
    "ConnectTimeout", "ConnectTimeoutError", "NameResolutionError", "NewConnectionError", "ProxyError",
}  # fmt: skip
"""What urllib3 and requests call it when there is no connection to send a request on."""
NOT_AN_ADDRESS = {"LocationParseError", "LocationValueError", "InvalidURL", "InvalidProxyURL"}
"""What they call it when they find no place to connect to."""
SLOW = {"ReadTimeout", "ReadTimeoutError", "TimeoutError"}
"""What they call it when the vendor says nothing for too long."""


def mount(session: Session, adapter: HTTPAdapter) -> None:
    """Let every request of the session go through the adapter, whatever its address."""
    if session.adapters.get("https://") is not adapter:
        session.adapters.clear()
        for scheme in ("https://", "http://"):
            session.mount(scheme, adapter)


def questions() -> HTTPAdapter:
    """An adapter for the requests that carry pictures; threads and sessions may share it."""
    adapter: HTTPAdapter = _classes()[0]()
    return adapter


def forward(
    session: Session, method: str, url: str, headers: Mapping[str, str], body: bytes, *, bundle: Any = None
) -> None:
    """Send a request that an SDK built without `requests`, exactly as it is; the SDK's call ends with it.

    Args:
        session: one on which an adapter of `questions` is mounted.
        method, url, headers, body: the request.
        bundle: the SDK's own file of certificates, beside those that `CA_BUNDLES` name.
    """
    from requests import PreparedRequest
    from requests.structures import CaseInsensitiveDict

    request = PreparedRequest()  # filled in and not prepared: what may be signed must go out as it is
    request.method, request.url, request.body = method, url, body
    request.headers = CaseInsensitiveDict(headers)
    around: Any = session.merge_environment_settings(url, {}, True, bundle, None)
    session.get_adapter(url).send(request, timeout=wire.current().left_s, **around)


def errands() -> HTTPAdapter:
    """An adapter for the requests that fetch credentials; threads may share it."""
    adapter: HTTPAdapter = _classes()[1]()
    return adapter


@cache
def _classes() -> tuple[type[HTTPAdapter], type[HTTPAdapter]]:
    """The two adapters; made when first asked for, because importing requests takes time."""
    from requests import Response
    from requests.adapters import HTTPAdapter

    class Questions(HTTPAdapter):
        def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
            send = super().send
            kwargs["stream"] = True
            raise _ended(request, lambda: send(request, *args, **kwargs).raw)

        def add_headers(self, request: PreparedRequest, **kwargs: Any) -> None:
            """Called by requests when all is checked and only the sending is left to do."""
            wire.current().sending = True

        def build_response(self, req: PreparedRequest, resp: Any) -> Response:
            """No cookies, no guess at an encoding: the raw response is all that is wanted."""
            response = Response()
            response.raw = resp
            return response

    class Errands(HTTPAdapter):
        def send(self, request: PreparedRequest, *args: Any, **kwargs: Any) -> Response:
            exchange = wire.current()
            _learn(exchange, request)
            problem = wire.may_give_credentials(str(request.url))
            if problem is not None:
                raise exchange.end(problem)
            kwargs["stream"], kwargs["timeout"] = True, exchange.left_s
            exchange.errand_failed = not is_metadata_server(str(request.url))  # most machines have none
            response = super().send(request, *args, **kwargs)
            exchange.errand_failed = response.status_code == 429 or response.status_code >= 500
            if 300 <= response.status_code < 400:
                response.close()
                said = "a redirect from where its token comes from, which is never followed"
                raise exchange.end(Problem(BadAnswer, said, response.status_code))
            response.raw = io.BytesIO(_body(response.raw, exchange))
            return response

    return Questions, Errands


def _ended(request: PreparedRequest, send: Callable[[], Any]) -> wire.Over:
    """Send it, unless it may not go there; end the SDK's call with the outcome."""
    exchange = wire.current()
    url = str(request.url)
    problem = exchange.wire.may_be_asked(url)
    if problem is not None:
        return exchange.end(problem)
    _learn(exchange, request)
    raw = None
    try:
        raw = send()
        headers = {name.lower(): str(value) for name, value in raw.headers.items()}
        is_answer = not 300 <= raw.status < 400
        body = _body(raw, exchange) if is_answer else b""
        return exchange.end(Reply(raw.status, headers, body, exchange.secrets))
    except Exception as error:
        return exchange.end(_problem(error, exchange.sending, answered=raw is not None))
    finally:
        if raw is not None:
            raw.close()


def _body(raw: Any, exchange: Exchange) -> bytes:
    """The whole body, decompressed, in the time that is left."""
    take = getattr(raw, "read1", raw.read)  # urllib3 2 need not wait for a whole chunk
    body = bytearray()
    while chunk := take(CHUNK, decode_content=True):
        body += chunk
        if len(body) > wire.MOST_BYTES:
            raise ValueError(f"more than {wire.MOST_BYTES} bytes")
        if time.monotonic() > exchange.deadline:
            raise TimeoutError("the answer came too slowly")
    return bytes(body)


def _learn(exchange: Exchange, request: PreparedRequest) -> None:
    for name in TELL_TALE:
        value = request.headers.get(name, "")
        text = value.decode("latin-1") if isinstance(value, bytes) else value
        signed = text.startswith("AWS4-")  # anew for each request: a wire that kept them would only grow
        secrets = exchange.secrets if signed else exchange.wire.secrets
        secrets.learn(text, text.rpartition("Signature=")[2] if signed else text.partition(" ")[2])


def _problem(error: Exception, sending: bool, answered: bool) -> Problem:
    """What an exception of the transport means, by how far the request had come."""
    chain = list(_chain(error))
    names = {type(one).__name__ for one in chain}
    said = next((str(one) for one in reversed(chain) if str(one)), "")
    if not answered and names & NOT_CONNECTED:
        return Problem(Unreachable, said)
    if not answered and any(isinstance(one, ssl.SSLError) for one in chain):
        return _tls(chain, said)
    if not sending or names & NOT_AN_ADDRESS or any(isinstance(one, UnicodeEncodeError) for one in chain):
        return _wrong_bundle() or Problem(NotConfigured, said, todo="check the endpoint and any proxy")
    if names & SLOW:
        return Problem(TimedOut, said)
    if answered or _is_garbage(error, chain):
        return Problem(BadAnswer, said)
    return Problem(Unavailable, said)


def _tls(chain: list[BaseException], said: str) -> Problem:
    """The handshake comes before the request; the files of certificates come before the handshake."""
    if any(isinstance(one, FileNotFoundError) or _is_bad_file(one) for one in chain):
        return _wrong_bundle() or Problem(NotConfigured, said, todo="correct the setting ca_bundle")
    return Problem(Unreachable, said)


def _is_bad_file(error: BaseException) -> bool:
    return isinstance(error, ssl.SSLError) and error.library in ("X509", "PEM")


def _wrong_bundle() -> Problem | None:
    """The variable that names a file of certificates which is not there, if there is one."""
    for name in CA_BUNDLES:
        file = os.environ.get(name, "")
        if file and not Path(file).exists():
            said = f"no file {file}, where the certificates should be"
            return Problem(NotConfigured, said, todo=f"correct {name}")
    return None


def _is_garbage(error: BaseException, chain: list[BaseException]) -> bool:
    """Whether something came back that is not HTTP: the connection did not just break."""
    if any(isinstance(one, http.client.RemoteDisconnected) for one in chain):
        return False
    spoke = any(isinstance(one, http.client.HTTPException) for one in chain)
    return spoke or "InvalidHeader" in {type(one).__name__ for one in chain} or not isinstance(error, OSError)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those inside it, outermost first."""
    seen: list[BaseException] = []
    left: list[Any] = [error]
    while left:
        one = left.pop(0)
        if isinstance(one, BaseException) and one not in seen:
            seen.append(one)
            yield one
            left += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]
