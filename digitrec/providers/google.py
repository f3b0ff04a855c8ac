"""Google Cloud Vision, with the requests of google-cloud-vision over REST.

Google recommends the feature DOCUMENT_TEXT_DETECTION for handwriting, and only this feature always returns a
confidence for each character. One request holds up to 16 images.

Each word is a candidate. Its score is the lowest confidence among its characters, 0..1, or the word's own if
the characters have none. Google omits a confidence of exactly 0, so a missing confidence is unknown.
"""

from __future__ import annotations

import json
import os
import pkgutil
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from msgspec import UNSET, Meta, Struct, UnsetType

from digitrec import errors
from digitrec.answer import Answer, Candidate, Share, Sign, Text
from digitrec.errors import DigitrecError, ProviderError
from digitrec.image import Box, InputSpec, PreparedImage
from digitrec.providers.base import Price, Status, answer_or_error, checked_endpoint, checked_key, looked
from digitrec.providers.masking import secrets_in
from digitrec.providers.translate import Problem, Rule, Service, box_around, detail, dig
from digitrec.providers.wire import Cloud, Reply, Wire

if TYPE_CHECKING:
    from requests import PreparedRequest

ENDPOINT = "https://vision.googleapis.com"
PATH = "/v1/images:annotate?prettyPrint=false"
"""Google indents its answers otherwise, which makes those about dense pages much longer."""
FEATURES = {"document": "DOCUMENT_TEXT_DETECTION", "text": "TEXT_DETECTION"}
REQUEST = "google.cloud.vision:BatchAnnotateImagesRequest"
"""The SDK's type of a request."""
MOST_BYTES = 7_000_000
"""Maximum bytes of images in one request: Google takes 10 MB of JSON, and base64 adds a third."""


