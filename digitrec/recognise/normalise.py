"""Turn a provider's answer into a digit; no other code decides what counts as a digit.

Every character with a Unicode digit value counts (7, full-width, superscript, circled, Arabic-Indic, ...).
Punctuation and spaces are ignored. Letters count only if the caller asks. A text with a letter or another
numeral (7½) beside a digit is refused, because the number of digits is then unclear.

The confidence is the score of the candidate that contains the digit. If several contain it (a repeated
picture), it is the lowest of their scores; without scores it is None. docs/providers.md says how each
vendor's figures become scores.
"""

import unicodedata
from collections import Counter
from typing import NamedTuple

from digitrec.answer import NOT_SURE, Answer

_ALIKE = ("OoQD", "Iil|!", "Zz", "", "", "Ss", "bG", "T?", "B&", "gq")
LOOK_ALIKES = {char: digit for digit, chars in enumerate(_ALIKE) for char in chars}
"""Characters that resemble a digit in handwriting; used only if the caller asks."""


class Reading(NamedTuple):
    """A normalised answer; a tuple, because creating a dataclass takes five times as long."""

    digit: int | None
    """The digit 0..9, or None."""
    confidence: float | None
    """The provider's own confidence in the digit, 0..1, or None."""
    reason: str | None = None
    """Why there is no digit; None with a digit."""
    text: str | None = None
    """The text as the provider spelled it; None if it read nothing."""
    inferred: bool = False
    """True if a look-alike character was turned into the digit."""


def normalise(answer: Answer, *, repeat: int = 1, lenient: bool = False) -> Reading:
    """Return the digit in an answer.

    If the picture showed the digit ``repeat`` times in a row, the text is reduced to one digit, by the
    majority of its characters. Of three copies, "777", "77" and "771" are a 7; "71" and "7777" are more than
    one digit.

    Args:
        repeat: how many times the digit stood on the picture, >= 1.
        lenient: if there is no digit, accept a character that resembles one (O, l, S, ...); set ``inferred``.
    """
    if answer.reason is not None:  # NOT_SURE is only for answers that `at_least` refused, which do not vote
        return Reading(None, None, "no digit" if answer.reason == NOT_SURE else answer.reason)
    text = " ".join(candidate.text for candidate in answer.candidates).strip()
    if not text:
        return Reading(None, None, "no text")
    read = [(unicodedata.digit(char, None), char) for char in text]
    digits = [digit for digit, _ in read if digit is not None]
    letters = [char for digit, char in read if digit is None and char.isalnum()]  # also a numeral: ½, ⑩, Ⅶ
    inferred = not digits and lenient
    if inferred:
        digits = [LOOK_ALIKES[char] for char in text if char in LOOK_ALIKES]
        letters = [char for char in letters if char not in LOOK_ALIKES]
    if not digits:
        return Reading(None, None, "no digit", text)
    ((digit, agreeing),) = Counter(digits).most_common(1)
    if len(digits) > repeat or 2 * agreeing <= len(digits):
        return Reading(None, None, "more than one digit", text)
    if len(digits) + len(letters) > repeat or 2 * agreeing <= len(digits) + len(letters):
        return Reading(None, None, "letters beside the digit", text)
    return Reading(digit, _confidence(answer, digit, inferred), None, text, inferred)


def _confidence(answer: Answer, digit: int, inferred: bool) -> float | None:
    value = LOOK_ALIKES.get if inferred else lambda char: unicodedata.digit(char, None)
    places = ([at for at, char in enumerate(one.text) if value(char) == digit] for one in answer.candidates)
    scores = [one.score_of(at) for one, at in zip(answer.candidates, places, strict=True) if at]
    return min((score for score in scores if score is not None), default=None)
