"""Every error digitrec raises on purpose.

    DigitrecError
    ├── ImageError (ValueError)          the picture cannot be read: give another one
    ├── ModelError                       the model file cannot be used: give another one
    ├── DataError                        a data set or label file is missing or damaged
    ├── UnknownProvider (LookupError)    no engine of that name: choose one that exists
    ├── NotInstalled (ImportError)       an extra is missing: the message names it
    ├── NotConfigured                    a setting or key is missing: the message names it
    ├── BudgetExceeded                   the next call would cost more than allowed
    ├── LedgerError                      the ledger file cannot be read or written
    ├── CannotListen                     the server's port is taken: choose another
    └── ProviderError                    an engine was asked and gave no usable answer
        ├── Rejected                     it refused this image: send another one
        ├── AuthFailed                   it refused the key: correct the credentials
        ├── QuotaExceeded                the allowance is spent: wait for the next period or raise it
        │   └── RateLimited              asked too fast: slow down, try again
        ├── TimedOut (TimeoutError)      no answer in time: try again or allow more time
        ├── Unavailable (ConnectionError)  out of reach or broken for the moment: try again
        │   └── Unreachable              no connection came about, nothing was sent: check the network
        └── BadAnswer                    it answered with something that is not its protocol

Each message is one line: what happened, who can correct it, what to do. It never holds a key, a
token or the content of an image. A programming error is not in this tree; one of a provider, which may be
anybody's, reaches the caller as a plain ProviderError that names it.
"""

from __future__ import annotations

from typing import Any

FROM = "'.[{extra}]' in digitrec's folder"
"""The argument of ``pip install``. digitrec is not on an index yet, and its name may be taken there, so
only its folder is safe advice. Once it is published this becomes "'digitrec[{extra}]'" (docs/release.md)."""


def install_hint(extra: str) -> str:
    """Return the command that installs an extra of digitrec."""
    return f"pip install {FROM.format(extra=extra)}"


class DigitrecError(Exception):
    """Anything digitrec raises on purpose; catch this to catch them all."""


class ImageError(DigitrecError, ValueError):
    """The picture is missing, empty, damaged, unsafe or in an unknown format; the caller's to mend."""


class ModelError(DigitrecError):
    """The model file is missing, damaged or of the wrong shape; give another with ``--model``."""


class DataError(DigitrecError):
    """A data set, label file or folder is missing or damaged; the message names the file."""


class UnknownProvider(DigitrecError, LookupError):
    """No provider of this name is registered; the message lists those that are."""


class NotInstalled(DigitrecError, ImportError):
    """An optional dependency is missing; the message gives the ``pip install`` that brings it."""


class NotConfigured(DigitrecError):
    """A key, endpoint or program is missing; the message names the variable to set."""


class BudgetExceeded(DigitrecError):
    """The call was not made: it would cost more than the budget leaves. Raise the budget or stop."""


class LedgerError(DigitrecError):
    """The ledger cannot be opened, read or written; the message says what happened to which file."""


class CannotListen(DigitrecError):
    """The server cannot listen on this address: the port is taken, or permission is denied."""


class ProviderError(DigitrecError):
    """A provider was asked and gave no usable answer.

    Attributes:
        provider: name of the provider that failed, as registered; "" until the engine fills it in.
        status: the vendor's own status (an HTTP status or error code), or None.
        raw: the vendor's own answer where there was one (JSON-like, never a key), or None.
        retry_after: seconds the provider asked us to wait, >= 0, or None where it did not say.
        sent: whether any byte of the request was written to the provider, so that it may cost money; None
            where the transport did not record it, and the class of the error decides.
    """

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
        self.provider = provider
        self.status = status
        self.raw = raw
        self.retry_after = retry_after


class Rejected(ProviderError):
    """The provider refused this image or request; the same request would be refused again."""


class AuthFailed(ProviderError):
    """The provider refused the credentials; correct them, nothing else helps."""


class QuotaExceeded(ProviderError):
    """An allowance (a day's, a month's, an account's) is spent; trying again soon does not help."""


class RateLimited(QuotaExceeded):
    """Asked too fast; slow down, for ``retry_after`` seconds where it is given, and try again."""


class TimedOut(ProviderError, TimeoutError):
    """No answer within the time allowed; try again or allow more with ``--timeout``."""


class Unavailable(ProviderError, ConnectionError):
    """The provider is out of reach or failing for the moment; try again later."""


class Unreachable(Unavailable):
    """No connection came about, so nothing was sent and nothing can be billed; check the network."""


class BadAnswer(ProviderError):
    """The answer was not in the provider's protocol (HTML, cut off, a field missing)."""