class Google(Cloud):
    """Read text with Google Cloud Vision."""

    wants = InputSpec(encoding="png", min_side=200, max_side=2000, max_bytes=MOST_BYTES, margin=0.1)
    price: Price | None = Price(
        0.0015, "cloud.google.com/vision/pricing: $1.50 per 1,000 up to 5 million a month; 2026-11"
    )
    rate = 30.0  # 1,800 requests a minute
    batch = 16
    batch_bytes = MOST_BYTES
    variables: ClassVar[Mapping[str, Sequence[str]]] = {
        "endpoint": ("DIGITREC_GOOGLE_ENDPOINT",), "feature": ("DIGITREC_GOOGLE_FEATURE",),
        "language_hints": ("DIGITREC_GOOGLE_LANGUAGE_HINTS",),
    }  # fmt: skip

    def __init__(
        self,
        *,
        api_key: str | None = None,
        credentials_file: str | Path | None = None,
        endpoint: str | None = None,
        feature: str = "document",
        language_hints: str | Sequence[str] = (),
        allow_plain_http: bool = False,
        name: str = "google",
    ) -> None:
        """Find the credentials; nothing is sent yet.

        Args:
            api_key: an API key; None: the credentials file, else Application Default Credentials.
            credentials_file: a service-account or ADC file.
            endpoint: address to use instead of Google's; over plain http the file's token is not sent.
            feature: "document" for handwriting, "text" for sparse text in photographs.
            language_hints: language codes, also "de,fr"; Google advises against them unless they are certain.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: name of this engine in a Prediction.

        Raises:
            NotInstalled: the extra "google" is missing.
            NotConfigured: no credentials were found, or the file, the endpoint or a hint is unusable.
        """
        if feature not in FEATURES:
            raise errors.NotConfigured(f"Google Vision has no feature {feature!r}; choose document or text")
        self.name = name
        self.endpoint = checked_endpoint(
            endpoint or ENDPOINT, "DIGITREC_GOOGLE_ENDPOINT", allow_plain_http=allow_plain_http
        )
        api_key = checked_key(api_key or "", "GOOGLE_API_KEY")
        self.options = {"feature": FEATURES[feature], "language_hints": _hints(language_hints)}
        self._wire = wire = Wire(SERVICE, self.endpoint, "google", _refused)
        self._request = wire.prepare(lambda: pkgutil.resolve_name(REQUEST))
        if api_key:
            wire.sign_with("x-goog-api-key", api_key)
        else:
            wire.sign, wire.forget = wire.prepare(lambda: _signer(credentials_file, wire))

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """Build from GOOGLE_APPLICATION_CREDENTIALS, GOOGLE_API_KEY, gcloud's file or the metadata server.

        The first of these that exists is used. Other variables: `variables` and DIGITREC_ALLOW_PLAIN_HTTP.
        ``options`` override the variables; a key or file among them replaces both the key and the file of the
        environment.
        """
        found: dict[str, Any] = {}
        if not options.keys() & {"api_key", "credentials_file"}:
            file = env.get("GOOGLE_APPLICATION_CREDENTIALS") or None
            found = {"credentials_file": file, "api_key": None if file else env.get("GOOGLE_API_KEY")}
        return super().from_env(env, **{**found, **options})

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Return which credentials were found, without asking Google's metadata server."""
        found, file = found_credentials(env), env.get("GOOGLE_APPLICATION_CREDENTIALS")
        missing = [] if found else [SIGN_IN]
        if file and not Path(file).is_file():  # the file takes precedence
            missing = ["GOOGLE_APPLICATION_CREDENTIALS names no file"]
        build = partial(cls.from_env, env) if found[:1] == ["GOOGLE_API_KEY"] else None
        return looked("google", ["google.cloud.vision"], found, missing, build)

    def read_many(self, images: Sequence[PreparedImage], *, timeout: float) -> list[Answer | ProviderError]:
        """Send one request; return an answer or an error for each image."""
        if not images:
            return []
        reply = self._wire.ask(PATH, self._question(images), "application/json", timeout=timeout)
        raw = self._wire.document(reply)
        responses = raw.get("responses") if isinstance(raw, dict) else None
        count = len(responses) if isinstance(responses, list) else "no"
        if count != len(images):
            raise SERVICE.refusal(f"{count} responses for {len(images)} images", raw)
        return [answer_or_error(partial(parse, response)) for response in responses or ()]

    def _question(self, images: Sequence[PreparedImage]) -> bytes:
        """Return the JSON of one request with all images."""
        context: dict[str, Any] = {"language_hints": self.options["language_hints"]}
        if self.options["feature"] == "TEXT_DETECTION":
            context["text_detection_params"] = {"enable_text_detection_confidence_score": True}
        shared = {"features": [{"type_": self.options["feature"]}], "image_context": context}
        request = self._request(requests=[{"image": {"content": image.data}, **shared} for image in images])
        as_json: str = self._request.to_json(
            request, use_integers_for_enums=False, always_print_fields_with_no_presence=False, indent=None
        )
        return as_json.encode()


def _hints(given: str | Sequence[str] | None) -> list[str]:
    """Return language hints; a text has several with commas between them, as in the environment."""
    hints = given.split(",") if isinstance(given, str) else [*(given or ())]
    if not all(isinstance(hint, str) for hint in hints):
        raise errors.NotConfigured(f"language_hints must be texts such as 'de', got {hints!r}")
    return [hint.strip() for hint in hints if hint.strip()]


# Credentials: a file, or Application Default Credentials.

SCOPE = "https://www.googleapis.com/auth/cloud-vision"
SIGN_IN = "set GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_API_KEY, or `gcloud auth application-default login`"
"""The advice if there are no credentials."""
LOADERS = {
    "authorized_user": "google.oauth2.credentials:Credentials.from_authorized_user_info",
    "service_account": "google.oauth2.service_account:Credentials.from_service_account_info",
    "impersonated_service_account":
        "google.auth.impersonated_credentials:Credentials.from_impersonated_service_account_info",
    "external_account_authorized_user": "google.auth.external_account_authorized_user:Credentials.from_info",
    "external_account": "google.auth.identity_pool:Credentials.from_info",
    "external_account from AWS": "google.auth.aws:Credentials.from_info",
    "external_account from a program": "google.auth.pluggable:Credentials.from_info",
}  # fmt: skip
"""The loader of each type of file. Google's loader for all types warns about files from strangers, and a
warning can only be suppressed for all threads at once."""
FROM_AWS = "urn:ietf:params:aws:token-type:aws4_request"
"""AWS's name for the token of its external accounts."""
UNSCOPED = ("authorized_user", "external_account_authorized_user")
"""The types of credentials that take no scopes: Google's own client sends none for a person's."""


