"""What is shown of the shipped network, in pictures and in its table, is what it says today."""

from __future__ import annotations

import html
import re

import pytest
from page_parts import ROOT, text_of
from PIL import Image

import digitrec
from digitrec.models import store

IMAGES = ROOT / "docs" / "images"
CARD = "digitrec/models/weights/digitrec-cnn.md"
NAME = re.compile(r"[\w-]+\.jpg")


@pytest.mark.parametrize("name", ["page", "page-dark", "page-landscape", "page-phone", "page-unsure"])
def test_a_picture_of_the_page_is_of_the_shipped_network(name: str) -> None:
    with Image.open(IMAGES / f"{name}.png") as picture:
        assert picture.info["network"] == store.load().version, "run python docs/make_page.py"


def test_the_picture_of_predict_shows_what_it_answers() -> None:
    drawn = (IMAGES / "predict.svg").read_text(encoding="utf-8")
    shown = [
        html.unescape(re.sub(r"<[^>]+>", "", text)).replace("\xa0", " ").strip()
        for text in re.findall(r"<text[^>]*>.*?</text>", drawn, re.DOTALL)
    ]
    rows = [shown[place : place + 3] for place, text in enumerate(shown) if NAME.fullmatch(text)]
    assert len(rows) == 8
    for (name, digit, told), answer in zip(
        rows, digitrec.predict_many(ROOT / "samples" / row[0] for row in rows), strict=True
    ):
        assert isinstance(answer, digitrec.Prediction)
        assert digit == ("-" if answer.digit is None else str(answer.digit)), (
            f"{name}: run docs/make_pictures.py"
        )
        if answer.confidence is None or answer.digit is None:
            assert told == answer.reason
        else:
            assert float(told.strip(">%")) == pytest.approx(100 * answer.confidence, abs=0.2), name


def test_the_table_of_accuracy_is_of_the_shipped_network() -> None:
    version = store.load().version
    assert f" goals met by {version}." in text_of("docs/accuracy.md"), "run digitrec evaluate"
    card = re.search(r"\| MNIST test set, through this file \| ([\d.]+) %", text_of(CARD))
    table = re.search(r"^\| mnist-test \| 10,000 \| ([\d.]+)% \|", text_of("docs/accuracy.md"), re.MULTILINE)
    assert card and table
    assert card[1] == table[1]
