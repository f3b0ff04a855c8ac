"""One call of a provider: every behaviour gives an outcome for each image, and only our exceptions."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Sequence
from itertools import islice
from typing import TypeVar

from digitrec.answer import Answer, checked
from digitrec.errors import DigitrecError, ProviderError
from digitrec.image import PreparedImage
from digitrec.providers.base import Provider

log = logging.getLogger(__name__)

Given = TypeVar("Given")
Outcome = Answer | DigitrecError
"""The result for one image: a usable answer, or an error."""


def read_many(provider: Provider, images: Sequence[PreparedImage], *, timeout: float) -> list[Outcome]:
    """Return the outcome of each image, by ``read`` for a single one; an error of the call counts for all."""

    def call() -> list[object]:
        if len(images) == 1:
            return [provider.read(images[0], timeout=timeout)]
        given = provider.read_many(images, timeout=timeout)
        return list(islice(given, len(images) + 1))  # one more shows that there are too many

    given = caught(provider, call)
    if isinstance(given, DigitrecError):
        return [given for _ in images]
    if len(given) != len(images):
        wrong = _bug(provider, "it did not give one outcome for each image")
        return [wrong for _ in images]
    return [usable(provider, outcome) for outcome in given]


def caught(provider: Provider, call: Callable[[], Given]) -> Given | DigitrecError:
    """Return the result of ``call``, or the error it raised as a `DigitrecError`.

    Raises:
        KeyboardInterrupt, SystemExit: the program is to end.
    """
    try:
        return call()
    except DigitrecError as error:
        return error
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # a stranger's code may raise anything
        # The message may hold what must not be in a log; where it was raised may not.
        where = "".join(traceback.format_tb(error.__traceback__))
        log.debug("the provider %s raised %s\n%s", provider.name, type(error).__name__, where)
        return _bug(provider, type(error).__name__, error)


def usable(provider: Provider, given: object) -> Outcome:
    """Return a usable outcome unchanged; turn anything else into an error."""
    if isinstance(given, DigitrecError):
        return given
    if not isinstance(given, Answer):
        return _bug(provider, f"it gave {type(given).__name__} where an Answer belongs")
    return caught(provider, lambda: checked(given))


def _bug(provider: Provider, what: str, cause: BaseException | None = None) -> ProviderError:
    said = f"the provider {provider.name} failed: {what}; this is a bug in it: report it to its author"
    error = ProviderError(said, provider=provider.name)
    error.__cause__ = cause
    return error
