"""Pages are self-contained and escape all text."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image
from report.html_pages import Page

from digitrec.answer.prediction import Failure, Prediction
from digitrec.comparison import Comparison
from digitrec.emulator.kit import drawn_seven
from digitrec.errors import TimedOut
from digitrec.report import page
from digitrec.report.comparison import comparison_page
from digitrec.report.rows import Table


def test_titles_and_cells_are_text() -> None:
    made = page.page("<b>&", [page.table_of(Table(["<i>"], [["<script>alert(1)</script>"]]))])
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
    failed = Failure(image.ref, "cloud", TimedOut("slow"))
    made = comparison_page([Comparison(image.ref, ("local", "cloud"), (said, failed))], [image])
    assert Page.of(made).count["img"] == 1
    assert "98.0%" in made
    assert "one answer only" in made
    assert "TimedOut; slow" in made
