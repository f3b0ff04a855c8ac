"""Azure Computer Vision (Read 3.2), Image Analysis 4.0 and Document Intelligence.

Read uses the SDK azure-cognitiveservices-vision-computervision, which gets no more updates; the service has
no published end. Each word is a candidate with a confidence from 0 to 1.
"""

from __future__ import annotations

import io
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, TypeVar

from msgspec import Meta, Struct, field

from digitrec.answer import Answer, Candidate, Share, Text
from digitrec.errors import AuthFailed, BadAnswer, NotConfigured, Rejected, TimedOut, Unreachable
from digitrec.image import Box, InputSpec, PreparedImage
from digitrec.providers.addresses import in_the_clear
from digitrec.providers.base import Status, checked_endpoint, checked_key, first_set, looked, requires
from digitrec.providers.masking import secrets_of_environment
from digitrec.providers.translate import Problem, Rule, Service, box_around, dig, retry_after
from digitrec.providers.wire import EXCHANGE, Cloud, Reply, Wire

if TYPE_CHECKING:
    from requests import PreparedRequest

VISION_ENDPOINTS = ("VISION_ENDPOINT", "AZURE_COMPUTER_VISION_ENDPOINT", "COMPUTER_VISION_ENDPOINT")
"""Variables that may hold the endpoint, in order of precedence; the first is used in Azure's samples."""
VISION_KEYS = ("VISION_KEY", "AZURE_COMPUTER_VISION_KEY", "COMPUTER_VISION_SUBSCRIPTION_KEY")
"""Variables that may hold the key, in order of precedence."""
BINARY = "application/octet-stream"

OPERATION = re.compile(r"^[^?#]*/([A-Za-z0-9_-]{1,100})/?(?:[?#]|$)")
"""An operation's address; it ends in the operation's id, a UUID."""
Corners = Annotated[tuple[float, ...], Meta(min_length=8, max_length=8)]
"""Four corners: x and y of each corner in turn, in pixels."""
Result = TypeVar("Result")


def service(name: str, key: str = VISION_KEYS[0], endpoint: str = VISION_ENDPOINTS[0]) -> Service:
    """Describe a service of Azure by its name in messages and the variables that users set for it."""
    return Service(name, {}, {AuthFailed: f"check {key}, and that it belongs to the resource at {endpoint}"})


class AzureProvider(Cloud):
    """Base class of the services of an Azure resource that read an image from a POST request."""

    service: Service
    """The service's name in messages."""
    variables: ClassVar[Mapping[str, Sequence[str]]] = {"endpoint": VISION_ENDPOINTS, "key": VISION_KEYS}
    package: ClassVar[str] = "requests"
    """The module that the provider needs."""
    path: ClassVar[str]
    """The URL path to post an image to, below the endpoint."""
    parse: ClassVar[staticmethod[[Any], Answer]]
    """Converts the JSON document of a response to an Answer."""

    def __init__(
        self,
        *,
        endpoint: str = "",
        key: str | None = None,
        allow_plain_http: bool = False,
        name: str | None = None,
    ) -> None:
        """Check the settings; nothing is sent yet.

        Args:
            endpoint: the resource's address, such as https://NAME.cognitiveservices.azure.com.
            key: one of the resource's two keys; None: an identity of Entra ID that azure-identity finds.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: name of this engine in a Prediction; None: its registered name.

        Raises:
            NotInstalled: the extra "azure" is missing.
            NotConfigured: the endpoint or the key is empty or invalid, or a token would be sent unencrypted.
        """
        self.name = name or self.name
        at, by = (names[0] for names in self.variables.values())
        if not endpoint.strip():
            raise NotConfigured(f"Azure has no endpoint; set {at} to the resource's address")
        if key is not None and not key.strip():
            raise NotConfigured(f"Azure has no key; set {by} to one of the resource's two keys")
        self.endpoint = checked_endpoint(endpoint, at, allow_plain_http=allow_plain_http)
        self._wire = wire = Wire(self.service, self.endpoint, "azure", _refused)
        if key is not None:
            wire.sign_with("Ocp-Apim-Subscription-Key", checked_key(key, by))
            return
        if in_the_clear(self.endpoint):  # a token gives access to more than this one resource
            raise NotConfigured(
                f"{at} is an http:// address and {by} is unset: digitrec never sends a token of Entra ID "
                "unencrypted; use https://, or set the key"
            )
        advice = {
            AuthFailed: "give the identity the role Cognitive Services User on the resource, and let "
            f"{at} be the resource's own address (https://NAME.cognitiveservices.azure.com)",
            NotConfigured: f"sign in (`az login`), or set an application's variables or {by}",
        }
        self.service = wire.service = replace(self.service, errors=IDENTITY_ERRORS, advice=advice)
        wire.sign, wire.forget = wire.prepare(lambda: _signer(wire, by))

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Return whether there is an endpoint, and a key or an identity with its library."""
        endpoint, key = (first_set(env, names) for names in cls.variables.values())
        who = (key,) if key else found_identity(env)
        package = "azure.identity" if who and not key else cls.package
        missing = [] if endpoint else [f"set {cls.variables['endpoint'][0]}"]
        missing += [] if who else [f"set {cls.variables['key'][0]}, or sign in with Entra ID (`az login`)"]
        build = partial(cls.from_env, env) if key else None
        return looked("azure", [package], filter(None, (endpoint, *who)), missing, build)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Send one request and return its answer."""
        reply = self._wire.ask(self.path, image.data, BINARY, timeout=timeout)
        return self.parse(self._wire.document(reply))


