"""AWS Signature Version 4: verify that a request was signed with a known secret.

The steps and names follow AWS's "Create a signed AWS API request" (canonical request, string to sign,
signing key, signature).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from digitrec.emulator.vendors.base import Request

MAX_SKEW = timedelta(minutes=5)
"""Largest difference between a request's time and ours."""
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<scope>(?P<day>\d{8})/[^/,\s]+/(?P<service>[^/,\s]+)"
    r"/aws4_request),\s*SignedHeaders=(?P<headers>[a-z0-9;-]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


class AwsError(Exception):
    """AWS rejects this request.

    Attributes:
        code: AWS's name of the error, such as "InvalidSignatureException".
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def verify(
    request: Request, secrets: Mapping[str, str], service: str, *, now: datetime | None = None
) -> None:
    """Check who signed a request, when and for which service, and that it was not changed since.

    Args:
        request: the request.
        secrets: access key ids and their secrets.
        service: the service it must be signed for, such as "rekognition".
        now: the current time, with a time zone; None: the clock's.

    Raises:
        AwsError: with AWS's code and message.
    """
    header = request.headers.get("authorization")
    if header is None:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token")
    signed = _AUTHORIZATION.fullmatch(header.strip())
    if signed is None or not {"host", "x-amz-date"} <= set(signed["headers"].split(";")):
        raise AwsError("IncompleteSignatureException", "The Authorization header is incomplete.")
    if signed["key"] not in secrets:
        message = "The security token included in the request is invalid."
        raise AwsError("UnrecognizedClientException", message)
    if signed["service"] != service:
        raise AwsError("InvalidSignatureException", f"The credential is not scoped to {service!r}.")
    stamp = request.headers.get("x-amz-date", "")
    _check_time(stamp, signed["day"], now or datetime.now(UTC))
    if not hmac.compare_digest(
        _signature(request, signed, stamp, secrets[signed["key"]]), signed["signature"]
    ):
        message = "The request signature we calculated does not match the signature you provided."
        raise AwsError("InvalidSignatureException", message)


def _check_time(stamp: str, day: str, now: datetime) -> None:
    try:
        time = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise AwsError("IncompleteSignatureException", f"X-Amz-Date {stamp!r} is not valid.") from None
    if abs(now - time) > MAX_SKEW or not stamp.startswith(day):
        message = f"Signature expired: {stamp} is not within 5 min. of {now:%Y%m%dT%H%M%SZ}"
        raise AwsError("InvalidSignatureException", message)


def _signature(request: Request, signed: re.Match[str], stamp: str, secret: str) -> str:
    digest = hashlib.sha256(_canonical(request, signed["headers"]).encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{stamp}\n{signed['scope']}\n{digest}"
    key = f"AWS4{secret}".encode()
    for part in signed["scope"].split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _canonical(request: Request, signed_headers: str) -> str:
    """Return the request in the form that both sides hash."""
    given = parse_qsl(request.query, keep_blank_values=True)
    query = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in given)
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed_headers.split(";")
    )
    body = hashlib.sha256(request.body).hexdigest()
    path = quote(request.path, safe="/~")
    pairs = "&".join(f"{name}={value}" for name, value in query)
    return "\n".join([request.method, path, pairs, headers, signed_headers, body])
