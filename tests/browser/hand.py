"""A hand that draws digits on the page, and eyes for what the page says."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")

SAMPLES = Path(__file__).parents[2] / "samples"
STROKES: dict[int, list[list[tuple[float, float]]]] = {
    7: [[(0.27, 0.24), (0.5, 0.23), (0.73, 0.22), (0.64, 0.42), (0.52, 0.62), (0.43, 0.83)]],
    3: [[(0.3, 0.24), (0.44, 0.17), (0.6, 0.2), (0.66, 0.32), (0.58, 0.44), (0.44, 0.49), (0.6, 0.53),
         (0.7, 0.65), (0.64, 0.79), (0.48, 0.84), (0.3, 0.78)]],
    1: [[(0.5, 0.2), (0.5, 0.4), (0.49, 0.6), (0.49, 0.82)]],
}  # fmt: skip


def draw(page: Page, digit: int) -> None:
    """Draw it with the mouse."""
    for stroke in STROKES[digit]:
        points = [place(page, x, y) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=4)
        page.mouse.up()


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where on the screen a place of the paper is, given as shares of its side."""
    box = page.locator("#pad").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def fingers(page: Page) -> Callable[..., None]:
    """What touches the paper.

    It is called with "touchStart", "touchMove" or "touchEnd", and the place of each finger as shares of the
    paper's side.
    """
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [place(page, *point) for point in points]
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(at)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    return touch


def ink(page: Page) -> int:
    """How many pixels of the paper are painted."""
    return int(
        page.evaluate(
            """() => {
                const pad = document.querySelector("#pad");
                const { data } = pad.getContext("2d").getImageData(0, 0, pad.width, pad.height);
                return data.filter((value, place) => place % 4 === 3 && value > 127).length;
            }"""
        )
    )


def expect_digit(page: Page, text: str) -> None:
    """Wait for the page to say so."""
    expect(page.locator("#digit")).to_have_text(text)


def expect_history(page: Page, *said: str) -> None:
    """Wait for these entries, the newest first."""
    expect(page.locator("#history li")).to_have_text([re.compile(f"^{one}") for one in said])
