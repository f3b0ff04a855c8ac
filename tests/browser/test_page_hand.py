"""Drawing: nothing is scolded, nothing is lost, whatever hand, pen or palm does it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Request, expect

from browser.conftest import OpenPage
from browser.hand import (
    SAMPLES,
    STROKES,
    draw,
    expect_digit,
    expect_history,
    fingers,
    ink,
    needs_chromium,
    place,
)  # fmt: skip

pytestmark = needs_chromium

TEXT = {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"}


def test_the_first_touch_is_not_scolded_and_leaves_a_dot(open_page: OpenPage) -> None:
    page = open_page()
    with page.expect_response("**/predict**"):
        page.mouse.move(*place(page, 0.5, 0.5))
        page.mouse.down()
        assert ink(page) > 50
        page.mouse.up()
    page.wait_for_timeout(1000)
    expect(page.locator("#sure")).not_to_have_text("Can't tell")
    expect(page.locator("#history li")).to_have_count(0)


def test_a_stroke_that_begins_is_not_scolded(open_page: OpenPage) -> None:
    page = open_page()
    said: list[str] = []

    def told(words: str) -> None:
        said.append(words)

    page.expose_function("told", told)
    page.evaluate(
        """new MutationObserver(() => told(document.querySelector("#sure").textContent))
            .observe(document.querySelector("#sure"), { childList: true })"""
    )
    draw(page, 3)
    expect_digit(page, "3")
    assert "Can't tell" not in said


def test_undo_and_redo_walk_along_everything(open_page: OpenPage) -> None:
    page = open_page()
    undo, redo, clear = (page.get_by_role("button", name=name) for name in ("Undo", "Redo", "Clear"))
    expect(undo).to_be_disabled()
    draw(page, 1)
    expect_digit(page, "1")
    page.keyboard.press("Control+z")
    expect_digit(page, "")
    expect(undo).to_be_disabled()
    expect(page.locator("#sure")).to_have_text("Waiting for a digit")
    page.keyboard.press("Control+Shift+z")
    expect_digit(page, "1")
    clear.click()
    expect_digit(page, "")
    expect(clear).to_be_disabled()
    draw(page, 7)
    expect_digit(page, "7")
    undo.click()
    undo.click()
    expect_digit(page, "1")
    redo.click()
    redo.click()
    expect_digit(page, "7")
    expect(redo).to_be_disabled()


@pytest.mark.parametrize("loss", ["a wrong file", "no camera", "Clear and Undo", "a picture and Undo"])
def test_a_drawing_is_never_lost(open_page: OpenPage, loss: str) -> None:
    page = open_page()
    draw(page, 7)
    expect_digit(page, "7")
    before = ink(page)
    if loss == "a wrong file":
        page.locator("#file").set_input_files(TEXT)  # type: ignore[arg-type]
        expect(page.locator("#toast")).to_contain_text("not a picture")
    elif loss == "no camera":
        page.get_by_role("button", name="Camera").click()
        expect(page.locator("#toast")).to_contain_text("camera")
    elif loss == "Clear and Undo":
        page.get_by_role("button", name="Clear").click()
        assert ink(page) == 0
        page.get_by_role("button", name="Undo").click()
    else:
        page.locator("#file").set_input_files(SAMPLES / "photo-shadow.jpg")
        expect_digit(page, "3")
        page.get_by_role("button", name="Undo").click()
    expect_digit(page, "7")
    assert ink(page) == before
    expect(page.locator("#picture")).to_be_hidden()


def test_drawing_on_a_picture_begins_a_drawing(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#file").set_input_files(SAMPLES / "photo-shadow.jpg")
    expect_digit(page, "3")
    draw(page, 7)
    expect_digit(page, "7")
    expect(page.locator("#picture")).to_be_hidden()
    page.get_by_role("button", name="Undo").click()
    expect_digit(page, "3")
    expect(page.locator("#picture")).to_be_visible()


def test_short_looks_are_kept(open_page: OpenPage) -> None:
    page = open_page()
    draw(page, 7)
    expect_digit(page, "7")
    page.get_by_role("button", name="Clear").click()
    expect_history(page, "7")
    draw(page, 1)
    expect_digit(page, "1")
    expect_history(page, "1", "7")


def test_a_palm_does_not_cut_the_stroke(open_page: OpenPage) -> None:
    page = open_page(has_touch=True)
    start, *rest = STROKES[7][0]
    palm = (0.9, 0.95)
    touch = fingers(page)
    touch("touchStart", start)
    for number, point in enumerate(rest):
        down = [point, palm] if number in (1, 2) else [point]
        touch("touchStart" if number == 1 else "touchMove", *down)
    touch("touchEnd")
    expect_digit(page, "7")
    page.get_by_role("button", name="Undo").click()
    assert ink(page) == 0, "it was more than one stroke"


POINTER = """([type, id, kind, x, y, pressure]) => {
    const pad = document.querySelector("#pad");
    pad.setPointerCapture = () => {}; // there is no such pointer
    const at = { pointerId: id, pointerType: kind, clientX: x, clientY: y, pressure, bubbles: true };
    pad.dispatchEvent(new PointerEvent(type, at));
}"""


def stroke(page: Page, kind: str, pressure: float, *points: tuple[float, float], lift: bool = True) -> None:
    """Draw with a pointer that Chromium's protocol does not have."""
    number = {"pen": 31, "touch": 32}[kind]
    for place_in_stroke, point in enumerate(points):
        what = "pointermove" if place_in_stroke else "pointerdown"
        page.evaluate(POINTER, [what, number, kind, *place(page, *point), pressure])
    if lift:
        page.evaluate(POINTER, ["pointerup", number, kind, *place(page, *points[-1]), 0])


