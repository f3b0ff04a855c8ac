"""Pages need nothing but themselves, and nothing that was read becomes markup."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
from PIL import Image

from digitrec.answer.prediction import Prediction
from digitrec.comparison import Comparison
from digitrec.emulator.kit import drawn_seven
from digitrec.image import DigitImage
from digitrec.report import page
from digitrec.report.comparison_page import comparison_page


def test_titles_and_cells_are_text() -> None:
    made = page.page("<b>&", [page.table(["<i>"], [["<script>alert(1)</script>"]])])
    assert "<script>" not in made
    assert "<title>&lt;b&gt;&amp;</title>" in made


def test_a_picture_is_inside_the_page_small_and_without_metadata(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a private remark"
    file = tmp_path / "large.jpg"
    Image.fromarray(np.full((1000, 2000), 200, np.uint8)).save(file, exif=exif)
    tag = page.picture(file, 'say "7"')
    data = base64.b64decode(re.search(r"base64,([^\"]+)", tag)[1])  # type: ignore[index]
    assert Image.open(io.BytesIO(data)).size == (320, 160)
    assert b"private" not in data
    assert 'alt="say &quot;7&quot;"' in tag


def test_a_picture_that_cannot_be_read_is_words(tmp_path: Path) -> None:
    assert "none.png" in page.picture(tmp_path / "none.png", "")


def test_a_comparison_shows_the_picture_and_every_engine() -> None:
    image = drawn_seven()
    said = Prediction(image.ref, "local", 7, 0.98, latency_s=0.001)
    made = comparison_page([Comparison(image.ref, ("local",), (said,))], [image])
    assert made.count("<img ") == 1
    assert "98.0%" in made
    assert "one answer only" in made
    assert isinstance(image, DigitImage)


class Links(HTMLParser):
    """Whatever a page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "action")
        ]
        assert tag not in ("script", "link", "iframe", "object")


def fetched(html: str) -> list[str]:
    """Everything in a page that is not in the page."""
    links = Links()
    links.feed(html)
    styles = re.findall(r"url\(([^)]+)\)|@import", html)
    return [link for link in [*links.found, *styles] if not link.startswith(("data:", "#", "'#"))]


def test_nothing_is_fetched() -> None:
    image = drawn_seven()
    said = Prediction(image.ref, "local", 7, 0.98)
    assert fetched(comparison_page([Comparison(image.ref, ("local",), (said,))], [image])) == []
