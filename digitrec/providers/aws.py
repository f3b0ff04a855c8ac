"""AWS Rekognition DetectText and Textract DetectDocumentText.

boto3 finds the credentials, the region and the address, builds the requests and signs them; `Wire` sends
them.

Both services report every text twice, as a LINE and as its WORDs; only the WORDs become candidates. Their
confidence of 0 to 100 is divided by 100. In Textract, ``TextType`` in ``raw`` says whether a word is
handwritten or printed.
"""

from __future__ import annotations

import configparser
import logging
import os
import re
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from msgspec import UNSET, Meta, Struct, UnsetType, field

from digitrec import errors
from digitrec.answer import Answer, Candidate, Text
from digitrec.errors import DigitrecError
from digitrec.image import Box, InputSpec, PreparedImage
from digitrec.image.pixels import Size
from digitrec.providers.base import Price, Status, checked_endpoint, checked_key, looked
from digitrec.providers.masking import Secrets, secrets_in, secrets_of_environment
from digitrec.providers.translate import Problem, Rule, Service, box_around, dig, retry_after
from digitrec.providers.wire import EXCHANGE, Cloud, Reply, Wire

KEY_OPTIONS = {
    "access_key": "AWS_ACCESS_KEY_ID",
    "secret_key": "AWS_SECRET_ACCESS_KEY",  # nosec B105 # the name of a variable
    "session_token": "AWS_SESSION_TOKEN",  # nosec B105 # the name of a variable
}
"""The constructor's options for keys, and their variables."""
REGION = ("AWS_REGION", "AWS_DEFAULT_REGION")
Percent = Annotated[float, Meta(ge=0, le=100)]
"""A confidence as AWS reports it."""


