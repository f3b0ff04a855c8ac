"""The report in a real browser: nothing fetched, nothing cut off, readable in light, dark and print."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from playwright.sync_api import Browser

from browser.hand import needs_chromium
from digitrec.answer import Answer, Candidate
from digitrec.comparison.benchmark import benchmark
from digitrec.comparison.datasets.loader import Sample
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine, Options
from digitrec.report.benchmark_page import benchmark_page

pytestmark = needs_chromium
READABLE = 4.5
"""Least contrast of text and background that WCAG 2.2 AA allows."""

CONTRAST = """
() => {
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((it) => {
      const share = it / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll("h1, h2, p, li, td, th, figcaption, svg text")].map((it) => {
    const style = getComputedStyle(it);
    const ink = light(it.namespaceURI.endsWith("svg") ? style.fill : style.color);
    return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
  });
}
"""
BACKGROUND = "getComputedStyle(document.body).backgroundColor"
WHITE = "rgb(255, 255, 255)"
CUT_OFF = """
() => [...document.querySelectorAll("svg")].flatMap((svg) => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].filter((text) => {
    const box = text.getBoundingClientRect();
    return box.left < frame.left - 1 || box.right > frame.right + 1
        || box.top < frame.top - 1 || box.bottom > frame.bottom + 1;
  }).map((text) => text.textContent);
})
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a report on two engines, one of which misreads every fourth picture."""
    pictures = [np.full((40, 30 + number), 255, np.uint8) for number in range(48)]
    for number, pixels in enumerate(pictures):
        pixels[8:32, 10:14] = number
    samples = [Sample(pixels, number % 10) for number, pixels in enumerate(pictures)]

    def engine(name: str, wrong: int) -> Engine:
        digits = [(number + (number % wrong == 0)) % 10 for number in range(48)]
        lines = [Answer((Candidate(str(digit), 0.5 + number / 100),)) for number, digit in enumerate(digits)]
        return Engine(FakeProvider(lines, name=name), Options(ledger="none"))

    found = benchmark(samples, {"good": engine("good", 40), "worse": engine("worse", 4)}, data="pictures")
    file = tmp_path_factory.mktemp("report") / "report.html"
    file.write_text(benchmark_page(found), encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_word_is_readable_nothing_is_cut_off_and_nothing_is_fetched(
    browser: Browser, report: Path, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(color_scheme=scheme)
    requests: list[str] = []
    problems: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(report.as_uri())
    for width in (1200, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert min(page.evaluate(CONTRAST)) >= READABLE
        assert page.evaluate(CUT_OFF) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, "the page scrolls sideways"
    assert (page.evaluate(BACKGROUND) == WHITE) == (scheme == "light")
    shown = page.evaluate("[...document.images].map((it) => it.naturalWidth)")
    assert len(shown) == 10 + 12, "those that split the engines, and those that one misread"
    assert min(shown) > 0
    assert [url for url in requests if not url.startswith("data:")] == [report.as_uri()]
    assert problems == []
    page.close()
