"""Foreign exceptions and HTTP statuses to ours: a table per provider, applied in one place.

Each provider module has ``ERRORS``, from the full name of an exception class to one of our error
classes, or to a function that looks inside the exception. Names, not classes, because the table is
there before the SDK is imported. The most specific class that is listed decides; an exception that is
not listed is a programming error and passes through.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    DigitrecError,
    NotConfigured,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
    Unreachable,
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, before it is put into words."""

    kind: type[DigitrecError]
    """Which of our errors it is."""
    said: str = ""
    """The vendor's own words; keys are taken out and long ones cut before anybody sees them."""
    status: int | str | None = None
    """The vendor's status: an HTTP status or an error code."""
    retry_after: float | None = None
    """Seconds the vendor asked us to wait, >= 0, or None."""
    raw: Any = None
    """The vendor's answer, JSON-like, or None."""


Rule = type[DigitrecError] | Callable[[Any], Problem]
"""One of our classes, or a function from the foreign exception to a Problem."""

WORDS: Mapping[type[DigitrecError], tuple[str, str]] = {
    Rejected: ("refused this image or request", "the same again will not help: send another image"),
    AuthFailed: ("refused the credentials", "correct them (`digitrec providers` lists what was found)"),
    QuotaExceeded: ("says that the allowance is spent", "wait for the next period or raise the quota"),
    RateLimited: ("was asked too fast", "slow down, then try again"),
    TimedOut: ("did not answer in time", "try again, or allow more with --timeout"),
    Unavailable: ("is out of reach or failing for the moment", "check the network, then try again later"),
    Unreachable: ("cannot be reached", "check the network and the endpoint, then try again later"),
    BadAnswer: ("answered with something that is not its protocol", "check the endpoint and any proxy"),
    NotConfigured: ("is not configured", "`digitrec providers` lists what is missing"),
}
"""What happened and what to do, for each class; a provider's own advice replaces the second half."""

STATUS: Mapping[int, type[DigitrecError]] = {
    400: Rejected,
    401: AuthFailed,
    403: AuthFailed,
    404: Rejected,
    408: TimedOut,
    413: Rejected,
    415: Rejected,
    429: RateLimited,
}
"""What an HTTP status means where the vendor says nothing more exact; 5xx is Unavailable."""

NOT_CONNECTED = {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError", "ProxyError"}
"""What urllib3 calls it when there is no connection to send a request on."""


def _connection_error(error: Any) -> Problem:
    """A connection that never was, or that broke after the request may have been sent; the reason tells."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return Problem(Unreachable if type(reason).__name__ in NOT_CONNECTED else Unavailable, str(error))


REQUESTS: Mapping[str, Rule] = {
    "requests.exceptions.ChunkedEncodingError": BadAnswer,
    "requests.exceptions.ConnectTimeout": Unreachable,
    "requests.exceptions.ConnectionError": _connection_error,
    "requests.exceptions.ContentDecodingError": BadAnswer,
    "requests.exceptions.RequestException": Unavailable,
    "requests.exceptions.SSLError": Unreachable,  # the handshake comes before the request
    "requests.exceptions.Timeout": TimedOut,
}
"""What requests raises, which two of the SDKs let through or wrap."""

MISSING_ADDRESS = "nothing is at this address: check the endpoint"
SHORTEST_SECRET = 8
"""No real key is shorter, and taking out a test's "k" would make a message unreadable."""
SPENT = re.compile(r"\bper (day|month)\b|perday|daily|volume quota|billing", re.IGNORECASE)
"""Words by which the vendors mark a spent allowance, where they have no status of its own for it."""


@dataclass(frozen=True)
class Service:
    """A vendor's service: its name in messages, its table, and what its users should check."""

    name: str
    """As it stands at the start of a message."""
    errors: Mapping[str, Rule]
    """Full name of an exception class -> what it means."""
    advice: Mapping[type[DigitrecError], str] = field(default_factory=dict)
    """What to do, for the classes where the vendor's users know it more exactly than `WORDS`."""

    def error(self, problem: Problem, secrets: Sequence[str] = ()) -> DigitrecError:
        """Our exception for a problem, in one line: what happened, what was said, what to do."""
        happened, todo = WORDS[problem.kind]
        if problem.status == 404:
            todo = MISSING_ADDRESS
        todo = self.advice.get(problem.kind, todo)
        said = _one_line(without(problem.said, secrets))
        details = ": ".join(str(part) for part in (problem.status, said) if part)
        message = f"{self.name} {happened}{f' ({details})' if details else ''}; {todo}"
        if not issubclass(problem.kind, ProviderError):
            return problem.kind(message)
        error = problem.kind(message, status=problem.status, raw=without(problem.raw, secrets))
        if isinstance(error, RateLimited | Unavailable):
            error.retry_after = problem.retry_after
        return error

    @contextmanager
    def translated(self, secrets: Sequence[str] = ()) -> Iterator[None]:
        """Inside, an exception in the table becomes one of ours, and ``secrets`` never show in it."""
        try:
            yield
        except DigitrecError:
            raise
        except Exception as error:
            problem = problem_of(error, self.errors)
            if problem is None:
                raise
            leaks = without(str(error), secrets) != str(error)
            raise self.error(problem, secrets) from (None if leaks else error)


def problem_of(error: Exception, errors: Mapping[str, Rule]) -> Problem | None:
    """What the table says of an exception, by its most specific class that is listed."""
    for cls in type(error).__mro__:
        rule = errors.get(f"{cls.__module__}.{cls.__qualname__}")
        if isinstance(rule, type):
            return Problem(rule, str(error))
        if rule is not None:
            return rule(error)
    return None


def from_http(status: int, said: str, headers: Mapping[str, str], raw: Any = None) -> Problem:
    """What an HTTP error status means, with the wait that its headers ask for."""
    kind = STATUS.get(status)
    if kind is None:
        kind = Unavailable if status >= 500 else Rejected if status >= 400 else BadAnswer
    if status in (403, 429) and SPENT.search(said):
        kind = QuotaExceeded
    return Problem(kind, said, status, retry_after(headers), raw)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait from a Retry-After header, >= 0 (RFC 9110: a number of seconds or a date)."""
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), None)
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        when = parsedate_to_datetime(value)
    except ValueError:
        return None
    if when.tzinfo is None:  # "-0000": a time in UTC, by RFC 5322
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def without(value: Any, secrets: Sequence[str]) -> Any:
    """A JSON-like value with every secret in its texts replaced by ``***``."""
    if isinstance(value, str):
        for secret in secrets:
            if len(secret) >= SHORTEST_SECRET:
                value = value.replace(secret, "***").replace(repr(secret)[1:-1], "***")  # SDKs quote
        return value
    if isinstance(value, Mapping):
        return {without(key, secrets): without(item, secrets) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without(item, secrets) for item in value]
    return value


def _one_line(text: str, most: int = 200) -> str:
    if text.lstrip().startswith("<"):
        return "a web page"
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."
