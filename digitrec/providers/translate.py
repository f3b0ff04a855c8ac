"""Foreign exceptions, HTTP statuses and documents to ours, in one place.

Each provider module has ``ERRORS``, from the full name of an exception class to one of our error
classes, or to a function that looks inside the exception. Names, not classes, because the table is
there before the library is imported. The most specific class that is listed decides; an exception that is
not listed is a programming error and passes through.

Each provider also has the schema of its vendor's document (docs/decisions.md), which is validated as a whole.
A schema names the fields that digitrec uses; all others may hold anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Annotated, Any, TypeVar

import msgspec

from digitrec import errors
from digitrec.answer import DEEPEST, is_deeper, no_json
from digitrec.errors import DigitrecError, ProviderError
from digitrec.image import Box
from digitrec.providers.masking import Secrets

T = TypeVar("T")


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
    todo: str = ""
    """What to do about it, where that is known more exactly than by its kind."""


Rule = type[DigitrecError] | Problem | Callable[[Any], Problem]
"""One of our classes, a Problem that lacks the exception's words, or a function from the exception to one."""

WORDS: Mapping[type[DigitrecError], tuple[str, str]] = {
    errors.Rejected: ("refused this image or request", "a retry will not help: send another image"),
    errors.AuthFailed: ("refused the credentials", "correct them (see `digitrec providers`)"),
    errors.QuotaExceeded: ("says that the allowance is spent", "wait for the next period or raise the quota"),
    errors.RateLimited: ("was asked too fast", "slow down, then try again"),
    errors.TimedOut: ("did not answer in time", "try again, or raise --timeout and --attempt-timeout"),
    errors.Unavailable: ("is unreachable or failing now", "check the network, then try again later"),
    errors.Unreachable: ("cannot be reached", "check the network and the endpoint, then try again later"),
    errors.BadAnswer: ("sent an answer outside its protocol", "check the endpoint and any proxy"),
    errors.NotConfigured: ("is not configured", "`digitrec providers` lists what is missing"),
}
"""What happened and what to do, for each class; a provider's own advice replaces the second half."""

STATUS: Mapping[int, type[DigitrecError]] = {
    401: errors.AuthFailed, 402: errors.QuotaExceeded, 403: errors.AuthFailed,
    407: errors.NotConfigured, 408: errors.TimedOut, 429: errors.RateLimited,
}  # fmt: skip
"""What an HTTP status means where the vendor says nothing more exact.

Any other 4xx is Rejected, any other 5xx Unavailable."""

STATUS_ADVICE: Mapping[object, str] = {
    402: "add credit to the account, or choose another",
    404: "nothing is at this address: check the endpoint",
    407: "set HTTPS_PROXY or HTTP_PROXY to http://USER:PASSWORD@HOST:PORT, as the proxy demands",
}
"""What to do about a status that has one cause."""
SPENT = re.compile(r"\bper (day|month)\b|perday|daily|volume quota|billing", re.IGNORECASE)
"""Words by which the vendors mark a spent allowance, where they have no status of its own for it."""


@dataclass(frozen=True)
class Service:
    """A vendor's service: its name in messages, its table, and what its users should check."""

    name: str
    """The service's name at the start of a message."""
    errors: Mapping[str, Rule]
    """Full name of an exception class -> what it means."""
    advice: Mapping[type[DigitrecError], str] = field(default_factory=dict)
    """The vendor's own advice for some classes of errors, instead of `WORDS`."""

    def error(self, problem: Problem, secrets: Secrets | None = None) -> DigitrecError:
        """Return our exception for a problem, in one line: what happened, what was said, what to do."""
        masked = (secrets or Secrets()).masked
        happened, todo = WORDS[problem.kind]
        todo = self.advice.get(problem.kind, todo)
        todo = problem.todo or STATUS_ADVICE.get(problem.status, todo)
        status, said = masked(problem.status), _one_line(masked(problem.said))
        details = ": ".join(str(part) for part in (status, said) if part)
        message = f"{self.name} {happened}{f' ({details})' if details else ''}; {todo}"
        if not issubclass(problem.kind, ProviderError):
            return problem.kind(message)
        error = problem.kind(message, status=status, raw=masked(problem.raw))
        if isinstance(error, errors.RateLimited | errors.Unavailable):
            error.retry_after = problem.retry_after
        return error

    def document(self, raw: Any, schema: type[T]) -> T:
        """Return a document as the objects of its schema; ``raw`` is any JSON value, as `decoded` returns it.

        Raises:
            BadAnswer: it does not follow the schema; the message names the place and shows no content.
        """
        why = no_json(raw)
        if why is not None:
            raise self.error(Problem(errors.BadAnswer, f"the document {why}"))  # it cannot be kept or shown
        try:
            return msgspec.convert(raw, schema)
        except msgspec.ValidationError as error:
            raise self.refusal(str(error).replace("`", ""), raw) from None

    def refusal(self, said: str, raw: Any, todo: str = "") -> DigitrecError:
        """Return a BadAnswer that says what is wrong with a document, and what to do if that is known."""
        return self.error(Problem(errors.BadAnswer, said, raw=raw, todo=todo))

    @contextmanager
    def translated(self, secrets: Iterable[str] = ()) -> Iterator[None]:
        """Turn an exception in the table into one of ours within the block; redact ``secrets`` in it."""
        try:
            yield
            return
        except DigitrecError:
            raise
        except Exception as error:
            problem = problem_of(error, self.errors)
            if problem is None:
                raise
        raise self.error(problem, Secrets(*secrets)) from None  # the foreign exception may hold a key


