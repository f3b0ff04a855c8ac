"""The answer's reasons on the page: the heat map over the picture, and the feature maps."""

import re

import numpy as np
import pytest
from pictures import encoded
from PIL import Image, ImageDraw
from playwright.sync_api import FilePayload, Page, expect

from browser import hand
from browser.conftest import OpenPage

pytestmark = hand.needs_chromium


def orange(page: Page) -> np.ndarray:
    """Where on the stage the colour for the digit is strong: (N, 2), x and y as shares of its side."""
    found = hand.pixels(page, "#overlay").astype(int)
    return np.argwhere((found[..., 0] > found[..., 2] + 60) & (found[..., 3] > 120))[:, ::-1] / found.shape[0]


def png(picture: Image.Image) -> FilePayload:
    return {"name": "digit.png", "mimeType": "image/png", "buffer": encoded(picture, "PNG")}


def ask_why(page: Page) -> None:
    hand.press(page, "Why?")
    expect(page.locator("#reasons-words")).not_to_be_empty()
    expect(page.locator("#reasons")).to_be_visible()


def test_the_heat_map_lies_on_the_ink_that_was_drawn_until_another_stroke(open_page: OpenPage) -> None:
    page = hand.drawn(open_page(), 7)
    ask_why(page)
    expect(page.locator("#reasons-words")).to_contain_text("The ink that mattered most")
    expect(page.locator("#steps figure")).to_have_count(5)
    heat = hand.pixels(page, "#heat").astype(int)
    assert (heat[..., 0] > heat[..., 2] + 60).sum() > 100, "no orange"
    overlay, over = page.locator("#overlay"), page.get_by_role("button", name="Over the picture")
    expect(overlay).to_be_hidden()
    over.click()
    expect(overlay).to_be_visible()
    ink = hand.pixels(page, "#pad")[..., 3] > 127
    found = orange(page)
    assert len(found) > 500
    at = (found * ink.shape[0]).astype(int)
    near = 0.04 * ink.shape[0]  # width of one network pixel on the paper
    distance = [np.hypot(*(np.argwhere(ink)[::7, ::-1] - place).T).min() for place in at[::97]]
    assert np.mean(np.array(distance) < near) > 0.9
    over.click()
    expect(overlay).to_be_hidden()
    over.click()
    hand.draw(page, 1)  # a stroke over the colours is kept
    expect(overlay).to_be_hidden()
    expect(page.locator("#reasons")).to_be_hidden()


@pytest.mark.parametrize("size", [(600, 300), (300, 600)])
def test_the_heat_map_covers_the_digit_of_any_picture(open_page: OpenPage, size: tuple[int, int]) -> None:
    width, height = size
    picture = Image.new("L", size, 235)
    left, top, side = 0.6 * width, 0.15 * height, 0.3 * min(size)
    seven = [(left, top), (left + 0.7 * side, top), (left + 0.25 * side, top + side)]
    ImageDraw.Draw(picture).line(seven, fill=20, width=9, joint="curve")
    page = hand.show(open_page(), png(picture), "7")
    ask_why(page)
    hand.press(page, "Over the picture")
    longer = max(size)
    margin = np.array([longer - width, longer - height]) / 2
    first = (np.array([left, top]) + margin) / longer
    last = (np.array([left + 0.7 * side, top + side]) + margin) / longer
    found = orange(page)
    slack = 0.25 * side / longer
    assert len(found) > 20
    assert (found >= first - slack).all() and (found <= last + slack).all()


def test_the_look_inside_follows_the_drawing_one_question_at_a_time(open_page: OpenPage) -> None:
    page = hand.drawn(open_page(), 1)
    ask_why(page)
    page.locator("#layers summary").nth(1).click()
    follow, reasons = page.get_by_role("button", name="Follow the drawing"), page.locator("#reasons")
    follow.click()
    held = hand.held_back(page, re.compile("saliency=false"))
    layer, first = page.locator("#layers img").first, page.locator("#layers img").first.get_attribute("src")
    hand.press(page, "Clear")
    expect(reasons).to_be_visible()
    page.locator("#pad").scroll_into_view_if_needed()
    hand.draw(page, 3)
    hand.wait_for(page, lambda: held)
    page.wait_for_timeout(600)  # longer than the page's pause between two requests
    assert len(held) == 1  # the request of the first touch; the newest drawing waits
    held[0].continue_()
    hand.wait_for(page, lambda: len(held) == 2)
    held[1].continue_()
    expect(page.locator("#reasons-words")).to_contain_text("class activation map")
    expect(layer).not_to_have_attribute("src", first or "")
    expect(page.locator("#layers details[open]")).to_have_count(2)  # what was open stays open
    page.wait_for_timeout(600)
    assert len(held) == 2
    assert hand.pixels(page, "#heat")[..., :3].max() > 100
    hand.expect_accessible(page)
    follow.click()
    page.locator("#pad").scroll_into_view_if_needed()
    hand.draw(page, 1)
    expect(reasons).to_be_hidden()
    page.wait_for_timeout(300)
    assert len(held) == 2


def test_a_model_without_feature_maps_shows_none_while_drawing(page_of: OpenPage) -> None:
    page = hand.drawn(page_of(), 7)
    ask_why(page)
    hand.press(page, "Follow the drawing")
    page.locator("#pad").scroll_into_view_if_needed()
    hand.draw(page, 7)
    expect(page.locator("#reasons-words")).to_contain_text("no feature maps")
    hand.expect_hidden(page, ["#heat", "#over"])


def test_of_a_refused_picture_neither_is_offered(open_page: OpenPage) -> None:
    hand.held_back(page := open_page(), "**/v1/read*")  # numbers would take the place of the refusal
    hand.show(page, "two-digits.jpg", "?")
    ask_why(page)
    hand.expect_hidden(page, ["#heat", "#over", "#overlay"])
    expect(page.locator("#layers details")).to_have_count(0)
