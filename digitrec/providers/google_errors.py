"""What Google and its SDK mean by their errors: reasons in answers, exceptions on the way to a token."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
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
from digitrec.providers import google_credentials
from digitrec.providers.translate import Problem, Rule, Service, dig, from_http
from digitrec.providers.wire import Reply

BAD_KEY = ("API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED")
"""Reasons that come with status 400, although it is the key that is refused."""

TODO: Mapping[str, str] = {
    "BILLING_DISABLED": "enable billing for the project at https://console.cloud.google.com/billing",
    "SERVICE_DISABLED": "enable the Cloud Vision API for the project in Google's console",
}
"""What to do about the reasons for which nothing is wrong with the key."""


def refused(reply: Reply, raw: Any) -> Problem:
    """A refused request: by HTTP status, and by Google's reason where that is more exact."""
    raw = raw[0] if isinstance(raw, list) and raw else raw
    message = dig(raw, "error", "message") or reply.text
    problem = from_http(reply.status, message, reply.headers, raw)
    info = _error_info(raw)
    reason, limit = dig(info, "reason"), dig(info, "metadata", "quota_limit").lower()
    kind = problem.kind
    if reason in TODO or reason in BAD_KEY or "api key not valid" in message.lower():
        kind = AuthFailed
    elif reply.status == 429 and "perday" in limit:
        kind = QuotaExceeded
    said = f"{reason}: {message}" if reason else message
    return replace(problem, kind=kind, said=said, todo=TODO.get(reason, ""))


def _error_info(raw: Any) -> Any:
    """The detail that names the reason (google.rpc.ErrorInfo), or None."""
    error = raw.get("error") if isinstance(raw, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    infos = details if isinstance(details, list) else []
    return next((info for info in infos if dig(info, "@type").endswith("google.rpc.ErrorInfo")), None)


RPC: Mapping[int, type[DigitrecError]] = {
    3: Rejected,
    4: Unavailable,
    7: AuthFailed,
    8: RateLimited,
    13: Unavailable,
    14: Unavailable,
    16: AuthFailed,
}
"""What the code in ``responses[i].error`` means (google.rpc.Code)."""


def _no_token(error: Any) -> Problem:
    """The credentials were refused where tokens are given out."""
    said = str(error.args[0]) if error.args else ""
    if missing := re.search(r"File '?([^']+?)'? was not found", said):
        todo = "correct credential_source in the credentials file, or make the token's file"
        return Problem(NotConfigured, f"{missing[1]}: no such file", todo=todo)
    skewed = "reasonable timeframe" in said
    return Problem(AuthFailed, said, todo="set the clock of this machine" if skewed else "")


ERRORS: Mapping[str, Rule] = {
    "google.auth.exceptions.GoogleAuthError": AuthFailed,
    "google.auth.exceptions.DefaultCredentialsError": NotConfigured,
    "google.auth.exceptions.InvalidOperation": AuthFailed,
    "google.auth.exceptions.MalformedError": NotConfigured,
    "google.auth.exceptions.RefreshError": _no_token,
    "google.auth.exceptions.TimeoutError": Unreachable,
    "google.auth.exceptions.TransportError": Unreachable,
}
"""What the SDK raises before the image is sent, on its way to a token; all else is `Wire`'s."""

SERVICE = Service(
    "Google Vision",
    ERRORS,
    {
        AuthFailed: "check GOOGLE_API_KEY or the credentials file, and that the Vision API is enabled",
        NotConfigured: google_credentials.ADVICE,
    },
)
