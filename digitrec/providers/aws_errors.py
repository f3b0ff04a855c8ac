"""What AWS and boto3 mean by their errors: codes in answers, exceptions on the way to credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from digitrec.errors import (
    AuthFailed,
    DigitrecError,
    NotConfigured,
    QuotaExceeded,
    RateLimited,
    Rejected,
    Unavailable,
    Unreachable,
)
from digitrec.providers.translate import Problem, Rule, Service, dig, from_http, retry_after
from digitrec.providers.wire import Reply

KEYS = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE (`aws configure` makes one)"
SIGN_IN = "sign in again: `aws sso login`, with --profile where you use one"
REGION = "set AWS_REGION, or a region in the profile"

CODES: Mapping[str, type[DigitrecError]] = {
    "AccessDenied": AuthFailed,
    "AuthFailure": AuthFailed,
    "ExpiredToken": AuthFailed,
    "IncompleteSignature": AuthFailed,
    "InvalidAccessKeyId": AuthFailed,
    "InvalidClientTokenId": AuthFailed,
    "InvalidSignature": AuthFailed,
    "InvalidToken": AuthFailed,
    "MissingAuthenticationToken": AuthFailed,
    "NotAuthorized": AuthFailed,
    "OptInRequired": AuthFailed,
    "RequestExpired": AuthFailed,
    "RequestInTheFuture": AuthFailed,
    "RequestTimeTooSkewed": AuthFailed,
    "SignatureDoesNotMatch": AuthFailed,
    "TokenRefreshRequired": AuthFailed,
    "UnauthorizedOperation": AuthFailed,
    "UnrecognizedClient": AuthFailed,
    "BadDocument": Rejected,
    "DocumentTooLarge": Rejected,
    "ImageTooLarge": Rejected,
    "InvalidImageFormat": Rejected,
    "InvalidParameter": Rejected,
    "UnsupportedDocument": Rejected,
    "Validation": Rejected,
    "LimitExceeded": QuotaExceeded,
    "ServiceQuotaExceeded": QuotaExceeded,
    "BandwidthLimitExceeded": RateLimited,
    "EC2Throttled": RateLimited,
    "PriorRequestNotComplete": RateLimited,
    "ProvisionedThroughputExceeded": RateLimited,
    "RequestLimitExceeded": RateLimited,
    "RequestThrottled": RateLimited,
    "SlowDown": RateLimited,
    "Throttled": RateLimited,
    "Throttling": RateLimited,
    "TooManyRequests": RateLimited,
    "TransactionInProgress": RateLimited,
    "InternalFailure": Unavailable,
    "InternalServer": Unavailable,
    "RequestTimeout": Unavailable,  # it waited for the request in vain: no answer of its own was late
    "ServiceUnavailable": Unavailable,
}
"""AWS tells its errors apart by code; the HTTP status is 400 for a bad image, a bad key and a flood.

Without the "Exception" or "Error" at their ends, which some of its services write and some do not. From
Rekognition's, Textract's and the common errors of AWS's documentation, and what botocore itself tries again
(``botocore.retries.standard``).
"""
SKEWED = re.compile(
    r"RequestExpired|RequestInTheFuture|Skewed|not yet current|Signature expired", re.IGNORECASE
)
"""By what AWS says that the clock here and its own differ by more than five minutes."""


def refused(reply: Reply, raw: Any) -> Problem:
    """A refused request: by AWS's code, else by the HTTP status."""
    named = reply.headers.get("x-amzn-errortype") or dig(raw, "__type") or dig(raw, "code")
    code = named.rpartition("#")[2].partition(":")[0].strip()
    message = dig(raw, "message") or dig(raw, "Message") or ("" if isinstance(raw, dict) else reply.text)
    kind = CODES.get(code.removesuffix("Exception").removesuffix("Error"))
    if kind is None:
        said = f"{code}: {message}" if code and not code.isdecimal() else message
        return from_http(reply.status, said, reply.headers, raw)
    todo = "set the clock of this machine" if SKEWED.search(f"{code} {message}") else ""
    return Problem(kind, message, code, retry_after(reply.headers), raw, todo)


def _no_credentials(error: Any) -> Problem:
    """A program or a service that gives credentials failed; what it said may hold some."""
    return Problem(NotConfigured, f"no credentials by {error.kwargs.get('provider', 'the profile')}")


def _client_error(error: Any) -> Problem:
    """A service on the way to credentials (STS, SSO) refused, or failed for the moment."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    kind = CODES.get(code.removesuffix("Exception").removesuffix("Error"))
    passes = kind in (RateLimited, Unavailable) or status == 429 or status >= 500
    return Problem(Unreachable if passes else AuthFailed, str(error))


def _signed_out(error: Any) -> Problem:
    """There is no sign-in, or it has expired."""
    return Problem(AuthFailed, str(error), todo=SIGN_IN)


def _login(error: Any) -> Problem:
    """The same for the sign-in by `aws login`."""
    return Problem(AuthFailed, str(error), todo="sign in again: `aws login`")


def _setting(error: Any) -> Problem:
    """A setting that botocore refuses."""
    return Problem(NotConfigured, str(error), todo="correct it in the AWS_ variables or the profile")


def _file(error: Any) -> Problem:
    """A file that is none of AWS's; its lines may hold keys."""
    return Problem(NotConfigured, f"{error.kwargs.get('path', 'a file of ~/.aws')} cannot be read")


ERRORS: Mapping[str, Rule] = {
    "botocore.exceptions.BotoCoreError": _setting,
    "botocore.exceptions.ConfigNotFound": _file,
    "botocore.exceptions.ConfigParseError": _file,
    "botocore.exceptions.CredentialRetrievalError": _no_credentials,
    "botocore.exceptions.NoCredentialsError": NotConfigured,
    "botocore.exceptions.NoRegionError": NotConfigured,
    "botocore.exceptions.InvalidRegionError": NotConfigured,
    "botocore.exceptions.PartialCredentialsError": NotConfigured,
    "botocore.exceptions.ProfileNotFound": NotConfigured,
    "botocore.exceptions.LoginError": _login,
    "botocore.exceptions.SSOError": _signed_out,
    "botocore.exceptions.TokenRetrievalError": _signed_out,
    "botocore.exceptions.ClientError": _client_error,
    "botocore.exceptions.HTTPClientError": Unreachable,
    "botocore.exceptions.ConnectionError": Unreachable,
    "botocore.exceptions.MetadataRetrievalError": Unreachable,
}
"""What boto3 raises before the image is sent, in its search for credentials; all else is `Wire`'s."""


def service(name: str, permission: str) -> Service:
    """A service of AWS, by its name in messages and the permission that its question needs."""
    keys = "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or the profile, and its permission"
    return Service(name, ERRORS, {AuthFailed: f"{keys} {permission}", NotConfigured: f"{KEYS}; {REGION}"})
