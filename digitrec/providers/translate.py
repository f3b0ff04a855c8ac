"""Translate foreign exceptions, HTTP statuses and JSON documents to digitrec's types, in one place.

Each provider module has a table ``ERRORS``: from the full name of an exception class to one of digitrec's
error classes, or to a function that inspects the exception. The keys are names, not classes, because the
table exists before the library is imported. The most specific listed class decides; an exception that is not
listed is a programming error and is not caught.

Each provider also has the schema of its vendor's document (docs/decisions.md), which is validated as a whole.
A schema names only the fields that digitrec uses; other fields may hold anything.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import msgspec

from digitrec import errors
from digitrec.answer import DEEPEST, is_deeper, no_json
from digitrec.errors import DigitrecError, ProviderError
from digitrec.errors.schemas import built
from digitrec.image import Box
from digitrec.providers.masking import Secrets

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """A failure before it becomes an exception with a message."""

    kind: type[DigitrecError]
    """The error class to raise."""
    said: str = ""
    """The vendor's message; keys are redacted and long texts shortened before it is shown."""
    status: int | str | None = None
    """The vendor's status: an HTTP status or an error code."""
    retry_after: float | None = None
    """Seconds that the vendor asks to wait, >= 0, or None."""
    raw: Any = None
    """The vendor's answer, JSON-like, or None."""
    todo: str = ""
    """The advice, if it is more exact than that of the error class."""


Rule = type[DigitrecError] | Problem | Callable[[Any], Problem]
"""An error class, a Problem without the exception's text, or a function from the exception to a Problem."""

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
"""What happened and what to do, for each error class; a provider's own advice replaces the second text."""

STATUS: Mapping[int, type[DigitrecError]] = {
    401: errors.AuthFailed, 402: errors.QuotaExceeded, 403: errors.AuthFailed,
    407: errors.NotConfigured, 408: errors.TimedOut, 429: errors.RateLimited,
}  # fmt: skip
"""Error classes by HTTP status, used if the vendor says nothing more exact.

Any other 4xx is Rejected, any other 5xx Unavailable."""

STATUS_ADVICE: Mapping[object, str] = {
    402: "add credit to the account, or choose another",
    404: "nothing is at this address: check the endpoint",
    407: "set HTTPS_PROXY or HTTP_PROXY to http://USER:PASSWORD@HOST:PORT, as the proxy demands",
}
"""The advice for statuses that have a single cause."""
BAD_KEY = re.compile(r"api key not valid|api_key_(invalid|expired|service_blocked)", re.IGNORECASE)
"""Messages and reasons that come with status 400, although Google refuses the key."""
SPENT = re.compile(r"\bper (day|month)\b|perday|daily|volume quota", re.IGNORECASE)
"""Words of vendors for a used-up quota, if they have no status of its own for it."""
UNPAID = re.compile(r"(?!.*\bper min).*billing", re.IGNORECASE | re.DOTALL)
"""A message about a used-up account. OpenAI's limit per minute, which passes, advises payment too."""
BASE64 = re.compile(r"[A-Za-z0-9+/]{60,}=*")
"""A picture in base64; shorter texts of such characters may be identifiers."""
BINARY = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffd]")
"""Characters of bytes that are no text."""


