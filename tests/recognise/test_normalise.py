from __future__ import annotations

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
    "letters beside the digit": [("S7",), ("7a",), ("l", "7")],
}


@pytest.mark.parametrize(("reason", "texts"), [(why, text) for why in REFUSED for text in REFUSED[why]])
def test_what_is_not_one_digit_is_refused_and_the_text_is_kept(reason: str, texts: tuple[str, ...]) -> None:
    assert read(*texts) == Reading(None, None, reason, " ".join(texts).strip() or None)
    assert reason != "letters beside the digit" or read(*texts, lenient=True).digit is None


@pytest.mark.parametrize(("text", "digit"), LOOK_ALIKES.items())
def test_a_look_alike_is_a_digit_when_the_caller_asks_and_says_so(text: str, digit: int) -> None:
    assert read(text, lenient=True) == Reading(digit, 0.9, None, text, inferred=True)


@pytest.mark.parametrize(
    ("text", "reason"), [("OS", "more than one digit"), ("Ox", "letters beside the digit")]
)
def test_several_look_alikes_are_no_digit_either(text: str, reason: str) -> None:
    assert read(text, lenient=True) == Reading(None, None, reason, text, inferred=False)


@pytest.mark.parametrize(
    "texts", [("777",), ("7", "7", "7"), ("77",), ("7",), ("771",), ("7 7 T",), ("77a",)]
)
def test_a_repeated_digit_is_folded_back_when_most_of_it_agrees(texts: tuple[str, ...]) -> None:
    assert read(*texts, repeat=3).digit == 7


@pytest.mark.parametrize(("text", "reason"), [
    ("71", "more than one digit"), ("712", "more than one digit"), ("7777", "more than one digit"),
    ("424242", "more than one digit"), ("7a", "letters beside the digit"),
    ("7ab", "letters beside the digit"), ("777a", "letters beside the digit"), ("abc", "no digit"),
])  # fmt: skip
def test_a_repeated_digit_that_disagrees_is_refused(text: str, reason: str) -> None:
    assert read(text, repeat=3) == Reading(None, None, reason, text)


def test_repeated_look_alikes_are_folded_too() -> None:
    assert read("OOO", repeat=3, lenient=True) == Reading(0, 0.9, None, "OOO", inferred=True)


def test_the_candidate_that_holds_the_digit_gives_the_confidence() -> None:
    answer = Answer((Candidate("-", 0.2), Candidate("7", 0.8), Candidate("!", None)))
    assert normalise(answer).confidence == 0.8


def test_of_several_that_hold_it_the_lowest_counts() -> None:
    answer = Answer((Candidate("7", 0.9), Candidate("7", 0.6), Candidate("7", None), Candidate("1", 0.1)))
    assert normalise(answer, repeat=5).confidence == 0.6


@pytest.mark.parametrize("text", ["7", "(7)"])
def test_no_score_is_no_confidence(text: str) -> None:
    assert normalise(Answer((Candidate(text),))) == Reading(7, None, None, text)


def test_a_classifiers_answer_is_its_best_class() -> None:
    chances = (0.0, 0.0, 0.0, 0.7, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0)
    assert normalise(Answer((Candidate("3", 0.7),), chances)) == Reading(3, 0.7, None, "3")


def test_a_provider_that_sees_no_digit_is_believed() -> None:
    answer = Answer((Candidate("7", 0.4),), reason="not clearly a digit")
    assert normalise(answer, lenient=True) == Reading(None, None, "not clearly a digit")
