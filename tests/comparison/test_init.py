"""Engines side by side: concurrent, independent, and their combined answer."""

import itertools
from collections.abc import Iterable, Iterator
from threading import Event
from time import sleep

import numpy as np
import pytest

from digitrec.answer import Answer, Failure, Outcome, Prediction
from digitrec.comparison import Comparison, compare, compare_many, compare_stream, left_out_because
from digitrec.emulator.kit import FakeProvider, Line, drawn_seven
from digitrec.errors import LedgerError, NotConfigured
from digitrec.image import ImageRef, ImageSource
from digitrec.providers.base import FREE, Price, Status
from digitrec.providers.registry import Listing
from digitrec.recognise import Reader, name_of, stream

from .engines import sure


def fakes(*lines: Line) -> list[FakeProvider]:
    return [FakeProvider([line], name=f"e{number}") for number, line in enumerate(lines)]


def answers(*said: tuple[int | None, float | None]) -> Comparison:
    image = ImageRef("x.png", "00")
    outcomes = tuple(Prediction(image, f"e{place}", *answer) for place, answer in enumerate(said))
    return Comparison(image, tuple(outcome.provider for outcome in outcomes), outcomes)


def test_many_pictures_come_back_in_order_over_more_than_one_window() -> None:
    pictures = [np.full((30, 30 + number), 255, np.uint8) for number in range(150)]
    script = [str(number % 10) for number in range(150)]
    found = compare_many(pictures, [FakeProvider(script, name="a"), FakeProvider(script, name="b")])
    assert [comparison.consensus for comparison in found] == [number % 10 for number in range(150)]


def test_a_stream_takes_pictures_as_they_are_needed_and_refuses_arguments_at_once() -> None:
    endless = compare_stream(itertools.repeat(drawn_seven()), fakes("7", "1"))
    assert [next(endless).outcomes[0].provider for _ in range(3)] == ["e0"] * 3
    for wrong in ({"at_least": 2}, {"rotate": 45}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            compare_stream([drawn_seven()], fakes("7"), **wrong)


def test_engines_of_the_same_name_stay_apart() -> None:
    found = compare(drawn_seven(), [FakeProvider([digit], name="same") for digit in "71"])
    said = found.as_dict()["outcomes"]
    assert {name: one["digit"] for name, one in said.items()} == {"same": 7, "same (2)": 1}


def test_the_options_are_those_of_predict() -> None:
    assert compare(drawn_seven(), fakes("O")).consensus is None
    assert compare(drawn_seven(), fakes("O"), lenient=True).consensus == 0
    who = [*fakes(sure(7, 0.6)), FakeProvider(price="free", name="mine")]  # type: ignore[arg-type]
    unsure, absent = compare(drawn_seven(), who, at_least=0.7, rotate=90).outcomes
    assert isinstance(unsure, Prediction)
    assert (unsure.digit, unsure.unsure_digit, unsure.turned) == (None, 7, 90)
    assert isinstance(absent, Failure) and (absent.provider, absent.image) == ("mine", drawn_seven().ref)
    assert isinstance(absent.error, NotConfigured)


def test_an_error_amid_the_pictures_fails_the_rest_only() -> None:
    failed = Event()

    def asked(images: Iterable[ImageSource], reader: Reader) -> Iterator[Outcome]:
        first, *others = stream(images, reader)
        if name_of(reader) == "e0":
            yield first
            failed.set()
            raise LedgerError("the disk is full")
        failed.wait(5)
        sleep(0.2)
        yield from (first, *others)

    found = list(compare_stream([drawn_seven()] * 2, fakes("7", "7"), ask=asked))
    kinds = [[type(outcome) for outcome in comparison.outcomes] for comparison in found]
    assert kinds == [[Prediction, Prediction], [Failure, Prediction]]


@pytest.mark.parametrize(("said", "agree", "consensus", "dissenters"), [
    ([(7, 0.9), (7, 0.8)], True, 7, ()), ([(7, 0.3), (7, 0.3), (1, 0.9)], False, 7, ("e2",)),
    ([(7, 0.9), (1, 0.8)], False, None, ()), ([(7, 0.9), (7, 0.9), (None, None)], False, 7, ("e2",)),
    ([(7, 0.9), (None, None), (None, None)], False, None, ("e0",)),
    ([(None, None), (None, None)], True, None, ()), ([(7, 0.9)], None, 7, ()), ([], None, None, ()),
])  # fmt: skip
def test_what_engines_say_together(
    said: list[tuple[int | None, float | None]], agree: bool | None, consensus: int | None,
    dissenters: tuple[str, ...],
) -> None:  # fmt: skip
    together = answers(*said)
    assert together.agree is agree
    assert (together.consensus, together.dissenters) == (consensus, dissenters)


def test_an_answer_that_is_not_sure_enough_does_not_vote() -> None:
    found = compare(drawn_seven(), fakes("7", "7"), at_least=1.0)
    assert (found.agree, found.consensus, found.counted) == (None, None, ())
    assert compare(drawn_seven(), fakes("7", Answer(reason="not sure"))).agree is False, "its own words vote"


def test_emulators_outvote_no_engine_and_alone_they_rehearse() -> None:
    right, image = answers((3, 0.6)).outcomes[0], ImageRef("x.png", "00")
    clouds = tuple(Prediction(image, name, digit, 0.99, emulated=True)
                   for name, digit in zip("abc", (5, 5, 1), strict=True))  # fmt: skip
    together = Comparison(image, ("e0", *"abc"), (right, *clouds))
    assert (together.agree, together.consensus) == (None, 3)
    assert (together.dissenters, together.emulated) == ((), False)
    alone = Comparison(image, tuple("abc"), clouds)
    assert (alone.consensus, alone.dissenters, alone.emulated) == (5, ("c",), True)


def listing(name: str, price: Price | None, *missing: str) -> Listing:
    return Listing(name, Status(True, not missing, missing), price)


def test_only_engines_that_are_ready_and_free_are_asked_unnamed(monkeypatch: pytest.MonkeyPatch) -> None:
    listings = [
        listing("absent", FREE, "set KEY"), listing("unknown", None),
        listing("dear", Price(0.0015, "list")), listing("local", FREE),
    ]  # fmt: skip
    monkeypatch.setattr("digitrec.providers.registry.listings", lambda env, _: listings[: int(env["MANY"])])
    _, unknown, dear, local = map(left_out_because, listings)
    assert "$1.50 per 1,000" in dear
    assert unknown and not local
    monkeypatch.setenv("MANY", "3")
    with pytest.raises(NotConfigured):
        compare(drawn_seven())
    monkeypatch.setenv("MANY", "4")
    assert compare(drawn_seven()).engines == ("local",)
