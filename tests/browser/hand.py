"""Helpers that draw on the page and read what it shows."""

import base64
import io
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import FilePayload, Page, Request, Route, expect

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")

SAMPLES = Path(__file__).parents[2] / "samples"
TEXT: FilePayload = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"}
Stroke = list[tuple[float, float]]
STROKES: dict[int, Stroke] = {
    7: [(0.27, 0.24), (0.5, 0.23), (0.73, 0.22), (0.64, 0.42), (0.52, 0.62), (0.43, 0.83)],
    3: [(0.3, 0.24), (0.44, 0.17), (0.6, 0.2), (0.66, 0.32), (0.58, 0.44), (0.44, 0.49), (0.6, 0.53),
        (0.7, 0.65), (0.64, 0.79), (0.48, 0.84), (0.3, 0.78)],
    1: [(0.5, 0.2), (0.5, 0.4), (0.49, 0.6), (0.49, 0.82)],
}  # fmt: skip


def draw(page: Page, digit: int) -> None:
    """Draw a digit with the mouse."""
    draw_stroke(page, STROKES[digit], steps=4)


def draw_stroke(page: Page, stroke: Stroke, steps: int = 1) -> None:
    """Draw a stroke with the mouse; `steps` is the number of steps between two points."""
    start, *rest = [place(page, *point) for point in stroke]
    page.mouse.move(*start)
    page.mouse.down()
    for point in rest:
        page.mouse.move(*point, steps=steps)
    page.mouse.up()


def drawn(page: Page, digit: int) -> Page:
    """Draw a digit, and wait until it is read."""
    draw(page, digit)
    expect_digit(page, str(digit))
    return page


def show(page: Page, file: Path | str | FilePayload, digit: str | None = None) -> Page:
    """Choose a file or a sample's name; wait until the page shows this answer."""
    page.locator("#file").set_input_files(SAMPLES / file if isinstance(file, str) else file)
    if digit is not None:
        expect_digit(page, digit)
    return page


def press(page: Page, *names: str) -> None:
    """Press buttons, one after the other."""
    for name in names:
        page.get_by_role("button", name=name, exact=True).click()


def place(page: Page, x: float, y: float) -> tuple[float, float]:
    """Return the screen coordinates of a point given as shares of the paper's side."""
    box = page.locator("#pad").bounding_box()
    assert box is not None
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def fingers(page: Page) -> Callable[..., None]:
    """Return a function that touches the paper.

    It takes "touchStart", "touchMove" or "touchEnd", and the place of each finger as shares of the paper's
    side.
    """
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [place(page, *point) for point in points]
        touches = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(at)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    return touch


def pixels(page: Page, canvas: str) -> np.ndarray:
    """Return the pixels of a canvas, (height, width, RGBA); as a PNG they arrive quickly."""
    url = page.evaluate("(id) => document.querySelector(id).toDataURL()", canvas)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGBA"))


def ink(page: Page) -> int:
    """Return how many pixels of the paper are painted."""
    return int((pixels(page, "#pad")[..., 3] > 127).sum())


def asked_for(page: Page, path: str) -> list[Request]:
    """Return a list of the requests for this path, from now on."""
    asked: list[Request] = []
    page.on("request", lambda request: path in request.url and asked.append(request))
    return asked


def held_back(page: Page, path: str | re.Pattern[str]) -> list[Route]:
    """Hold back the requests for this path, from now on, and return a list that they are added to."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(path, hold)
    return held


def wait_for(page: Page, holds: Callable[[], object]) -> None:
    """Wait until the condition holds; the test's time limit stops the wait."""
    while not holds():
        page.wait_for_timeout(50)


def expect_digit(page: Page, text: str) -> None:
    """Wait for the page to show this digit."""
    expect(page.locator("#digit")).to_have_text(text)


def expect_history(page: Page, *said: str) -> None:
    """Wait for these entries, the newest first."""
    expect(page.locator("#history li")).to_have_text([re.compile(f"^{one}") for one in said])


def expect_hidden(page: Page, parts: Iterable[str]) -> None:
    """Wait until these parts are hidden."""
    for part in parts:
        expect(page.locator(part)).to_be_hidden()


def expect_accessible(page: Page) -> None:
    """Check the page with axe."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