def _signer(file: str | Path | None, wire: Wire) -> tuple[Any, Any]:
    """Return a signer of requests, and a function that discards a refused token, if there is one."""
    from google.auth.credentials import AnonymousCredentials
    from google.auth.transport.requests import Request

    credentials = load_credentials(file, wire.endpoint)
    wire.secrets.learn(*secrets_of(file))
    errands = Request(wire.errands)

    def sign(request: PreparedRequest) -> PreparedRequest:
        credentials.before_request(errands, request.method, request.url, request.headers)
        return request

    has_token = not isinstance(credentials, AnonymousCredentials)
    return sign, (lambda: setattr(credentials, "token", None)) if has_token else None


def load_credentials(file: str | Path | None, endpoint: str) -> Any:
    """Load the credentials from a file; without one, as Google's libraries find them.

    For a plain http endpoint the credentials are anonymous: a real token must not be sent unencrypted.

    Raises:
        NotConfigured: the file cannot be read, is not JSON, or holds no usable credentials.
    """
    import google.auth
    from google.auth.credentials import AnonymousCredentials

    if endpoint.startswith("http://"):
        return AnonymousCredentials()  # type: ignore[no-untyped-call]
    if not file:
        return _signs_itself(google.auth.default(scopes=[SCOPE])[0])
    info = _credentials_in(Path(file))
    kind = _type_of(info)
    if kind not in LOADERS:
        raise _unusable(file, "it holds no credentials of a type that Google knows")
    try:
        load = pkgutil.resolve_name(LOADERS[kind])
        credentials = load(info) if kind in UNSCOPED else load(info, scopes=[SCOPE])
        with_quota = getattr(credentials, "with_quota_project_from_environment", None)
        return _signs_itself(with_quota() if with_quota else credentials)
    except Exception:  # a value is missing or wrong: KeyError, TypeError, ValueError, ...
        why = f"something in it is missing or wrong for the type {kind.split()[0]}"
    raise _unusable(file, why)  # raised outside the except block: the foreign exception may hold a key


def _signs_itself(credentials: Any) -> Any:
    """Return credentials that sign their own tokens, without a request, if a service account has the key."""
    own = getattr(credentials, "with_always_use_jwt_access", None)
    return own(True) if own else credentials


def _type_of(info: dict[str, Any]) -> str:
    """Return the key in `LOADERS`; the type alone does not say which cloud an external account is from."""
    kind, source = str(info.get("type")), info.get("credential_source")
    if kind == "external_account" and info.get("subject_token_type") == FROM_AWS:
        return "external_account from AWS"
    if kind == "external_account" and isinstance(source, dict) and source.get("executable") is not None:
        return "external_account from a program"
    return kind


def secrets_of(file: str | Path | None) -> Iterator[str]:
    """Yield the secrets in a credentials file; by default in all files that Google's libraries may find."""
    for name in [str(file)] if file else found_credentials(os.environ):
        with suppress(OSError):  # a variable may name no file
            yield from secrets_in(Path(os.environ.get(name, name)).read_bytes())


def _credentials_in(file: Path) -> dict[str, Any]:
    """Return the JSON object in the file; google-auth's own error would quote invalid content, even keys."""
    try:
        info = json.loads(file.read_text("utf-8"))
        why = "it holds no credentials"
    except OSError as error:
        info, why = None, (error.strerror or str(error)).lower()
    except (ValueError, RecursionError):  # RecursionError: deeply nested lists
        info, why = None, "it is not JSON"
    if not isinstance(info, dict):
        raise _unusable(file, why)
    return info


def _unusable(file: str | Path, why: str) -> errors.NotConfigured:
    return errors.NotConfigured(f"the credentials file {file} cannot be used ({why}); {SIGN_IN}")