class AwsProvider(Cloud):
    """Base class of the AWS services, which read one image per request."""

    operation: ClassVar[tuple[str, str]]
    """boto3's names of the service and of the operation's method."""
    holder: ClassVar[str]
    """Name of the request's field with the image."""
    service: ClassVar[Service]
    """The service's name in messages."""
    schema: ClassVar[type[TextResponse]]
    """The schema of the response."""

    def __init__(
        self,
        *,
        region: str | None = None,
        profile: str | None = None,
        access_key: str | None = None,
        secret_key: str | None = None,
        session_token: str | None = None,
        endpoint: str | None = None,
        allow_plain_http: bool = False,
        name: str | None = None,
    ) -> None:
        """Find the credentials as the AWS CLI does; nothing is sent yet.

        Args:
            region: such as "us-east-1"; None: that of the profile.
            profile: a profile of ~/.aws; takes precedence over keys in the environment.
            access_key, secret_key, session_token: the keys; None: let botocore find them.
            endpoint: address to use instead of the region's own.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: name of this engine in a Prediction; None: its registered name.

        Raises:
            NotInstalled: the extra "aws" is missing.
            NotConfigured: no credentials or no region were found.
        """
        if bool(access_key) != bool(secret_key):
            raise errors.NotConfigured(f"AWS has only one key of the pair; {SET_KEYS}")
        if endpoint:
            endpoint = checked_endpoint(endpoint, "AWS_ENDPOINT_URL", allow_plain_http=allow_plain_http)
        self.name = name or self.name
        given = (access_key, secret_key, session_token)
        keys = [checked_key(it or "", name) for it, name in zip(given, KEY_OPTIONS.values(), strict=True)]
        address = endpoint or f"https://{self.operation[0]}.amazonaws.com"  # until the region is known
        self._wire = Wire(self.service, address, "aws", _refused, Secrets(*keys))
        self._given, self._opening, self._client = endpoint, threading.Lock(), None
        connected = self._wire.prepare(lambda: self._connect(profile, region, keys))
        self.endpoint = self._wire.endpoint = checked_endpoint(
            connected, "the profile", allow_plain_http=allow_plain_http
        )

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """Build from the keys in the environment, else from AWS_PROFILE, else let botocore search.

        The variables of the region and the endpoint are used too. ``options`` override the variables; a
        profile or key among them replaces all credentials of the environment, because a key and a session
        token belong together.
        """
        if env.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
            options = {"endpoint": None, **options}
        credentials: Mapping[str, str] = {}
        if not options.keys() & {"profile", *KEY_OPTIONS}:
            credentials = KEY_OPTIONS if env.get("AWS_ACCESS_KEY_ID") else {"profile": "AWS_PROFILE"}
        found = {option: env.get(name) or None for option, name in credentials.items()}
        return super().from_env(env, **{**found, **options})

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Return which variables and files were found; start no program and ask no metadata service."""
        credentials, region = found_credentials(env), found_region(env)
        missing = [*([] if credentials else [SET_KEYS]), *([] if region else [SET_REGION])]
        return looked("aws", ["boto3"], dict.fromkeys(credentials + region), missing)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Send one request and return its answer."""
        reply = self._wire.call(lambda: self._ask(image.data), timeout=timeout)
        return self.parse(self._wire.document(reply), image.size)

    @classmethod
    def parse(cls, raw: Any, size: Size = (1, 1)) -> Answer:
        """Convert the body of a response, any JSON value, to an Answer.

        Args:
            raw: the body.
            size: width and height of the image that was sent; boxes are in its pixels.

        Raises:
            BadAnswer: the value does not follow the schema.
        """
        response = cls.service.document(raw, cls.schema)
        words = []
        for place, block in enumerate(response.blocks):
            if block.kind == "WORD":
                if block.text is UNSET or block.confidence is UNSET:
                    raise cls.service.refusal(f"Blocks[{place}]: a WORD without Text or Confidence", raw)
                words.append(Candidate(block.text, block.confidence / 100, box_on(block.geometry, size)))
        if not words and any(block.kind != "PAGE" for block in response.blocks):
            raise cls.service.refusal("texts, and no WORD among them", raw)
        return Answer(tuple(words), raw=raw, model_version=response.version or None)

    def _ask(self, data: bytes) -> None:
        with self._opening:
            if self._client is None:
                self._client = self._opened()
            self._wire.secrets.learn(*self._credentials().get_frozen_credentials())
        getattr(self._client, self.operation[1])(**{self.holder: {"Bytes": data}})

    def _connect(self, profile: str | None, region: str | None, keys: Sequence[str]) -> str:
        """Make botocore's session, whose requests go through the wire; return the service's address."""
        from botocore.session import Session

        for name in list(logging.root.manager.loggerDict):
            if name.startswith("botocore."):
                logging.getLogger(name).addFilter(_may_be_logged)
        wire, session = self._wire, Session(profile=profile)
        wire.secrets.learn(*secrets_of_environment("AWS_"), *secrets_in(session.full_config))
        wire.bundle = session.get_config_variable("ca_bundle")
        send: Any = self._send
        session.register("before-send", send)
        if region:
            session.set_config_variable("region", region)
        access_key, secret_key, token = keys
        if access_key:
            session.set_credentials(access_key, secret_key, token or None)
        self._session: Any = session
        client = self._opened(aws_access_key_id="unused", aws_secret_access_key="unused")  # nosec B106 # noqa: S106
        client.close()
        # A program that prints keys runs with the first request, within its timeout.
        profiles = session.full_config.get("profiles", {}).values()
        if not any("credential_process" in one for one in profiles):
            self._credentials()
        return str(client.meta.endpoint_url)

    def _credentials(self) -> Any:
        credentials = self._session.get_credentials()
        if credentials is None:
            raise errors.NotConfigured(f"AWS has no credentials; {SET_KEYS}")
        return credentials

    def _opened(self, **keys: str) -> Any:
        import boto3
        from botocore.config import Config

        session: Any = boto3.Session(botocore_session=self._session)
        once = Config(retries={"total_max_attempts": 1})
        return session.client(self.operation[0], endpoint_url=self._given, config=once, **keys)

    def _send(self, request: Any, event_name: str, **_: Any) -> Any:
        """Send one of botocore's requests; requests for credentials are sent as errands."""
        from botocore.awsrequest import AWSResponse
        from requests import PreparedRequest
        from requests.structures import CaseInsensitiveDict

        sent = PreparedRequest()  # filled in, not prepared: the signed request must be sent unchanged
        sent.method, sent.url, sent.body = request.method, request.url, request.body
        sent.headers = CaseInsensitiveDict(request.headers)
        if event_name.startswith(f"before-send.{self.operation[0]}."):
            return self._wire.questions.send(sent)
        reply: Any = self._wire.errands.get_adapter(request.url).send(sent)
        return AWSResponse(request.url, reply.status_code, reply.headers, reply.raw)


def _may_be_logged(record: logging.LogRecord) -> bool:
    """Return False for botocore's lines about our requests: even its warnings may hold tokens."""
    return record.levelno > logging.WARNING or EXCHANGE.get(None) is None


# Credentials that are found without botocore, in variables and the two files of ~/.aws.

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
ROLES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables on AWS's own machines whose role provides the keys."""
SOURCES = {
    "aws_access_key_id", "credential_process", "login_session", "role_arn", "sso_session", "sso_start_url",
}  # fmt: skip
"""Settings of a profile from which botocore obtains keys."""


def found_credentials(env: Mapping[str, str]) -> list[str]:
    """Return the names of the variables and files that hold keys, never their contents."""
    if all(env.get(name) for name in KEYS):
        return list(KEYS)
    named = ["AWS_PROFILE"] if env.get("AWS_PROFILE") else []
    files = [str(file) for file, settings in _profile(env) if SOURCES & settings]
    return [*named, *files] if files else [name for name in ROLES if env.get(name)][:1]


