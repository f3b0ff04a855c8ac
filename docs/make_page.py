"""Take the screenshots in docs/images of the running page, with the shipped network.

Each file holds the network's version; a test fails if it is outdated.
Needs Chromium and the extra `test`; run from anywhere.
"""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Browser, Page, sync_playwright

from digitrec.engine import Engine
from digitrec.models.store import load
from digitrec.providers.registry import open_provider
from digitrec.web.server import server
from digitrec.web.settings import Settings

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "images"
SEVEN = [[(0.27, 0.24), (0.5, 0.23), (0.73, 0.22), (0.64, 0.42), (0.52, 0.62), (0.43, 0.83)]]
THREE = [[
    (0.3, 0.24), (0.44, 0.17), (0.6, 0.2), (0.66, 0.32), (0.58, 0.44), (0.44, 0.49), (0.6, 0.53),
    (0.7, 0.65), (0.64, 0.79), (0.48, 0.84), (0.3, 0.78),
]]  # fmt: skip
FOUR = [
    [(0.42, 0.16), (0.36, 0.36), (0.28, 0.55), (0.5, 0.56), (0.76, 0.55)],
    [(0.62, 0.36), (0.6, 0.6), (0.58, 0.86)],
]
Strokes = list[list[tuple[float, float]]]


def main() -> None:
    """Take them all."""
    with served() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        _desk(browser, url)
        _phones(browser, url)
        browser.close()


@contextmanager
def served() -> Iterator[str]:
    """Yield the address of a server with the shipped network."""
    made = server([Engine(open_provider("local"))], Settings())
    thread = threading.Thread(target=made.run)
    thread.start()
    while not made.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{made.servers[0].sockets[0].getsockname()[1]}"
    finally:
        made.should_exit = True
        thread.join()


def _desk(browser: Browser, url: str) -> None:
    page = browser.new_page(viewport={"width": 1120, "height": 760})
    page.goto(url)
    for strokes, digit in ((FOUR, "4"), (THREE, "3"), (SEVEN, "7")):
        _draw(page, strokes)
        _wait(page, digit)
        if digit != "7":
            page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="Why?").click()
    page.locator("#heat").wait_for(timeout=60_000)
    page.evaluate("scrollTo(0, 0)")
    _keep(page, "page", full=True)
    page.locator("#file").set_input_files(ROOT / "samples" / "two-digits.jpg")
    _wait(page, "?")
    page.evaluate("scrollTo(0, 0)")
    _keep(page, "page-unsure")
    page.close()
    page = browser.new_page(viewport={"width": 1120, "height": 760}, color_scheme="dark")
    page.goto(url)
    _draw(page, THREE)
    _wait(page, "3")
    _keep(page, "page-dark")
    page.close()


def _phones(browser: Browser, url: str) -> None:
    for name, (width, height) in {"page-phone": (390, 844), "page-landscape": (844, 390)}.items():
        page = browser.new_page(
            viewport={"width": width, "height": height}, is_mobile=True, has_touch=True, device_scale_factor=2
        )
        page.goto(url)
        _draw(page, SEVEN)
        _wait(page, "7")
        _keep(page, name)
        page.close()


def _draw(page: Page, strokes: Strokes) -> None:
    box = page.locator("#pad").bounding_box()
    assert box is not None
    for stroke in strokes:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=6)
        page.mouse.up()


def _wait(page: Page, digit: str) -> None:
    """Wait until the page shows this answer and stops moving."""
    page.wait_for_function("(said) => document.querySelector('#digit').textContent === said", arg=digit)
    page.wait_for_timeout(1500)


def _keep(page: Page, name: str, *, full: bool = False) -> None:
    path = OUT / f"{name}.png"
    page.screenshot(path=path, full_page=full)
    told = PngInfo()
    told.add_text("network", load().version)
    few = Image.open(path).convert("RGB").quantize(256, dither=Image.Dither.NONE)
    few.save(path, optimize=True, pnginfo=told)


if __name__ == "__main__":
    main()