def problem_of(error: Exception, table: Mapping[str, Rule]) -> Problem | None:
    """Return the table's rule for an exception, by its most specific listed class."""
    for cls in type(error).__mro__:
        rule = table.get(f"{cls.__module__}.{cls.__qualname__}")
        if isinstance(rule, type):
            return Problem(rule, str(error))
        if isinstance(rule, Problem):
            return replace(rule, said=str(error))
        if rule is not None:
            return rule(error)
    return None


def from_http(status: int, said: str, headers: Mapping[str, str], raw: Any = None) -> Problem:
    """Say what an HTTP error status means, with the wait that its headers or its body ask for."""
    kind = STATUS.get(status)
    if kind is None:
        kind = {4: errors.Rejected, 5: errors.Unavailable}.get(status // 100, errors.BadAnswer)
    if status in (403, 429) and SPENT.search(said):
        kind = errors.QuotaExceeded
    wait = retry_after(headers)
    if wait is None:
        wait = _seconds(dig(detail(raw, "google.rpc.RetryInfo"), "retryDelay").removesuffix("s"))
    return Problem(kind, said, status, wait, raw)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that the headers ask for, >= 0, or None.

    Azure and OpenAI give milliseconds in a header of their own; Retry-After has a number of seconds or a
    date (RFC 9110).
    """
    given = {name.lower(): value.strip() for name, value in headers.items()}
    for name in ("retry-after-ms", "x-ms-retry-after-ms"):
        if (wait := _seconds(given.get(name, ""))) is not None:
            return wait / 1000
    value = given.get("retry-after", "")
    if (wait := _seconds(value)) is not None:
        return wait
    try:
        when = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):  # its parser raises any of them
        return None
    if when.tzinfo is None:  # "-0000": a time in UTC, by RFC 5322
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - datetime.now(UTC)).total_seconds())


def detail(raw: Any, kind: str) -> Any:
    """Return the first of an error's details of a kind, such as "google.rpc.RetryInfo", or None."""
    raw = raw[0] if isinstance(raw, list) and raw else raw
    error = raw.get("error") if isinstance(raw, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    found = details if isinstance(details, list) else []
    return next((one for one in found if dig(one, "@type").endswith(kind)), None)


def _seconds(text: str) -> float | None:
    """Return the number in a text such as "3" or "0.5"; None where it is not one that can be waited for."""
    if not re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        return None
    wait = float(text)
    return wait if isfinite(wait) else None


def _one_line(text: str, most: int = 200) -> str:
    if text.lstrip().startswith("<"):
        return "a web page"
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."


def dig(value: Any, *path: str) -> str:
    """Return the text at the end of a path through a JSON value, or "" where there is no text."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


# Documents of the vendors

Text = Annotated[str, msgspec.Meta(min_length=1)]
"""A text of at least one character."""
Score = Annotated[float, msgspec.Meta(ge=0, le=1)]
"""A confidence from 0 to 1; NaN is rejected."""


def decoded(body: bytes) -> Any:
    """Return the JSON value in ``body``: strict UTF-8, finite numbers, limited nesting.

    Raises:
        ValueError: the body is not such JSON.
    """
    try:
        value = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
        deep = is_deeper(value, DEEPEST)
    except RecursionError:
        deep = True
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"no JSON: {error}" if body.strip() else "an empty body") from None
    if deep:
        raise ValueError(f"JSON nested more than {DEEPEST} deep")
    return value


def box_around(corners: Sequence[tuple[float, float]]) -> Box | None:
    """Return the upright rectangle around points (x, y), or None without points."""
    if not corners:
        return None
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)