def found_region(env: Mapping[str, str]) -> list[str]:
    """Return the name of the variable or file that sets the region, or an empty list."""
    named = [name for name in REGION if env.get(name)]
    return [*named, *(str(file) for file, settings in _profile(env) if "region" in settings)][:1]


def _profile(env: Mapping[str, str]) -> list[tuple[Path, set[str]]]:
    """Return both files of ~/.aws, each with the names of the profile's settings in it."""
    profile = env.get("AWS_PROFILE") or env.get("AWS_DEFAULT_PROFILE") or "default"
    home = Path(env.get("HOME") or env.get("USERPROFILE") or "~")
    found = []
    for variable, name in (("AWS_SHARED_CREDENTIALS_FILE", "credentials"), ("AWS_CONFIG_FILE", "config")):
        file = Path(os.path.expanduser(env.get(variable) or home / ".aws" / name))  # noqa: PTH111 (Path's raises if there is no such user)
        parser = configparser.RawConfigParser(strict=False)
        with suppress(OSError, ValueError, configparser.Error):  # an unreadable file has no settings
            parser.read_string(file.read_text("utf-8"))
        sections = {profile, f"profile {profile}"} & set(parser.sections())
        found.append((file, {setting for section in sections for setting in parser.options(section)}))
    return found


# Errors: codes in responses, and exceptions of botocore during its search for credentials.

SET_KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (`aws configure` makes one)"
SIGN_IN = "sign in again: `aws sso login`, with --profile where you use one"
CORRECT_SETTING = "correct it in the AWS_ variables or the profile"
SET_REGION = "set AWS_REGION, or a region in the profile"

CODES: Mapping[str, type[DigitrecError]] = {
    code: kind
    for kind, codes in (
        (errors.AuthFailed, """
            AccessDenied AuthFailure ExpiredToken IncompleteSignature InvalidAccessKeyId InvalidClientTokenId
            InvalidSignature InvalidToken MissingAuthenticationToken NotAuthorized OptInRequired
            RequestExpired RequestInTheFuture RequestTimeTooSkewed SignatureDoesNotMatch SubscriptionRequired
            TokenRefreshRequired UnauthorizedOperation UnrecognizedClient"""),
        (errors.QuotaExceeded, "LimitExceeded ServiceQuotaExceeded"),
        (errors.RateLimited, """
            BandwidthLimitExceeded EC2Throttled PriorRequestNotComplete ProvisionedThroughputExceeded
            RequestLimitExceeded RequestThrottled SlowDown Throttled Throttling TooManyRequests
            TransactionInProgress"""),
        # RequestTimeout does not mean a late answer: AWS waited for the request.
        (errors.Unavailable,
         "InternalFailure InternalServer RequestAborted RequestTimeout ServiceUnavailable"),
    )
    for code in codes.split()
}  # fmt: skip
"""Error classes by AWS's code; the HTTP status 400 alone, as for a bad image, means Rejected.

The codes omit the suffix "Exception" or "Error", which only some services write. They come from the
documentation of Rekognition, Textract and the common errors, and from ``botocore.retries.standard``.
"""
SKEWED = re.compile(r"(?i)RequestExpired|RequestInTheFuture|Skewed|not yet current|Signature expired")
"""Words of AWS's errors for a local clock that is wrong by more than five minutes."""


def _refused(reply: Reply, raw: Any) -> Problem:
    """Translate a refused request by AWS's code, else by its HTTP status."""
    named = reply.headers.get("x-amzn-errortype") or dig(raw, "__type") or dig(raw, "code")
    code = named.rpartition("#")[2].partition(":")[0].strip()
    message = dig(raw, "message") or dig(raw, "Message") or ("" if isinstance(raw, dict) else reply.text)
    kind = _kind_of(code)
    if kind is None:
        said = f"{code}: {message}" if code and not code.isdecimal() else message
        return reply.problem(said, raw)
    todo = "set the clock of this machine" if SKEWED.search(f"{code} {message}") else ""
    return Problem(kind, message, code, retry_after(reply.headers), raw, todo)


def _kind_of(code: str) -> type[DigitrecError] | None:
    return CODES.get(code.removesuffix("Exception").removesuffix("Error"))


def _no_credentials(error: Any) -> Problem:
    """Translate a failure of the program or service that provides credentials; its text may contain them."""
    return Problem(errors.NotConfigured, f"no credentials by {error.kwargs.get('provider', 'the profile')}")