def found_credentials(env: Mapping[str, str]) -> list[str]:
    """Return the names of the variables and files that hold credentials, in the order of use.

    The metadata server of Google's own machines is not included: asking it takes seconds.
    """
    names = [
        name for name in ("GOOGLE_APPLICATION_CREDENTIALS", "GOOGLE_API_KEY") if env.get(name, "").strip()
    ]
    settings = env.get("APPDATA") or Path(env.get("HOME") or "~") / ".config"
    folder = os.path.expanduser(env.get("CLOUDSDK_CONFIG") or Path(settings) / "gcloud")  # noqa: PTH111 (Path's raises if there is no such user)
    file = Path(folder, "application_default_credentials.json")
    return [*names, str(file)] if file.is_file() else names


# Answers. Google omits fields that are 0 or empty (proto3's JSON), so a document without text is ``{}``.


class Vertex(Struct):
    """A corner in pixels."""

    x: float = 0
    y: float = 0


class BoundingPoly(Struct, frozen=True):
    """The corners of a box."""

    vertices: tuple[Vertex, ...] = ()


class Scored(Struct):
    """A part with a confidence; Google omits a confidence that is 0 or was not requested."""

    confidence: Share | UnsetType = UNSET


class Property(Struct, rename="camel"):
    """What follows a character."""

    detected_break: Any = None
    """The kind of space or line end after the character; None: the next one touches it."""


class Symbol(Scored, kw_only=True, rename="camel"):
    """A character."""

    text: Text
    property: Property | None = None
    bounding_box: BoundingPoly = BoundingPoly()


class Word(Scored, kw_only=True, rename="camel"):
    """A run of characters without spaces."""

    symbols: Annotated[tuple[Symbol, ...], Meta(min_length=1)]
    bounding_box: BoundingPoly = BoundingPoly()


class Paragraph(Scored):
    """A part of a block."""

    words: tuple[Word, ...] = ()


class Block(Scored):
    """A part of a page."""

    paragraphs: tuple[Paragraph, ...] = ()


class Page(Scored):
    """A page; a picture is one page."""

    blocks: tuple[Block, ...] = ()


class TextAnnotation(Struct, frozen=True):
    """The text as one string, and as pages."""

    text: str = ""
    pages: tuple[Page, ...] = ()


class EntityAnnotation(Struct, rename="camel"):
    """A text: the whole text, or one of its words."""

    description: Text
    bounding_poly: BoundingPoly = BoundingPoly()


class RpcStatus(Struct, frozen=True):
    """google.rpc.Status; code 0 is no error."""

    code: Annotated[int, Meta(ge=-(2**31), lt=2**31)] = 0
    message: str = ""


class AnnotateImageResponse(Struct, rename="camel"):
    """The response to one image."""

    full_text_annotation: TextAnnotation = TextAnnotation()
    text_annotations: tuple[EntityAnnotation, ...] = ()
    error: RpcStatus = RpcStatus()


def parse(raw: Any) -> Answer:
    """Convert one AnnotateImageResponse, any JSON value, to an Answer.

    Annotations next to an error are used: Google guarantees that they are correct even then.

    Raises:
        ProviderError: the response has an error and no text, although its HTTP status is 200; `RPC` gives
            the class, else Rejected.
        BadAnswer: the value is not an AnnotateImageResponse.
    """
    response = SERVICE.document(raw, AnnotateImageResponse)
    full, entities = response.full_text_annotation, response.text_annotations
    text = full.text or "".join(entity.description for entity in entities[:1])
    paragraphs = (part for page in full.pages for block in page.blocks for part in block.paragraphs)
    found = [_candidate(words) for paragraph in paragraphs for words in _unbroken(paragraph.words)]
    if not found:  # the first entity is the whole text, the others are its words
        found = [Candidate(entity.description, box=_box(entity.bounding_poly)) for entity in entities[1:]]
    if response.error.code and not found:
        code, said = response.error.code, response.error.message
        raise SERVICE.error(Problem(RPC.get(code, errors.Rejected), said, code, raw=raw["error"]))
    if text.strip() and not found:
        said = "a text without words: no 'pages' in fullTextAnnotation, or one entry in textAnnotations"
        raise SERVICE.refusal(said, raw)
    return Answer(tuple(found), raw=raw)