@dataclass(frozen=True)
class Service:
    """A vendor's service: its name in messages, its table of errors, and its advice."""

    name: str
    """The service's name at the start of a message."""
    errors: Mapping[str, Rule]
    """The meaning of each exception class, by its full name."""
    advice: Mapping[type[DigitrecError], str] = field(default_factory=dict)
    """The vendor's own advice for some classes of errors, instead of `WORDS`."""

    def error(self, problem: Problem, secrets: Secrets | None = None) -> DigitrecError:
        """Return the exception for a problem; its message is one line: what happened, and advice."""
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
        if isinstance(error, errors.RateLimited | errors.Unavailable | errors.TimedOut):
            error.retry_after = problem.retry_after
        return error

    def document(self, raw: Any, schema: type[T]) -> T:
        """Convert a document, any JSON value returned by `decoded`, to the objects of its schema.

        Raises:
            BadAnswer: the document does not follow the schema; the message names the place only.
        """
        if (why := no_json(raw)) is not None:
            raise self.error(Problem(errors.BadAnswer, f"the document {why}"))  # it cannot be kept or shown
        try:
            return msgspec.convert(raw, built(schema))
        except msgspec.ValidationError as error:
            raise self.refusal(str(error).replace("`", ""), raw) from None

    def refusal(self, said: str, raw: Any, todo: str = "") -> DigitrecError:
        """Return a BadAnswer that says what is wrong with a document, and the advice if there is any."""
        return self.error(Problem(errors.BadAnswer, said, raw=raw, todo=todo))

    @contextmanager
    def translated(self, secrets: Iterable[str] = ()) -> Iterator[None]:
        """Translate exceptions in the block by the table; redact ``secrets`` in the messages."""
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
    """Return the table's rule for an exception, by its most specific listed class; None if not listed."""
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
    """Return the problem that an HTTP error status means, with the wait that headers or body ask for."""
    by_class = {4: errors.Rejected, 5: errors.Unavailable}
    kind = STATUS.get(status) or by_class.get(status // 100, errors.BadAnswer)
    wait = retry_after(headers)
    if wait is None:
        wait = _seconds(dig(detail(raw, "google.rpc.RetryInfo"), "retryDelay").removesuffix("s"))
    quotas = f"{said} {detail(raw, 'google.rpc.QuotaFailure')}"
    if status in (403, 429) and (SPENT.search(quotas) or (wait is None and UNPAID.match(said))):
        kind = errors.QuotaExceeded
    elif BAD_KEY.search(f"{said} {dig(detail(raw, 'google.rpc.ErrorInfo'), 'reason')}"):
        kind = errors.AuthFailed
    return Problem(kind, said, status, wait, raw)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait that the headers ask for, >= 0, or None.

    Azure and OpenAI send milliseconds in a header of their own; Retry-After holds a number of seconds or a
    date (RFC 9110), by the clock of the server, which the header Date tells.
    """
    given = {name.lower(): value.strip() for name, value in headers.items()}
    for name, per_second in (("retry-after-ms", 1000), ("x-ms-retry-after-ms", 1000), ("retry-after", 1)):
        if (wait := _seconds(given.get(name, ""))) is not None:
            return wait / per_second
    when, now = (_date(given.get(name, "")) for name in ("retry-after", "date"))
    return None if when is None else max(0.0, (when - (now or datetime.now(UTC))).total_seconds())


def _date(text: str) -> datetime | None:
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):  # the parser of dates raises any of these
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)  # "-0000" means a time in UTC, by RFC 5322


def detail(raw: Any, kind: str) -> Any:
    """Return the first of an error's details of this type, such as "google.rpc.RetryInfo", or None."""
    raw = raw[0] if isinstance(raw, list) and raw else raw
    error = raw.get("error") if isinstance(raw, dict) else None
    details = error.get("details") if isinstance(error, dict) else None
    found = details if isinstance(details, list) else []
    return next((one for one in found if dig(one, "@type").endswith(kind)), None)


def _seconds(text: str) -> float | None:
    """Return the number in a text such as "3" or "0.5"; None if it is no usable number of seconds."""
    return float(text) if re.fullmatch(r"\d{1,300}(\.\d+)?", text, re.ASCII) else None  # a finite number


def _one_line(text: str) -> str:
    """Shorten a vendor's message; it may quote the picture that it was sent, which must not reach a log."""
    if text.lstrip().startswith("<"):
        return "a web page"
    line = BASE64.sub("(data)", " ".join(text.split()))
    if BINARY.search(line):
        return "no text"
    return line if len(line) <= 200 else line[:197] + "..."


def dig(value: Any, *path: str) -> str:
    """Return the text at the end of a path through a JSON value, or "" where there is no text."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""


# Documents of the vendors


def decoded(body: bytes) -> Any:
    """Parse the JSON in ``body``: strict UTF-8, finite numbers, limited nesting.

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
    return float(min(xs)), float(min(ys)), float(max(xs)), float(max(ys))  # as a ledger gives them back
