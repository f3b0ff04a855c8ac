"""All errors that digitrec raises on purpose.

    DigitrecError
    ├── ImageError (ValueError)          the picture cannot be read: give another one
    ├── ModelError                       the model file cannot be used: give another one
    ├── DataError                        a data set or label file is missing or damaged
    ├── UnknownProvider (LookupError)    no engine of that name: choose one that exists
    ├── NotInstalled (ImportError)       an extra is missing: the message names it
    ├── NotConfigured                    a setting or key is missing: the message names it
    ├── BudgetExceeded                   the next call would cost more than allowed
    ├── LedgerError                      the ledger file cannot be read or written
    │   └── NotRecorded                  a recording has no answer for the picture
    ├── CannotListen                     the server's port is taken: choose another
    └── ProviderError                    an engine was asked and gave no usable answer
        ├── Rejected                     the engine refused this image: send another one
        ├── AuthFailed                   the engine refused the key: correct the credentials
        ├── QuotaExceeded                the quota is used up: wait, or raise it
        │   └── RateLimited              requests came too fast: slow down, try again
        ├── TimedOut (TimeoutError)      no answer in time: try again or allow more time
        ├── Unavailable (ConnectionError)  out of reach or broken for the moment: try again
        │   └── Unreachable              no connection, so nothing was sent: check the network
        └── BadAnswer                    the answer does not follow the engine's protocol

Each message is one line: what happened, who can correct it, what to do. It never contains a key, a token or
image content. Programming errors are not in this tree. A programming error in a provider, which anybody may
have written, is raised as a plain ProviderError that names the provider.
"""

import traceback
from typing import Any, TypeVar

from digitrec.errors.text import printable

AnyError = TypeVar("AnyError", bound=BaseException)

FROM = "'.[{extra}]' in digitrec's folder"
"""The argument of ``pip install``. digitrec is not on a package index yet, where its name may be taken, so
the message names digitrec's folder. After publication it becomes "'digitrec[{extra}]'" (docs/release.md)."""


def install_hint(extra: str) -> str:
    """Return the command that installs an extra of digitrec."""
    return f"pip install {FROM.format(extra=extra)}"


class DigitrecError(Exception):
    """Base class of all errors that digitrec raises on purpose.

    Args:
        message: the message, which becomes one line: a file's name may hold a line break.
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(message))


class ImageError(DigitrecError, ValueError):
    """The picture is missing, empty, damaged, unsafe or in an unknown format; the caller can correct this."""


class ModelError(DigitrecError):
    """The model file is missing, damaged or of the wrong shape; give another file with ``--model``."""


class DataError(DigitrecError):
    """A data set, label file or folder is missing or damaged; the message names the file."""


class UnknownProvider(DigitrecError, LookupError):
    """No provider with this name is registered; the message lists the registered names."""


class NotInstalled(DigitrecError, ImportError):
    """An optional dependency is missing; the message gives the ``pip install`` command for it."""


class NotConfigured(DigitrecError):
    """A key, endpoint or program is missing; the message names the variable to set."""


class BudgetExceeded(DigitrecError):
    """The call was not made: it would cost more than the rest of the budget. Raise the budget or stop."""


class LedgerError(DigitrecError):
    """The ledger cannot be opened, read or written; the message says what happened to which file."""


class NotRecorded(LedgerError):
    """A recording has no answer for the picture."""


class CannotListen(DigitrecError):
    """The server cannot listen on this address: the port is taken, or permission is denied."""


class ProviderError(DigitrecError):
    """A provider was asked and gave no usable answer.

    Attributes:
        provider: name of the provider that failed, as registered; "" until the engine fills it in.
        status: the vendor's own status (an HTTP status or error code), or None.
        raw: the vendor's own answer if there was one (JSON-like, never a key), or None.
        retry_after: seconds that the provider asks the caller to wait, >= 0, or None if it names no time.
        sent: whether any byte of the request was written to the provider, so that it may cost money; None if
            the transport did not record it; then the error's class decides.
    """

    provider: str = ""  # these values hold for a subclass whose constructor does not call this one
    status: int | str | None = None
    raw: Any = None
    retry_after: float | None = None
    sent: bool | None = None

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        status: int | str | None = None,
        raw: Any = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.provider, self.status, self.raw, self.retry_after = provider, status, raw, retry_after


class Rejected(ProviderError):
    """The provider refused this image or request; the same request would be refused again."""


class AuthFailed(ProviderError):
    """The provider refused the credentials; nothing helps but correcting them."""


class QuotaExceeded(ProviderError):
    """A quota (per day, month or account) is used up; trying again soon does not help."""


class RateLimited(QuotaExceeded):
    """Requests came too fast; slow down, wait ``retry_after`` seconds if it is set, and try again."""


class TimedOut(ProviderError, TimeoutError):
    """No answer came in time; try again, or allow more time with ``--timeout``."""


class Unavailable(ProviderError, ConnectionError):
    """The provider is unreachable or failing for the moment; try again later."""


class Unreachable(Unavailable):
    """No connection was established, so nothing was sent and nothing can be billed; check the network."""


class BadAnswer(ProviderError):
    """The answer did not follow the provider's protocol (HTML, cut off, a field missing)."""


FOR_ALL = (AuthFailed, BudgetExceeded, LedgerError, NotConfigured, QuotaExceeded, Unreachable)
"""Errors that also stop every following picture. `Unreachable` means that no attempt for a picture could
connect: the network is down."""
FOR_ONE = (NotRecorded, RateLimited)
"""Subclasses of these that stop no other picture."""


def stops_all(error: BaseException) -> bool:
    """Return whether an error also stops every following picture."""
    return isinstance(error, FOR_ALL) and not isinstance(error, FOR_ONE)


def lightened(error: AnyError) -> AnyError:
    """Return an error without the variables in its traceback, which would keep pictures in memory.

    Its causes lose theirs, too, as far as digitrec caught them.
    """
    if error.__traceback__ is not None:
        error.__traceback__ = error.__traceback__.tb_next  # without the caller, whose variables are in use
        traceback.clear_frames(error.__traceback__)
    seen, one = {id(error)}, error.__cause__ or error.__context__
    while one is not None and id(one) not in seen and one.__traceback__ is not None:
        if not one.__traceback__.tb_frame.f_globals.get("__name__", "").startswith("digitrec"):
            break  # the caller is handling it
        traceback.clear_frames(one.__traceback__)
        seen.add(id(one))
        one = one.__cause__ or one.__context__
    return error
