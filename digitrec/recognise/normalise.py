"""From what a provider said to a digit: the one place that decides what counts as one.

What counts: every character that Unicode gives a digit value (7, full-width, superscript, circled,
Arabic-Indic, ...). Punctuation and space are passed over. A letter is never a digit, however much it
resembles one, and a letter beside a digit leaves open how many digits there are; so both are refused.

Which candidate wins: the one that holds the digit; its score is the confidence. Where several hold it
(a repeated picture), the lowest of their scores; scores that a provider left out are passed over, and
where none is left the confidence is None. How each vendor's figures become such scores stands at the
head of its module in `digitrec.providers`, and together in docs/providers.md.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from typing import NamedTuple

from digitrec.providers.answer import Answer

LOOK_ALIKES = {
    **dict.fromkeys("OoQD", 0),
    **dict.fromkeys("Iil|!", 1),
    **dict.fromkeys("Zz", 2),
    **dict.fromkeys("Ss", 5),
    **dict.fromkeys("bG", 6),
    **dict.fromkeys("T?", 7),
    **dict.fromkeys("B&", 8),
    **dict.fromkeys("gq", 9),
}
"""Characters that handwriting makes resemble a digit; used only when the caller asks."""


class Reading(NamedTuple):
    """A provider's answer, understood; a tuple, because it is made five times as fast as a dataclass."""

    digit: int | None
    """The digit 0..9, or None."""
    confidence: float | None
    """The provider's own confidence in it, 0..1, or None where it gave none."""
    reason: str | None = None
    """Why there is no digit; None beside one."""
    text: str | None = None
    """What it read, as it spelled it; None where it read nothing."""
    inferred: bool = False
    """True when a look-alike character was turned into the digit."""


def normalise(answer: Answer, *, repeat: int = 1, lenient: bool = False) -> Reading:
    """The digit in an answer.

    A picture with the digit ``repeat`` times in a row is folded back: "777" is a 7, and so is "77" or
    "771" (more than half of what was read agrees), but not "71", and not "7777" from three copies, which
    is more than one digit each.

    Args:
        repeat: how many times the digit stood on the picture, >= 1.
        lenient: where there is no digit, also take characters that resemble one (O, l, S, ...), and say
            ``inferred``.
    """
    candidates = answer.candidates
    if answer.reason is not None:
        return Reading(None, None, answer.reason)
    if len(candidates) == 1:  # the shortest way for what comes 10,000 at a time
        only = candidates[0]
        if (plain := _PLAIN.get(only.text)) is not None:
            return Reading(plain, only.score, None, only.text)
    text = " ".join(candidate.text for candidate in candidates).strip()
    if not text:
        return Reading(None, None, "no text")
    read = [(_digit(char), char.isalpha()) for char in text]
    digits, letters = [digit for digit, _ in read if digit is not None], sum(letter for _, letter in read)
    inferred = not digits and lenient
    if inferred:
        digits = [LOOK_ALIKES[char] for char in text if char in LOOK_ALIKES]
        letters = sum(char.isalpha() and char not in LOOK_ALIKES for char in text)
    reason = _objection(digits, letters, repeat)
    if reason is not None:
        return Reading(None, None, reason, text)
    digit = Counter(digits).most_common(1)[0][0]
    return Reading(digit, _confidence(answer, digit, inferred), None, text, inferred)


_PLAIN = {str(digit): digit for digit in range(10)}


def _digit(char: str) -> int | None:
    return unicodedata.digit(char, None)


def _objection(digits: list[int], letters: int, repeat: int) -> str | None:
    """Why these are not one digit, set ``repeat`` times in a row; None when they are."""
    if not digits:
        return "no digit"
    agreeing = Counter(digits).most_common(1)[0][1]
    if len(digits) > repeat or 2 * agreeing <= len(digits):
        return "more than one digit"
    if len(digits) + letters > repeat or 2 * agreeing <= len(digits) + letters:
        return "letters beside the digit"
    return None


def _confidence(answer: Answer, digit: int, inferred: bool) -> float | None:
    value = LOOK_ALIKES.get if inferred else _digit
    holders = [one for one in answer.candidates if any(value(char) == digit for char in one.text)]
    return min((one.score for one in holders if one.score is not None), default=None)
