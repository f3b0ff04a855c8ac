"""Pictures and the accuracy table show the shipped network's current answers."""

import json
import re

import pytest
from page_parts import ROOT, text_of
from PIL import Image

import digitrec
from digitrec.answer import short
from digitrec.models import store

IMAGES = ROOT / "docs" / "images"
CARD = "digitrec/models/weights/digitrec-cnn.md"


@pytest.mark.parametrize("name", ["page", "page-dark", "page-landscape", "page-phone", "page-unsure"])
def test_a_picture_of_the_page_is_of_the_shipped_network(name: str) -> None:
    with Image.open(IMAGES / f"{name}.png") as picture:
        assert picture.info["network"] == store.load().version, "run python docs/make_page.py"


def test_the_picture_of_answers_shows_todays() -> None:
    with Image.open(IMAGES / "answers.png") as picture:
        shown, numbers = json.loads(picture.info["answers"]), json.loads(picture.info["numbers"])
    outcomes = digitrec.predict_many(ROOT / "samples" / name for name in shown)
    sheet = digitrec.read(ROOT / "samples" / "sheet.jpg")
    todays = [short(one) for one in outcomes], [number.text for number in sheet.numbers]
    assert (list(shown.values()), numbers) == todays, "run python docs/make_pictures.py answers"


def test_the_table_of_accuracy_is_of_the_shipped_network() -> None:
    assert f" goals met by {store.load().version}." in text_of("docs/accuracy.md"), "run digitrec evaluate"
    card = re.search(r"\| mnist-test, through this file \| ([\d.]+) %", text_of(CARD))
    table = re.search(r"^\| mnist-test \| 10,000 \| ([\d.]+)% \|", text_of("docs/accuracy.md"), re.MULTILINE)
    assert card and table
    assert card[1] == table[1]