def _client_error(error: Any) -> Problem:
    """Translate a refusal or a temporary failure of a service that provides credentials (STS, SSO)."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    passes = _kind_of(code) in (errors.RateLimited, errors.Unavailable) or status == 429 or status >= 500
    return Problem(errors.Unreachable if passes else errors.AuthFailed, str(error))


ERRORS: Mapping[str, Rule] = {
    "botocore.exceptions.BotoCoreError": Problem(errors.NotConfigured, todo=CORRECT_SETTING),
    "botocore.exceptions.CredentialRetrievalError": _no_credentials,
    "botocore.exceptions.NoCredentialsError": errors.NotConfigured,
    "botocore.exceptions.NoRegionError": errors.NotConfigured,
    "botocore.exceptions.LoginError": Problem(errors.AuthFailed, todo="sign in again: `aws login`"),
    "botocore.exceptions.SSOError": Problem(errors.AuthFailed, todo=SIGN_IN),
    "botocore.exceptions.TokenRetrievalError": Problem(errors.AuthFailed, todo=SIGN_IN),
    "botocore.exceptions.ClientError": _client_error,
    "botocore.exceptions.HTTPClientError": errors.Unreachable,
    "botocore.exceptions.ConnectionError": errors.Unreachable,
    "botocore.exceptions.MetadataRetrievalError": errors.Unreachable,
}
"""Exceptions of botocore during its search for credentials, before a request; `Wire` handles the rest."""


def service(name: str, permission: str) -> Service:
    """Describe a service of AWS by its name in messages and the permission that its request needs."""
    keys = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or the profile, and its permission"
    advice = {errors.AuthFailed: f"{keys} {permission}", errors.NotConfigured: f"{SET_KEYS}; {SET_REGION}"}
    return Service(name, ERRORS, advice)


# Rekognition and Textract


class BoundingBox(Struct, rename="pascal"):
    """A box in shares of the image's width and height."""

    left: float
    top: float
    width: float
    height: float


class Geometry(Struct, rename="pascal"):
    """Box of a text; AWS also gives a polygon."""

    bounding_box: BoundingBox


def box_on(geometry: Geometry | None, size: Size) -> Box | None:
    """Return a text's box in pixels of an image of this width and height; None without geometry."""
    if geometry is None:
        return None
    (width, height), box = size, geometry.bounding_box
    right, bottom = box.left + box.width, box.top + box.height
    return box_around([(box.left * width, box.top * height), (right * width, bottom * height)])


class TextBlock(Struct):
    """A PAGE, a LINE, a WORD or an unknown kind of block; texts have a text and a confidence."""

    kind: str = field(name="BlockType")
    text: Text | UnsetType = field(name="Text", default=UNSET)
    confidence: Percent | UnsetType = field(name="Confidence", default=UNSET)
    geometry: Geometry | None = field(name="Geometry", default=None)


class TextDetection(TextBlock):
    """A `TextBlock` with Rekognition's field names."""

    kind: str = field(name="Type")
    text: Text | UnsetType = field(name="DetectedText", default=UNSET)


class TextResponse(Struct):
    """The body of Textract's response; if there is no text, its list is empty or holds only a PAGE."""

    blocks: Sequence[TextBlock] = field(name="Blocks")
    version: str = field(name="DetectDocumentTextModelVersion", default="")


class DetectTextResponse(TextResponse):
    """The body of Rekognition's response; if there is no text, its list is empty."""

    blocks: Sequence[TextDetection] = field(name="TextDetections")
    version: str = field(name="TextModelVersion", default="")


class Aws(AwsProvider):
    """Read text with AWS Rekognition."""

    name = "aws"
    operation = ("rekognition", "detect_text")
    schema = DetectTextResponse
    holder = "Image"
    variables: ClassVar[Mapping[str, Sequence[str]]] = {
        "region": REGION, "endpoint": ("AWS_ENDPOINT_URL_REKOGNITION", "AWS_ENDPOINT_URL"),
    }  # fmt: skip
    service = service("AWS Rekognition", "rekognition:DetectText")
    wants = InputSpec(encoding="png", min_side=200, max_side=4096, max_bytes=5_242_880, margin=0.1)
    price: Price | None = Price(
        0.001, "second-hand copy of aws.amazon.com/rekognition/pricing: $1.00 per 1,000; 2026-11"
    )
    rate = 5.0  # the lowest of the regions' defaults that AWS publishes


class AwsTextract(AwsProvider):
    """Read text with AWS Textract."""

    name = "aws-textract"
    operation = ("textract", "detect_document_text")
    schema = TextResponse
    holder = "Document"
    variables: ClassVar[Mapping[str, Sequence[str]]] = {
        "region": REGION, "endpoint": ("AWS_ENDPOINT_URL_TEXTRACT", "AWS_ENDPOINT_URL"),
    }  # fmt: skip
    service = service("AWS Textract", "textract:DetectDocumentText")
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=10_000_000, margin=0.1)
    price: Price | None = Price(
        0.0015, "second-hand (2022 to 2025) from aws.amazon.com/textract/pricing: $1.50 per 1,000; 2026-11"
    )
    rate = 5.0  # a cautious guess: the default differs by region and account