def _refused(reply: Reply, raw: Any) -> Problem:
    """Translate a refused request by its HTTP status; Azure's message is in one of two places."""
    return reply.problem(error_text(raw) or reply.text, raw)


def error_text(raw: Any) -> str:
    """Return the code and message of one of Azure's errors, and those of the errors nested in it."""
    error = raw.get("error", raw) if isinstance(raw, dict) else None
    said: list[str] = []
    while isinstance(error, dict):
        said.append(": ".join(filter(None, [dig(error, "code"), dig(error, "message")])))
        error = error.get("innererror") or error.get("innerError")
    return "; ".join(dict.fromkeys(filter(None, said)))


# Requests without a key: an identity of Microsoft Entra ID, found by azure-identity. Its exceptions are never
# shown as they are, because they may quote the answer of an authority.

SIGNS = (
    ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"),
    ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH"),
    ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"),
    ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"),
)
"""Sets of variables that configure the identity of an application, a workload or a machine of Azure."""


def found_identity(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables or the file that configure an identity; () if there are none.

    A virtual machine's own identity is not included: asking for it takes seconds.
    """
    for names in SIGNS:
        if all(env.get(name) for name in names):
            return names
    home = Path(env.get("HOME") or env.get("USERPROFILE") or "~")
    folder = os.path.expanduser(env.get("AZURE_CONFIG_DIR") or home / ".azure")  # noqa: PTH111 (Path's raises if there is no such user)
    file = Path(folder, "azureProfile.json")  # `az login` writes it; it holds no secret
    return (str(file),) if file.is_file() else ()


def _signer(wire: Wire, key: str) -> tuple[Callable[[PreparedRequest], PreparedRequest], Callable[[], None]]:
    """Return a function that signs a request with a token, and a function that discards refused tokens.

    Nothing is sent yet. azure-identity caches a token until five minutes before it expires.

    Args:
        wire: sends the requests for tokens, and redacts the secrets in the variables.
        key: the variable that sets a key instead, for messages.

    Raises:
        NotInstalled: azure-identity is missing.
        NotConfigured: azure-identity rejects its variables.
    """
    wire.secrets.learn(*secrets_of_environment("AZURE_", "IDENTITY_", "MSI_"))
    logging.getLogger("azure").addHandler(logging.NullHandler())  # else its warnings are printed
    asking = threading.Lock()
    tokens = [_tokens(wire, key)]

    def sign(request: PreparedRequest) -> PreparedRequest:
        exchange = EXCHANGE.get()
        if not asking.acquire(timeout=exchange.left_s):
            raise exchange.end(_MISSED)
        try:
            token = tokens[0]()
        except Exception:
            forget()  # azure-identity caches a failure for a minute
            if exchange.errand_problem is None and time.monotonic() >= exchange.deadline:
                raise exchange.end(_MISSED) from None
            raise
        finally:
            asking.release()
        if not re.fullmatch(r"[!-~]+", token):
            raise exchange.end(Problem(NotConfigured, "the access token of Entra ID is invalid"))
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    def forget() -> None:
        tokens[0] = _tokens(wire, key)

    return sign, forget


def _tokens(wire: Wire, key: str) -> Callable[[], str]:
    """Return a function that returns a valid token and fetches a new one if necessary."""
    with requires(f"Azure has no key ({key}), and an identity of Entra ID", "azure"):
        from azure.core.pipeline.transport import RequestsTransport
        from azure.identity import DefaultAzureCredential, get_bearer_token_provider
    # By default azure-identity asks Microsoft about the authority; Microsoft does not know a private one.
    private = bool(os.environ.get("AZURE_AUTHORITY_HOST"))
    sends = RequestsTransport(session=wire.errands, session_owner=False)
    try:
        found = DefaultAzureCredential(transport=sends, disable_instance_discovery=private, retry_total=0)
    except ValueError:  # its text may quote a variable
        why = "azure-identity rejects a variable that begins with AZURE_"
        raise NotConfigured(f"Azure has no key, and {why}; correct it, or set {key}") from None
    return get_bearer_token_provider(found, "https://cognitiveservices.azure.com/.default")


def _no_token(error: Exception) -> Problem:
    """Return which identities were tried, and the code of Entra ID's refusal; no other text is shown."""
    lines = [line.strip().partition(": ") for line in str(error).splitlines()]
    tried = [name.removesuffix("Credential") for name, _, why in lines if why and name.endswith("Credential")]
    codes = dict.fromkeys(re.findall(r"AADSTS\d+", str(error)))
    said = ", ".join([*codes, f"tried {', '.join(tried)}" if tried else type(error).__name__])
    return Problem(NotConfigured, f"no key, and no token from Entra ID: {said}")


_MISSED = Problem(Unreachable, "Entra ID returned no token")
"""No request was sent, and another attempt may succeed."""
IDENTITY_ERRORS: Mapping[str, Rule] = {"builtins.Exception": _no_token}
"""Translates every exception, as azure-identity tries a chain of programs, files and services."""


# Operations: one request posts an image, later requests poll its operation.


class PolledProvider(AzureProvider):
    """Base class of the services that read in two steps: post an image, then poll its operation.

    Only the post costs money, so both steps can be called separately (`digitrec.providers.base.Resumable`).
    """

    results: ClassVar[str]
    """The URL path of an operation, below the endpoint; ``{}`` stands for the operation's id."""

    def __init__(self, *, poll_s: float = 1.0, **settings: Any) -> None:
        """Check the settings; nothing is sent yet.

        Args:
            poll_s: seconds before each poll, > 0; Azure asks for 1 to 2.
            settings: as in `AzureProvider`.
        """
        super().__init__(**settings)
        self.poll_s = poll_s

    def _post(self, data: bytes, timeout: float) -> Reply:
        return self._wire.ask(self.path, data, BINARY, timeout=timeout, expected=202)

    def _look(self, token: str, timeout: float) -> Reply:
        return self._wire.ask(self.results.format(token), None, timeout=timeout)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Post the image and poll for its answer, for ``timeout`` seconds in all."""
        deadline = time.monotonic() + timeout
        token = self.start(image, timeout=timeout)
        wait = self.poll_s
        while (left := deadline - time.monotonic()) > wait:
            time.sleep(wait)
            answer = self.poll(token, timeout=left - wait)
            if isinstance(answer, Answer):
                return answer
            wait = max(self.poll_s, answer or 0.0)
        raise self.service.error(Problem(TimedOut, f"operation {token} is still running"))

    def start(self, image: PreparedImage, *, timeout: float) -> str:
        """Post the image; return the id of the operation."""
        reply = self._post(image.data, timeout)
        location = OPERATION.search(reply.headers.get("operation-location", ""))
        if location is None or self._wire.secrets.masked(location[1]) != location[1]:
            raise self.service.error(Problem(BadAnswer, "no Operation-Location"))
        return location[1]

    def poll(self, token: str, *, timeout: float) -> Answer | float | None:
        """Poll the operation once; while it runs, return the seconds that Azure asks to wait, or None."""
        reply = self._look(token, timeout)
        raw = self._wire.document(reply)
        is_pending = isinstance(raw, dict) and raw.get("status") in ("notStarted", "running")
        return retry_after(reply.headers) if is_pending else self.parse(raw)


class Operation(Struct):
    """An operation of Azure; if it failed, its result may be anything."""

    status: str


class Succeeded(Struct, Generic[Result], rename="camel"):
    """An operation of Azure that succeeded."""

    analyze_result: Result


def result_of(raw: Any, schema: type[Succeeded[Result]], service: Service) -> Result:
    """Return the result of a finished operation; ``raw`` is any JSON value.

    Raises:
        Rejected: the operation failed, or was cancelled.
        BadAnswer: the value does not follow the schema.
    """
    status = service.document(raw, Operation).status
    if status in ("failed", "canceled"):  # only Document Intelligence has "canceled"
        said = f"the operation {status}: {error_text(raw)}".removesuffix(": ")
        todo = "try again later" if "InternalServerError" in said else ""  # the image is not at fault
        raise service.error(Problem(Rejected, said, raw=raw, todo=todo))
    if status != "succeeded":
        raise service.refusal("status: neither succeeded nor failed", raw)
    return service.document(raw, schema).analyze_result


# Read 3.2


class Point(Struct):
    """A corner in pixels."""

    x: float
    y: float


class Word(Struct, rename="camel"):
    """A word of Read or Image Analysis; Azure always sends its text and confidence."""

    text: Text
    confidence: Share
    bounding_box: Corners = ()
    bounding_polygon: tuple[Point, ...] = ()

    @property
    def box(self) -> Box | None:
        """The upright rectangle around the word's corners; None without corners."""
        corners = [(corner.x, corner.y) for corner in self.bounding_polygon]
        return box_around(corners or list(zip(self.bounding_box[::2], self.bounding_box[1::2], strict=True)))


class Line(Struct):
    """A line: its text and its words."""

    words: tuple[Word, ...]
    text: str = ""


def answer_of(lines: Sequence[Line], version: str, raw: Any, service: Service) -> Answer:
    """Return the words of all lines as candidates.

    Raises:
        BadAnswer: a line has a text but no words.
    """
    if any(line.text.strip() and not line.words for line in lines):
        raise service.refusal("a text without words", raw)
    found = (Candidate(word.text, word.confidence, word.box) for line in lines for word in line.words)
    return Answer(tuple(found), raw=raw, model_version=version or None)


class Lines(Struct):
    """A page of Read, or a block of Image Analysis."""

    lines: tuple[Line, ...]


class AnalyzeResult(Struct, rename="camel"):
    """The result of a Read operation."""

    read_results: tuple[Lines, ...]
    model_version: str = ""


class Azure(PolledProvider):
    """Read text with Azure Computer Vision's Read operation."""

    name = "azure"
    service = service("Azure Read")
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=4_000_000, margin=0.1)
    rate = 10.0  # Azure allows 20 to 30 requests a second, and an image takes at least two
    package = "azure.cognitiveservices.vision.computervision"

    def __init__(self, **settings: Any) -> None:
        """Open the SDK's client; nothing is sent yet. For ``settings`` see `PolledProvider`."""
        super().__init__(**settings)
        self._sdk = self._wire.prepare(lambda: _client(self._wire))

    def _post(self, data: bytes, timeout: float) -> Reply:
        def post() -> object:
            return self._sdk.read_in_stream(io.BytesIO(data), raw=True)

        return self._wire.call(post, timeout=timeout, expected=202)

    def _look(self, token: str, timeout: float) -> Reply:
        return self._wire.call(lambda: self._sdk.get_read_result(token, raw=True), timeout=timeout)

    @staticmethod
    def parse(raw: Any) -> Answer:
        """Convert a finished Read operation (GET analyzeResults, 3.2), any JSON value, to an Answer.

        Raises:
            Rejected: the operation failed.
            BadAnswer: the value does not follow the schema.
        """
        result = result_of(raw, Succeeded[AnalyzeResult], Azure.service)
        lines = [line for page in result.read_results for line in page.lines]
        return answer_of(lines, result.model_version, raw, Azure.service)

    def close(self) -> None:
        """Close the connections."""
        self._sdk.close()
        super().close()


