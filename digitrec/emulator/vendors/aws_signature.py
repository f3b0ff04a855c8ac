"""AWS Signature Version 4: whether a request was signed with the secret we know.

The steps and names follow AWS's "Create a signed AWS API request" (canonical request, string to sign,
signing key, signature).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from digitrec.emulator.vendors.base import Request

MAX_SKEW = timedelta(minutes=5)
"""How far a request's time may be from ours."""
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<day>\d{8})/(?P<region>[^/,\s]+)/(?P<service>[^/,\s]+)"
    r"/aws4_request,\s*SignedHeaders=(?P<headers>[a-z0-9;-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


class AwsError(Exception):
    """AWS would refuse this request: it is not signed as it should be, or asks for what cannot be.

    Attributes:
        code: AWS's name for what is wrong, such as "InvalidSignatureException".
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class _Authorization:
    """What the Authorization header says."""

    key: str
    day: str
    region: str
    service: str
    headers: str
    signature: str

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def verify(
    request: Request, secrets: Mapping[str, str], service: str, *, now: datetime | None = None
) -> None:
    """Check who signed a request, when, for what, and that nothing was changed since.

    Args:
        request: as it came in.
        secrets: access key ids and their secrets.
        service: name of the service it must be signed for, such as "rekognition".
        now: the time to judge by, with a time zone; None: the clock's.

    Raises:
        AwsError: with AWS's code and message.
    """
    signed_by = _authorization(request)
    if signed_by.key not in secrets:
        message = "The security token included in the request is invalid."
        raise AwsError("UnrecognizedClientException", message)
    if signed_by.service != service:
        message = f"Credential should be scoped to correct service: '{service}'."
        raise AwsError("InvalidSignatureException", message)
    stamp = request.headers.get("x-amz-date", "")
    _check_time(stamp, signed_by, now or datetime.now(UTC))
    if not hmac.compare_digest(
        _signature(request, signed_by, stamp, secrets[signed_by.key]), signed_by.signature
    ):
        raise AwsError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. Check your AWS "
            "Secret Access Key and signing method. Consult the service documentation for details.",
        )


def _authorization(request: Request) -> _Authorization:
    header = request.headers.get("authorization")
    if header is None:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")
    match = _AUTHORIZATION.fullmatch(header.strip())
    if match is None or not {"host", "x-amz-date"} <= set(match["headers"].split(";")):
        message = "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters."
        raise AwsError("IncompleteSignatureException", message)
    return _Authorization(**match.groupdict())


def _check_time(stamp: str, signed_by: _Authorization, now: datetime) -> None:
    try:
        signed = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        message = "Authorization header requires existence of a valid 'X-Amz-Date' header."
        raise AwsError("IncompleteSignatureException", message) from None
    if abs(now - signed) > MAX_SKEW or not stamp.startswith(signed_by.day):
        message = f"Signature expired: {stamp} is not within 5 min. of {now:%Y%m%dT%H%M%SZ}"
        raise AwsError("InvalidSignatureException", message)


def _signature(request: Request, signed_by: _Authorization, stamp: str, secret: str) -> str:
    digest = hashlib.sha256(_canonical(request, signed_by.headers).encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{signed_by.scope}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in (signed_by.day, signed_by.region, signed_by.service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _canonical(request: Request, signed_headers: str) -> str:
    """The request in the one form in which both sides hash it."""
    pairs = sorted((_escaped(k), _escaped(v)) for k, v in parse_qsl(request.query, keep_blank_values=True))
    names = signed_headers.split(";")
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    return "\n".join((
        request.method, quote(request.path, safe="/~"), "&".join(f"{k}={v}" for k, v in pairs),
        headers, signed_headers, hashlib.sha256(request.body).hexdigest(),
    ))  # fmt: skip


def _escaped(text: str) -> str:
    return quote(text, safe="-_.~")
