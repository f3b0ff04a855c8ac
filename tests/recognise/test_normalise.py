from __future__ import annotations

import pytest

from digitrec.providers.answer import Answer, Candidate
from digitrec.recognise.normalise import LOOK_ALIKES, Reading, normalise


def read(*texts: str, repeat: int = 1, lenient: bool = False) -> Reading:
    return normalise(Answer(tuple(Candidate(text, 0.9) for text in texts)), repeat=repeat, lenient=lenient)


@pytest.mark.parametrize("digit", range(10))
def test_one_digit_is_that_digit(digit: int) -> None:
    assert read(str(digit)) == Reading(digit, 0.9, None, str(digit))


@pytest.mark.parametrize(
    ("text", "digit"),
    [
        ("\N{FULLWIDTH DIGIT SEVEN}", 7),
        ("\N{SUPERSCRIPT SEVEN}", 7),
        ("\N{SUBSCRIPT SEVEN}", 7),
        ("\N{CIRCLED DIGIT SEVEN}", 7),
        ("\N{DINGBAT NEGATIVE CIRCLED DIGIT SEVEN}", 7),
        ("\N{CIRCLED DIGIT ZERO}", 0),
        ("\N{ARABIC-INDIC DIGIT SEVEN}", 7),
        ("\N{EXTENDED ARABIC-INDIC DIGIT SEVEN}", 7),
        ("\N{DEVANAGARI DIGIT SEVEN}", 7),
        ("\N{MATHEMATICAL DOUBLE-STRUCK DIGIT SEVEN}", 7),
        ("\N{DIGIT SEVEN FULL STOP}", 7),
    ],
)
def test_every_digit_of_unicode_is_a_digit(text: str, digit: int) -> None:
    assert read(text) == Reading(digit, 0.9, None, text)


@pytest.mark.parametrize("text", [" 7 ", "7.", "(7)", "-7", "7\n", "|7|", "#7"])
def test_space_and_punctuation_are_passed_over(text: str) -> None:
    assert read(text).digit == 7


@pytest.mark.parametrize("texts", [(), ("",), (" ", "\n")])
def test_nothing_read_is_no_text(texts: tuple[str, ...]) -> None:
    assert read(*texts) == Reading(None, None, "no text")


@pytest.mark.parametrize("text", ["O", "l", "S", "Z", "B", "q", "|", "?", "seven", "七", "½", "Ⅶ"])
def test_what_only_resembles_or_names_a_digit_is_none(text: str) -> None:
    assert read(text) == Reading(None, None, "no digit", text)


@pytest.mark.parametrize("texts", [("42",), ("4", "2"), ("7 7",), ("1/2",), ("7.5",)])
def test_several_digits_are_refused_and_the_text_is_kept(texts: tuple[str, ...]) -> None:
    assert read(*texts) == Reading(None, None, "more than one digit", " ".join(texts))


@pytest.mark.parametrize("texts", [("S7",), ("7a",), ("l", "7")])
def test_a_letter_beside_a_digit_leaves_it_open_how_many_there_are(texts: tuple[str, ...]) -> None:
    assert read(*texts) == Reading(None, None, "letters beside the digit", " ".join(texts))
    assert read(*texts, lenient=True).digit is None


@pytest.mark.parametrize(("text", "digit"), LOOK_ALIKES.items())
def test_a_look_alike_is_a_digit_when_the_caller_asks_and_says_so(text: str, digit: int) -> None:
    assert read(text, lenient=True) == Reading(digit, 0.9, None, text, inferred=True)


def test_a_real_digit_is_not_inferred() -> None:
    assert not read("7", lenient=True).inferred
    assert read("|7|", lenient=True) == Reading(7, 0.9, None, "|7|")


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


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("71", "more than one digit"),
        ("712", "more than one digit"),
        ("7777", "more than one digit"),
        ("424242", "more than one digit"),
        ("7ab", "letters beside the digit"),
        ("777a", "letters beside the digit"),
        ("abc", "no digit"),
    ],
)
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


def test_no_score_is_no_confidence() -> None:
    assert normalise(Answer((Candidate("7"),))) == Reading(7, None, None, "7")


def test_a_classifiers_answer_is_its_best_class() -> None:
    chances = (0.0, 0.0, 0.0, 0.7, 0.0, 0.3, 0.0, 0.0, 0.0, 0.0)
    assert normalise(Answer((Candidate("3", 0.7),), chances)) == Reading(3, 0.7, None, "3")


def test_a_provider_that_sees_no_digit_is_believed() -> None:
    answer = Answer((Candidate("7", 0.4),), reason="not clearly a digit")
    assert normalise(answer, lenient=True) == Reading(None, None, "not clearly a digit")