def test_a_pen_that_is_pressed_writes_wider(open_page: OpenPage) -> None:
    def inked(pressure: float) -> int:
        page = open_page()
        stroke(page, "pen", pressure, (0.3, 0.5), (0.5, 0.5), (0.7, 0.5))
        return ink(page)

    assert inked(0.1) < inked(0.5) < inked(0.9)


def test_the_hand_that_holds_a_pen_draws_nothing(open_page: OpenPage) -> None:
    page = open_page()
    stroke(page, "touch", 0, (0.9, 0.9), (0.9, 0.8), lift=False)  # the palm is there before the pen
    stroke(page, "pen", 0.5, (0.5, 0.2), (0.5, 0.5), (0.5, 0.8))
    stroke(page, "touch", 0, (0.1, 0.9), (0.1, 0.8))
    expect_digit(page, "1")
    page.get_by_role("button", name="Undo").click()
    assert ink(page) == 0


def test_the_eraser_erases(open_page: OpenPage) -> None:
    page = open_page()
    draw(page, 1)
    expect_digit(page, "1")
    before = ink(page)
    eraser = page.get_by_role("button", name="Eraser")
    eraser.click()
    expect(eraser).to_have_attribute("aria-pressed", "true")
    draw(page, 1)
    assert ink(page) < 0.05 * before
    expect_digit(page, "")
    expect(page.locator("#sure")).to_have_text("Go on")
    page.keyboard.press("Control+z")
    expect_digit(page, "1")
    assert ink(page) == before


def test_at_most_four_questions_a_second_and_the_last_about_all_that_was_drawn(open_page: OpenPage) -> None:
    page = open_page()
    asked: list[Request] = []
    page.on("request", lambda request: "/predict" in request.url and asked.append(request))
    start = time.monotonic()
    page.mouse.move(*place(page, 0.2, 0.2))
    page.mouse.down()
    for step in range(60):
        page.mouse.move(*place(page, 0.2 + 0.01 * step, 0.2))
        page.wait_for_timeout(30)
    page.mouse.up()
    page.get_by_role("button", name="Clear").click()
    draw(page, 3)
    expect_digit(page, "3")
    page.wait_for_timeout(500)
    assert 1 <= len(asked) <= 4 * (time.monotonic() - start) + 1
    expect_digit(page, "3")


def test_an_answer_that_is_overtaken_is_dropped(open_page: OpenPage) -> None:
    page = open_page()
    said = _held_back(page)
    draw(page, 7)
    page.get_by_role("button", name="Clear").click()
    said()
    page.wait_for_timeout(500)
    expect(page.locator("#sure")).to_have_text("Waiting for a digit")
    expect_digit(page, "")
    expect(page.locator("#history li")).to_have_count(0)


def _held_back(page: Page) -> Callable[[], None]:
    """Hold back the answers to all questions until what is returned is called."""
    page.evaluate(
        """() => {
            const ask = window.fetch;
            const free = new Promise((resolve) => { window.letGo = resolve; });
            window.fetch = async (path, options) => {
                const answer = await ask(path, { ...options, signal: undefined });
                if (path.startsWith("predict")) await free;
                return answer;
            };
        }"""
    )
    return lambda: page.evaluate("letGo()")
