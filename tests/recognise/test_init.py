"""The pipeline: every picture gives an outcome."""

import io
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import digitrec
from digitrec.answer import Answer, Candidate, Failure, Prediction
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.engine import Engine
from digitrec.errors import ImageError, Rejected, UnknownProvider
from digitrec.image import TURNS, ImageSource, InputSpec
from digitrec.recognise import pipeline, stream

ROOT = Path(__file__).parents[2]
SEVEN = drawn_seven()


def test_a_prediction_says_everything_about_itself() -> None:
    answer = digitrec.predict(SEVEN)
    assert answer.digit == 7
    assert answer.provider == "local"
    assert answer.image == SEVEN.ref
    assert answer.probabilities is not None
    assert sum(answer.probabilities) == pytest.approx(1, abs=1e-3)
    assert answer.confidence == max(answer.probabilities)
    assert answer.model_version is not None
    assert answer.preparation == "mnist"
    assert (answer.cost_usd, answer.endpoint, answer.emulated, answer.replayed) == (0.0, None, False, False)


def test_our_network_is_not_asked_about_a_blank_page_and_a_cloud_is() -> None:
    blank = np.full((200, 200), 240, np.uint8)
    answer = digitrec.predict(blank)
    assert (answer.digit, answer.reason, answer.attempts) == (None, "blank", 0)
    answer = digitrec.predict(blank, FakeProvider([Answer()]))
    assert (answer.digit, answer.reason, answer.attempts) == (None, "no text", 1)


def named(name: str | None) -> io.BytesIO:
    stream = io.BytesIO()
    stream.name = name  # type: ignore[attr-defined]
    return stream


CUT_OFF = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize(("source", "name"), [
    (b"", "<bytes>"), (CUT_OFF, "<bytes>"), (io.BytesIO(), "<stream>"), (np.zeros((2, 2, 7)), "<array>"),
    ("none.png", "none.png"), (Image.new("L", (0, 1)), "<image>"), (named(None), "<stream>"),
    (named("https://user:secret@host/x"), "https:..."), (named(""), "<stream>"),
], ids=lambda value: value if isinstance(value, str) else "source")  # fmt: skip
def test_a_bad_picture_costs_only_its_own_place_and_keeps_its_name(source: ImageSource, name: str) -> None:
    first, failure, last = digitrec.predict_many([SEVEN, source, SEVEN], FakeProvider(["7", "1"], name="e"))
    assert isinstance(failure, Failure) and isinstance(failure.error, ImageError)
    assert (failure.image.source, failure.provider) == (name, "e") and str(failure.error).startswith(name)
    assert [one.digit for one in (first, last) if isinstance(one, Prediction)] == [7, 1]


def test_an_image_over_the_vendors_limit_is_refused_before_it_is_sent() -> None:
    fake = FakeProvider(wants=InputSpec(encoding="png", min_side=50, max_bytes=10))
    assert isinstance(digitrec.predict_many([SEVEN], fake)[0], Failure)
    assert fake.calls == 0


@pytest.mark.parametrize("reader", [FakeProvider(["7"]), digitrec.Fallback([FakeProvider(["7"])], 0.5)])
def test_what_was_read_before_an_error_of_the_source_is_not_lost(reader: Any) -> None:
    outcomes = digitrec.stream([*[drawn_seven()] * 3, 5, drawn_seven()], reader)  # type: ignore[list-item]
    assert [next(outcomes).image is not None for _ in range(3)] == [True] * 3
    with pytest.raises(TypeError, match="int"):
        next(outcomes)


def test_a_failure_keeps_no_pictures() -> None:
    held: list[Any] = []

    class Refusing(FakeProvider):
        def read(self, image: Any, *, timeout: float) -> Answer:
            pixels = np.ones(9)
            held.append(weakref.ref(pixels))
            raise (error := Rejected("no")) from error

    (failure,) = digitrec.predict_many([drawn_seven()], Refusing())
    assert isinstance(failure, Failure) and held[0]() is None


def test_rows_come_before_a_large_batch_of_slow_files_is_read() -> None:
    opened = []

    def slowly() -> Iterator[ImageSource]:
        for number in range(20):
            time.sleep(0.05)
            opened.append(number)
            yield SEVEN

    engine = Engine(FakeProvider(["7"]))
    engine.batch = 256
    rows = stream(slowly(), engine)
    next(rows)
    assert len(opened) < 20
    assert len(list(rows)) == 19


class Crowd:
    """Pictures of 40 kB, and how many of them were alive at once."""

    def __init__(self) -> None:
        self.alive: list[weakref.ref[np.ndarray]] = []
        self.most = 0

    def __iter__(self) -> Iterator[np.ndarray]:
        for _ in range(30):
            pixels = np.full((200, 200), 255, np.uint8)
            self.alive.append(weakref.ref(pixels))
            self.most = max(self.most, sum(it() is not None for it in self.alive))
            yield pixels
            del pixels


