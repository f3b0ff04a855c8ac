"""Layout on every screen: the answer is near the drawing, no sideways scrolling, accessible to all."""

from collections.abc import Callable

import pytest
from playwright.sync_api import FloatRect, Page, expect

from browser import hand
from browser.conftest import OpenPage

pytestmark = hand.needs_chromium
SCREENS = {
    "small phone": (320, 568), "small phone on its side": (568, 320), "1366x768 at 200 %": (683, 384),
    "tablet": (768, 1024), "desk": (1280, 800),
}  # fmt: skip


def box(page: Page, part: str) -> FloatRect:
    found = page.locator(part).bounding_box()
    assert found is not None
    return found


def expect_within(page: Page, *parts: str) -> None:
    """Check that these parts are on the screen."""
    width, height = page.evaluate("[innerWidth, innerHeight]")
    for part in parts:
        at = box(page, part)
        assert at["x"] >= 0 and at["x"] + at["width"] <= width, part
        assert at["y"] >= 0 and at["y"] + at["height"] <= height, part
        assert min(at["width"], at["height"]) >= 18, part


@pytest.mark.parametrize("screen", SCREENS)
def test_the_answer_is_visible_without_scrolling(open_page: OpenPage, screen: str) -> None:
    width, height = SCREENS[screen]
    page = open_page(viewport={"width": width, "height": height}, has_touch=True, is_mobile=width < 1000)
    if width < 700:
        expect_within(page, "#undo", "#camera", "nav a")
        assert min(box(page, part)["height"] for part in ("#undo", "#camera", "nav a")) >= 24
    hand.drawn(page, 7)
    expect_within(page, "#pad", "#digit", "#sure", "#why")
    pad = box(page, "#pad")
    assert pad["width"] == pytest.approx(pad["height"], abs=1)
    assert pad["width"] >= 0.55 * min(width, height), "the paper became small"
    assert page.evaluate("scrollY") == 0
    open_everything(page)
    page.evaluate("document.querySelector('#sure').textContent = '>99% likely right'")  # the longest reason
    assert page.evaluate("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
    card, seen = box(page, "#answer"), box(page, "#seen")
    assert seen["x"] + seen["width"] <= card["x"] + card["width"], "it sticks out of its card"


def open_everything(page: Page) -> None:
    hand.drawn(page, 7)
    hand.press(page, "Compare", "Why?")
    expect(page.locator("#heat")).to_be_visible()
    expect(page.locator("#history li").first).to_be_visible()


STATES: dict[str, Callable[[Page], object]] = {
    "empty": lambda page: None, "drawn": lambda page: hand.drawn(page, 7), "everything open": open_everything,
    "a picture": lambda page: hand.show(page, "photo-pen.jpg"),
    "refused": lambda page: hand.show(page, "two-digits.jpg"),
    "no picture": lambda page: hand.show(page, "labels.csv"),
    "the key dialog": lambda page: page.evaluate("document.querySelector('#key-dialog').showModal()"),
    "the server is gone": lambda page: page.evaluate("dispatchEvent(new Event('offline'))"),
}  # fmt: skip


@pytest.mark.parametrize("state", STATES)
def test_everybody_can_use_it_in_light_and_dark(open_page: OpenPage, state: str) -> None:
    page = open_page(reduced_motion="reduce")
    STATES[state](page)
    page.wait_for_timeout(600)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        hand.expect_accessible(page)