def _client(wire: Wire) -> Any:
    """Return the SDK's client, whose requests go through the wire."""
    from azure.cognitiveservices.vision.computervision import ComputerVisionClient
    from msrest.authentication import Authentication

    class ThroughWire(Authentication):
        """Credentials for the SDK, which passes its session to them before each request."""

        def signed_session(self, session: Any = None) -> Any:
            session = super().signed_session(session)
            session.auth = wire.sign
            for scheme in ("https://", "http://"):
                session.mount(scheme, wire.questions)
            return session

    return ComputerVisionClient(wire.endpoint, ThroughWire())  # type: ignore[no-untyped-call]


# Image Analysis 4.0, which Azure retires on 25 September 2028.


class AnalysisResult(Struct):
    """The text found; if there is none, its list is empty."""

    blocks: tuple[Lines, ...]


class ImageAnalysisResult(Struct, rename="camel"):
    """The findings in a picture; digitrec requests only Read."""

    read_result: AnalysisResult
    model_version: str = ""


class AzureAnalysis(AzureProvider):
    """Read text with Azure Image Analysis 4.0, in one request."""

    name = "azure-analysis"
    notice = "Microsoft retires it on 2028-09-25 and recommends Document Intelligence (azure-document)"
    path = "/computervision/imageanalysis:analyze?api-version=2023-10-01&features=read"
    service = service("Azure Image Analysis")
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=20_000_000, margin=0.1)
    rate = 20.0  # the lower of the two figures in Azure's documentation

    @staticmethod
    def parse(raw: Any) -> Answer:
        """Convert an ImageAnalysisResult (2023-10-01), any JSON value, to an Answer.

        Raises:
            BadAnswer: the value does not follow the schema.
        """
        result = AzureAnalysis.service.document(raw, ImageAnalysisResult)
        lines = [line for block in result.read_result.blocks for line in block.lines]
        return answer_of(lines, result.model_version, raw, AzureAnalysis.service)


