import unicodedata

import pytest

from digitrec.answer import Answer, Candidate
from digitrec.recognise.normalise import LOOK_ALIKES, Reading, normalise


def read(*texts: str, repeat: int = 1, lenient: bool = False) -> Reading:
    return normalise(Answer(tuple(Candidate(text, 0.9) for text in texts)), repeat=repeat, lenient=lenient)


UNICODE = [
    "FULLWIDTH DIGIT SEVEN", "SUPERSCRIPT SEVEN", "SUBSCRIPT SEVEN", "CIRCLED DIGIT SEVEN",
    "DINGBAT NEGATIVE CIRCLED DIGIT SEVEN", "ARABIC-INDIC DIGIT SEVEN", "EXTENDED ARABIC-INDIC DIGIT SEVEN",
    "DEVANAGARI DIGIT SEVEN", "MATHEMATICAL DOUBLE-STRUCK DIGIT SEVEN", "DIGIT SEVEN FULL STOP",
]  # fmt: skip
DIGITS = {str(digit): digit for digit in range(10)} | {unicodedata.lookup(name): 7 for name in UNICODE}
PUNCTUATED = dict.fromkeys([" 7 ", "7.", "(7)", "-7", "7\n", "|7|", "#7"], 7)


@pytest.mark.parametrize(("text", "digit"), (DIGITS | PUNCTUATED).items())
def test_every_digit_of_unicode_is_a_digit_and_punctuation_is_passed_over(text: str, digit: int) -> None:
    assert read(text) == read(text, lenient=True) == Reading(digit, 0.9, None, text.strip())


REFUSED = {
    "no text": [(), ("",), (" ", "\n")],
    "no digit": [(text,) for text in ("O", "l", "S", "Z", "B", "q", "|", "?", "seven", "七", "½", "Ⅶ")],
    "more than one digit": [("42",), ("4", "2"), ("7 7",), ("1/2",), ("7.5",)],
    "letters beside the digit": [(text,) for text in ("S7", "7a", "7½", "7⑩", "Ⅶ7")] + [("l", "7")],
}


@pytest.mark.parametrize(("reason", "texts"), [(why, text) for why in REFUSED for text in REFUSED[why]])
def test_what_is_not_one_digit_is_refused_and_the_text_is_kept(reason: str, texts: tuple[str, ...]) -> None:
    assert read(*texts) == Reading(None, None, reason, " ".join(texts).strip() or None)
    assert reason != "letters beside the digit" or read(*texts, lenient=True).digit is None


@pytest.mark.parametrize(("text", "digit"), LOOK_ALIKES.items())
def test_lenient_reads_one_look_alike_as_a_digit(text: str, digit: int) -> None:
    assert read(text, lenient=True) == Reading(digit, 0.9, None, text, inferred=True)
    assert read(3 * text, repeat=3, lenient=True) == Reading(digit, 0.9, None, 3 * text, inferred=True)
    assert read(f"{text}S", lenient=True).reason == "more than one digit"
    assert read(f"{text}x", lenient=True).reason == "letters beside the digit"


@pytest.mark.parametrize("texts", [["777"], ["7", "7", "7"], ["77"], ["7"], ["771"], ["7 7 T"], ["77a"]])
def test_a_repeated_digit_is_folded_back_when_most_of_it_agrees(texts: list[str]) -> None:
    assert read(*texts, repeat=3).digit == 7


@pytest.mark.parametrize(("text", "reason"), [
    ("71", "more than one digit"), ("712", "more than one digit"), ("7777", "more than one digit"),
    ("424242", "more than one digit"), ("7a", "letters beside the digit"),
    ("7ab", "letters beside the digit"), ("777a", "letters beside the digit"), ("abc", "no digit"),
])  # fmt: skip
def test_a_repeated_digit_that_disagrees_is_refused(text: str, reason: str) -> None:
    assert read(text, repeat=3) == Reading(None, None, reason, text)


CHANCES = (0.0, 0.0, 0.0, 0.7, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize(("answer", "reading"), [
    (Answer((Candidate("-", 0.2), Candidate("7", 0.8), Candidate("!"))), Reading(7, 0.8, None, "- 7 !")),
    (Answer((Candidate("7", 0.9), Candidate("7", 0.6), Candidate("7", None), Candidate("1", 0.1))),
     Reading(7, 0.6, None, "7 7 7 1")),
    (Answer((Candidate("(7)"),)), Reading(7, None, None, "(7)")),
    (Answer((Candidate("3", 0.7),), CHANCES), Reading(3, 0.7, None, "3")),
    (Answer((Candidate("7", 0.4),), reason="not a digit"), Reading(None, None, "not a digit")),
])  # fmt: skip
def test_the_confidence_is_the_lowest_score_of_the_digit(answer: Answer, reading: Reading) -> None:
    assert normalise(answer, repeat=5 if len(answer.candidates) > 3 else 1) == reading