def _unbroken(words: Sequence[Word]) -> list[list[Word]]:
    """Put words together that touch, because Google divides 12:30 at its mark; without breaks, none do."""
    has_break = [bool((last := word.symbols[-1].property) and last.detected_break) for word in words]
    found: list[list[Word]] = []
    for word, begins in zip(words, [True, *has_break[:-1]], strict=bool(words)):
        if begins or not any(has_break):
            found.append([])
        found[-1].append(word)
    return found


def _candidate(words: Sequence[Word]) -> Candidate:
    """Return words that touch, scored with the lowest confidence of their characters, else their own."""
    symbols = [symbol for word in words for symbol in word.symbols]
    signs = tuple(Sign(_score(one), _box(one.bounding_box)) for one in symbols for _ in one.text)
    known = [score for score in map(_score, words) if score is not None]
    own = min(known) if len(known) == len(words) else None
    corners = [corner for word in words for corner in word.bounding_box.vertices]
    text, box = "".join(symbol.text for symbol in symbols), _box(BoundingPoly((*corners,)))
    found = Candidate(text, own, box, signs)
    return replace(found, score=found.score_of(range(len(signs))))  # Google leaves out zeros, or all


def _score(part: Scored) -> float | None:
    return None if part.confidence is UNSET else part.confidence


def _box(polygon: BoundingPoly) -> Box | None:
    return box_around([(corner.x, corner.y) for corner in polygon.vertices])


# Errors: reasons in answers, and exceptions of google-auth while it fetches a token.

TODO: Mapping[str, str] = {
    "BILLING_DISABLED": "enable billing for the project at https://console.cloud.google.com/billing",
    "SERVICE_DISABLED": "enable the Cloud Vision API for the project in Google's console",
}
"""The advice for reasons that do not concern the key."""


def _refused(reply: Reply, raw: Any) -> Problem:
    """Translate a refused request by its HTTP status, or by Google's reason if that is more exact."""
    raw = raw[0] if isinstance(raw, list) and raw else raw
    message = dig(raw, "error", "message") or reply.text
    problem = reply.problem(message, raw)
    info = detail(raw, "google.rpc.ErrorInfo")
    reason, limit = dig(info, "reason"), dig(info, "metadata", "quota_limit").lower()
    kind = problem.kind
    if reason in TODO:
        kind = errors.AuthFailed
    elif reply.status == 429 and "perday" in limit:
        kind = errors.QuotaExceeded
    said = f"{reason}: {message}" if reason else message
    return replace(problem, kind=kind, said=said, todo=TODO.get(reason, ""))


RPC: Mapping[int, type[DigitrecError]] = {
    3: errors.Rejected, 4: errors.Unavailable, 7: errors.AuthFailed, 8: errors.RateLimited,
    13: errors.Unavailable, 14: errors.Unavailable, 16: errors.AuthFailed,
}  # fmt: skip
"""Error classes of the codes in ``responses[i].error`` (google.rpc.Code)."""


def _no_token(error: Any) -> Problem:
    """Translate a refusal of the credentials by the token server."""
    said = str(error.args[0]) if error.args else ""
    if missing := re.search(r"File '?([^']+?)'? was not found", said):
        todo = "correct credential_source in the credentials file, or make the token's file"
        return Problem(errors.NotConfigured, f"{missing[1]}: no such file", todo=todo)
    skewed = "reasonable timeframe" in said
    return Problem(errors.AuthFailed, said, todo="set the clock of this machine" if skewed else "")


ERRORS: Mapping[str, Rule] = {
    "google.auth.exceptions.GoogleAuthError": errors.AuthFailed,
    "google.auth.exceptions.DefaultCredentialsError": errors.NotConfigured,
    "google.auth.exceptions.InvalidOperation": errors.AuthFailed,
    "google.auth.exceptions.RefreshError": _no_token,
    "google.auth.exceptions.TimeoutError": errors.Unreachable,
    "google.auth.exceptions.TransportError": errors.Unreachable,
}
"""Exceptions of google-auth before the image is sent, while it fetches a token; `Wire` handles the others."""

CHECK = "check GOOGLE_API_KEY or the credentials file, and that the Vision API is enabled"
"""The advice if the credentials are refused."""
SERVICE = Service("Google Vision", ERRORS, {errors.AuthFailed: CHECK, errors.NotConfigured: SIGN_IN})