# Document Intelligence, model prebuilt-read, which Microsoft recommends to users of Image Analysis.

MODEL, VERSION = "/documentintelligence/documentModels/prebuilt-read", "api-version=2024-11-30"
DOCUMENT_ENDPOINT, DOCUMENT_KEY = "DOCUMENTINTELLIGENCE_ENDPOINT", "DOCUMENTINTELLIGENCE_API_KEY"
"""Variables, named as in Microsoft's samples."""


class DocumentWord(Word):
    """A word, with Document Intelligence's field names."""

    text: Text = field(name="content")
    bounding_box: Corners = field(name="polygon", default=())


class DocumentPage(Struct):
    """A page; a picture is one page. Without text it has no words."""

    words: tuple[DocumentWord, ...] = ()


class DocumentResult(Struct, rename="camel"):
    """The result of an analysis."""

    pages: tuple[DocumentPage, ...]
    content: str = ""
    model_id: str = ""
    api_version: str = ""


class AzureDocument(PolledProvider):
    """Read text with Azure Document Intelligence's model for print and handwriting."""

    name = "azure-document"
    path = f"{MODEL}:analyze?{VERSION}"
    results = f"{MODEL}/analyzeResults/{{}}?{VERSION}"
    service = service("Azure Document Intelligence", DOCUMENT_KEY, DOCUMENT_ENDPOINT)
    variables: ClassVar[Mapping[str, Sequence[str]]] = {
        "endpoint": (DOCUMENT_ENDPOINT,), "key": (DOCUMENT_KEY,),
    }  # fmt: skip
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=4_000_000, margin=0.1)
    rate = 15.0  # analyses a second of a paid resource; polls may be 50 a second

    @staticmethod
    def parse(raw: Any) -> Answer:
        """Convert a finished analysis (analyzeResults, 2024-11-30), any JSON value, to an Answer.

        Raises:
            Rejected: the operation failed, or was cancelled.
            BadAnswer: the value does not follow the schema.
        """
        result = result_of(raw, Succeeded[DocumentResult], AzureDocument.service)
        words = tuple(word for page in result.pages for word in page.words)
        version = f"{result.model_id} {result.api_version}".strip()
        return answer_of([Line(words, result.content)], version, raw, AzureDocument.service)
