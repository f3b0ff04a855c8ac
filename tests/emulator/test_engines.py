"""The engines behind the emulator: the shipped CNN, other providers, scripts."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from digitrec.emulator import Picture, Word
from digitrec.emulator.kit import FakeProvider
from digitrec.emulator.reading import open_reader, read_digit
from digitrec.engine import Engine
from digitrec.errors import NotConfigured, Unavailable, UnknownProvider

from .clients import ASK, picture

SAMPLES = Path(__file__).parents[2] / "samples"


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def in_a_row(*names: str, gap: int) -> bytes:
    """Small pictures of light ink on black, enlarged, as dark ink on white, side by side."""
    pictures = [Image.open(SAMPLES / name).convert("L").resize((140, 140)) for name in names]
    row = Image.new("L", (100 + len(names) * (140 + gap), 240), 255)
    for place, digit in enumerate(pictures):
        row.paste(digit.point(lambda value: 255 - value), (50 + place * (140 + gap), 50))
    file = io.BytesIO()
    row.save(file, "PNG")
    return file.getvalue()


def read(data: bytes) -> list[str]:
    return [word.text for word in open_reader("local").read(Picture.decode(data))]


def test_a_classifier_that_fails_has_not_read_nothing():
    failing = Engine(FakeProvider([Unavailable("no network today")]))
    with pytest.raises(Unavailable):
        read_digit(Picture.decode(sample("photo-pen.jpg")), failing)


def test_a_client_of_the_emulator_gets_the_digit(digitrec_emulator):
    said = ASK["google"](digitrec_emulator(["google"]).endpoints["google"], sample("photo-pen.jpg"), "")
    assert (said.lines, said.model) == (["7"], "emulated-local")


def test_a_white_page_holds_no_words():
    file = io.BytesIO()
    Image.new("L", (200, 200), 255).save(file, "PNG")
    assert read(file.getvalue()) == []


def test_the_box_is_around_the_digit_in_pixels_of_the_picture():
    (word,) = open_reader("local").read(Picture.decode(in_a_row("mnist-28x28.png", gap=0)))
    left, top, right, bottom = word.box
    assert 50 < left < right < 190
    assert 50 < top < bottom < 190
    assert bottom - top == pytest.approx(100, abs=15)  # MNIST's digits are 20 of 28 pixels long


@pytest.mark.parametrize(("gap", "words"), [(-40, ["02"]), (100, ["0", "2"])])
def test_digits_side_by_side_are_one_word(gap, words):
    assert read(in_a_row("mnist-28x28.png", "drawing-28x28.png", gap=gap)) == words


def script(tmp_path, text: str) -> str:
    (tmp_path / "answers.jsonl").write_text(text)
    return f"script:{tmp_path / 'answers.jsonl'}"


def test_scripted_answers_come_in_order_and_from_the_top_again(tmp_path):
    text = (
        '[{"text": "7", "confidence": 0.5, "box": [1, 2, 3, 4]}]\n[]\n\n'
        '[{"text": "4", "confidence": 1}, {"text": "2", "confidence": 0}]\n'
    )
    reader = open_reader(script(tmp_path, text))
    seven = [Word("7", 0.5, (1, 2, 3, 4))]
    both = [Word("4", 1, (0, 0, 200, 120)), Word("2", 0, (0, 0, 200, 120))]
    assert [list(reader.read(Picture.decode(picture()))) for _ in range(4)] == [seven, [], both, seven]
    assert reader.name == "script"


@pytest.mark.parametrize("text", [
    "", "no json", "[7]", "7", '[{"confidence": 1}]', '[{"text": "7"}]', '[{"text": "", "confidence": 1}]',
    '[{"text": "7 8", "confidence": 1}]', '[{"text": 7, "confidence": 1}]',
    '[{"text": "7", "confidence": 98}]', '[{"text": "7", "confidence": 1, "box": [1, 2]}]',
])  # fmt: skip
def test_an_invalid_script_is_named(tmp_path, text):
    with pytest.raises(NotConfigured, match=r"answers\.jsonl"):
        open_reader(script(tmp_path, text))


@pytest.mark.parametrize(("engine", "error"), [
    ("script:missing.jsonl", NotConfigured), ("crystal-ball", UnknownProvider), ("azure", NotConfigured),
])  # fmt: skip
def test_an_engine_that_cannot_be_used(monkeypatch, engine, error):
    monkeypatch.setenv("VISION_ENDPOINT", "http://127.0.0.1:1")  # azure does not read on this machine
    monkeypatch.setenv("VISION_KEY", "k")
    with pytest.raises(error, match=engine.removeprefix("script:")):
        open_reader(engine)