def test_one_opened_picture_is_held_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the pixels of one picture at a time, although one request has all of them."""
    monkeypatch.setattr(pipeline, "OPENED_BYTES", 1)
    crowd, engine = Crowd(), Engine(FakeProvider())
    engine.batch = 30
    assert len(digitrec.predict_many(crowd, engine)) == 30
    assert crowd.most == 1


@pytest.mark.parametrize("reader", ["engine", "race", "policy"])
def test_large_pictures_are_not_all_held_at_once(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "OPENED_BYTES", 100_000)
    monkeypatch.setattr(pipeline, "HELD_BYTES", 100_000)
    crowd = Crowd()
    fakes = [Engine(FakeProvider(name=name)) for name in ("one", "other")]
    fakes[0].batch = 30
    if reader == "race":
        found = len(digitrec.compare_many(crowd, fakes))
    else:
        one = fakes[0] if reader == "engine" else digitrec.Fallback(fakes, below=0.5)
        found = len(digitrec.predict_many(crowd, one))
    assert found == 30
    assert crowd.most <= 8


def test_prepared_pictures_do_not_all_wait_for_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "OPENED_BYTES", 1)
    monkeypatch.setattr(pipeline, "HELD_BYTES", 250_000)
    engine = Engine(FakeProvider(wants=InputSpec(encoding="rgb")))
    engine.batch = 30
    pictures = [np.full((200, 200), 255, np.uint8)] * 9  # 120,000 bytes each
    assert [len(batch) for batch in pipeline.batches(pictures, engine)] == [3, 3, 3]


@pytest.mark.parametrize("one", ["7.png", b"7.png"])
def test_one_picture_is_not_many(one: str | bytes) -> None:
    with pytest.raises(TypeError, match="got one"):
        digitrec.predict_many(one)  # every letter of it is a name
    with pytest.raises(TypeError, match="got one"):
        digitrec.compare_many(one, [FakeProvider()])


def test_an_unknown_provider_names_those_there_are() -> None:
    for call in (digitrec.predict, digitrec.stream):  # a stream raises it at once
        with pytest.raises(UnknownProvider, match=r"'gogle'.*google"):
            call(SEVEN if call is digitrec.predict else [SEVEN], "gogle")  # type: ignore[operator]


def test_the_samples_are_read() -> None:
    rows = (ROOT / "samples" / "labels.csv").read_text(encoding="utf-8").splitlines()[1:]
    labels = dict(row.split(",")[:2] for row in rows)
    answers = digitrec.predict_many([ROOT / "samples" / name for name in labels])
    right = 0
    for answer, label in zip(answers, labels.values(), strict=True):
        assert isinstance(answer, Prediction)
        right += answer.digit == (None if label == "none" else int(label))
    assert right >= 0.9 * len(labels)


def test_a_generator_without_end_is_read_as_it_is_taken() -> None:
    crowd = Crowd()
    taken = 0

    def endless() -> Iterator[ImageSource]:
        nonlocal taken
        while True:
            for picture in crowd:
                taken += 1
                yield picture

    engine = Engine(FakeProvider())
    engine.batch = 32
    rows = stream(endless(), engine)
    assert isinstance(next(rows), Prediction)
    assert taken <= 32
    for _ in range(300):
        next(rows)
    assert crowd.most <= 2 * 32, "pictures that were answered are let go"
    assert taken <= 301 + 32


def test_below_the_least_an_answer_is_not_sure_and_says_what_it_would_have_been() -> None:
    said = [*(Answer((Candidate("7", score),)) for score in (0.9, 0.8, None)), Answer()]
    found = digitrec.predict_many([SEVEN] * 4, FakeProvider(said), at_least=0.9)
    answers = [outcome for outcome in found if isinstance(outcome, Prediction)]
    assert [answer.digit for answer in answers] == [7, None, None, None]
    assert [answer.reason for answer in answers] == [None, "not sure", "not sure", "no text"]
    assert [answer.unsure_digit for answer in answers] == [None, 7, 7, None]
    assert answers[1].confidence == 0.8
    assert answers[1].as_dict()["unsure_digit"] == 7


def test_engines_and_policies_are_closed_with_the_with() -> None:
    closed = []

    class Closing(FakeProvider):
        def close(self) -> None:
            closed.append(self.name)

    two = [Closing(name=name) for name in ("two", "three")]
    with digitrec.Engine(Closing(name="one")) as engine:
        assert digitrec.predict(SEVEN, engine).digit == 7
        assert closed == []
    with pytest.raises(ZeroDivisionError), digitrec.Fallback(two, below=0.5) as policy:
        assert digitrec.predict(SEVEN, policy).digit == 7
        raise ZeroDivisionError
    assert closed == ["one", "two", "three"]


@pytest.mark.parametrize("degrees", [*TURNS, np.int64(90)])
def test_a_picture_is_turned_clockwise_before_it_is_read(degrees: int) -> None:
    askew = SEVEN.turned((360 - degrees) % 360)
    answer = digitrec.predict(askew, rotate=degrees)  # type: ignore[arg-type]
    assert (answer.digit, answer.turned, type(answer.turned)) == (7, degrees, int)
    assert answer.image == SEVEN.ref
    assert np.array_equal(askew.pixels, np.rot90(SEVEN.pixels, degrees // 90))  # NumPy turns the other way


def test_any_engine_is_given_the_turned_picture_and_a_bad_one_takes_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "cut.png").write_bytes(CUT_OFF)
    fakes = [FakeProvider(["7"]), FakeProvider(["7"])]
    for reader in (fakes[0], digitrec.Fallback(fakes, below=0.5)):
        found = digitrec.predict_many([SEVEN, tmp_path / "cut.png"], reader, rotate=90)
        assert isinstance(found[0], Prediction)
        assert (found[0].digit, found[0].turned) == (7, 90)
        assert isinstance(found[1], Failure)
        asked = reader.name if isinstance(reader, digitrec.Fallback) else "fake"
        assert (found[1].image.source, found[1].provider) == (str(tmp_path / "cut.png"), asked)
    assert np.array_equal(np.asarray(fakes[0].images[0].picture().convert("L")), SEVEN.turned(90).pixels)


@pytest.mark.parametrize("angle", [45, -90, True, "left", "auto", None, 90.0, 90.5])
def test_another_angle_is_refused(angle: object) -> None:
    with pytest.raises(ValueError):
        digitrec.predict(SEVEN, rotate=angle)  # type: ignore[arg-type]
