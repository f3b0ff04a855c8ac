"""The answer is where the hand is, on every screen; nothing scrolls sideways, everybody can use it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from browser.conftest import OpenPage
from browser.hand import SAMPLES, draw, expect_digit, needs_chromium

pytestmark = needs_chromium

SCREENS = {
    "small phone": (320, 568), "phone": (390, 844), "smallest phone on its side": (568, 320),
    "small phone on its side": (667, 375),
    "phone on its side": (844, 390), "1280x720 at 200 %": (640, 360), "1366x768 at 200 %": (683, 384),
    "tablet": (768, 1024), "tablet on its side": (1024, 768), "desk": (1280, 800),
}  # fmt: skip


@pytest.mark.parametrize("screen", SCREENS)
def test_the_answer_is_seen_without_scrolling(open_page: OpenPage, screen: str) -> None:
    width, height = SCREENS[screen]
    page = open_page(viewport={"width": width, "height": height})
    draw(page, 7)
    expect_digit(page, "7")
    for part in ("#pad", "#digit", "#sure", "#why"):
        box = page.locator(part).bounding_box()
        assert box is not None
        assert box["y"] >= 0 and box["y"] + box["height"] <= height, part
        assert box["x"] >= 0 and box["x"] + box["width"] <= width, part
    pad = page.locator("#pad").bounding_box()
    assert pad is not None and pad["width"] == pytest.approx(pad["height"], abs=1)
    assert pad["width"] >= 0.55 * min(width, height), "the paper became small"
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("screen", SCREENS)
def test_nothing_scrolls_sideways_even_with_everything_open(open_page: OpenPage, screen: str) -> None:
    width, height = SCREENS[screen]
    page = open_page(viewport={"width": width, "height": height}, has_touch=True, is_mobile=width < 1000)
    open_everything(page)
    page.evaluate("document.querySelector('#sure').textContent = '>99% likely right'")  # the longest there is
    assert page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
    card, seen = (page.locator(part).bounding_box() for part in ("#answer", "#seen"))
    assert card is not None and seen is not None
    assert seen["x"] + seen["width"] <= card["x"] + card["width"], "it sticks out of its card"


def open_everything(page: Page) -> None:
    draw(page, 7)
    expect_digit(page, "7")
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("button", name="Why?").click()
    expect(page.locator("#heat")).to_be_visible()
    expect(page.locator("#history li")).to_have_count(1)


def test_the_paper_grows_with_the_screen(open_page: OpenPage) -> None:
    def side(width: int, height: int) -> float:
        box = open_page(viewport={"width": width, "height": height}).locator("#pad").bounding_box()
        assert box is not None
        return box["width"]

    assert side(1024, 768) < side(1440, 900) < side(1920, 1080)


STATES: dict[str, Callable[[Page], object]] = {
    "empty": lambda page: None,
    "drawn": lambda page: draw(page, 7),
    "everything open": open_everything,
    "a picture": lambda page: page.locator("#file").set_input_files(SAMPLES / "photo-pen.jpg"),
    "refused": lambda page: page.locator("#file").set_input_files(SAMPLES / "two-digits.jpg"),
    "no picture": lambda page: page.locator("#file").set_input_files(SAMPLES / "labels.csv"),
    "the key dialog": lambda page: page.evaluate("document.querySelector('#key-dialog').showModal()"),
    "the server is gone": lambda page: page.evaluate("dispatchEvent(new Event('offline'))"),
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES)
def test_nothing_stands_in_the_way_of_anyone(open_page: OpenPage, state: str, scheme: str) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    STATES[state](page)
    page.wait_for_timeout(600)
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


def test_the_bars_are_seen_in_forced_colours(open_page: OpenPage) -> None:
    page = open_page(forced_colors="active")
    draw(page, 7)
    expect_digit(page, "7")
    best, trough = (
        page.evaluate("(part) => getComputedStyle(document.querySelector(part)).backgroundColor", part)
        for part in (".best .fill", ".best .trough")
    )
    assert best != trough


def test_the_theme_is_chosen_and_stays(open_page: OpenPage) -> None:
    page = open_page(color_scheme="light")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    theme = page.locator("#theme")
    expect(theme).to_contain_text("Auto")
    theme.click()
    assert page.evaluate(background) == light
    theme.click()
    expect(theme).to_contain_text("Dark")
    dark = page.evaluate(background)
    assert dark != light
    page.reload()
    assert page.evaluate(background) == dark
