"""Drawing by hand, pen or palm: an unfinished drawing gets no refusal, and no stroke is lost."""

from playwright.sync_api import expect

from browser import hand
from browser.conftest import OpenPage

pytestmark = hand.needs_chromium


def test_a_beginning_is_not_judged(open_page: OpenPage) -> None:
    page = open_page()
    said: list[str] = []
    page.expose_function("told", lambda words: said.append(words))  # noqa: PLW0108 (takes no built-in)
    page.evaluate(
        """new MutationObserver(() => told(document.querySelector("#sure").textContent))
            .observe(document.querySelector("#sure"), { childList: true })"""
    )
    with page.expect_response("**/predict**"):
        page.mouse.move(*hand.place(page, 0.5, 0.5))
        page.mouse.down()
        assert hand.ink(page) > 50  # a dot
        page.mouse.up()
    page.wait_for_timeout(1000)
    expect(page.locator("#history li")).to_have_count(0)
    hand.press(page, "Clear")
    hand.drawn(page, 3)
    assert "Can't tell" not in said


def test_undo_and_redo_walk_along_everything(open_page: OpenPage) -> None:
    page = open_page()
    undo, redo, clear = (page.get_by_role("button", name=name) for name in ("Undo", "Redo", "Clear"))
    expect(undo).to_be_disabled()
    hand.drawn(page, 1)
    page.keyboard.press("Control+z")
    hand.expect_digit(page, "")
    expect(undo).to_be_disabled()
    expect(page.locator("#sure")).to_have_text("Waiting for a digit")
    page.keyboard.press("Control+Shift+z")
    hand.expect_digit(page, "1")
    clear.click()
    hand.expect_digit(page, "")
    expect(clear).to_be_disabled()
    hand.drawn(page, 7)
    hand.press(page, "Undo", "Undo")
    hand.expect_digit(page, "1")
    hand.press(page, "Redo", "Redo")
    hand.expect_digit(page, "7")
    expect(redo).to_be_disabled()
    for move, end, back in (("ArrowDown", "Backspace", redo), ("ArrowRight", "Delete", undo)):
        before = hand.ink(page)
        for key in (" ", *[move] * 10, end):
            page.locator("#pad").press(key)
        back.click()
        assert hand.ink(page) > before, "the unfinished stroke is lost"


def test_a_drawing_is_never_lost_and_a_short_look_is_kept(open_page: OpenPage) -> None:
    page = hand.drawn(open_page(), 7)
    before = hand.ink(page)
    for loss in ("a wrong file", "no camera", "Clear and Undo", "a picture and Undo"):
        if loss == "a wrong file":
            hand.show(page, hand.TEXT)
            expect(page.locator("#toast")).to_contain_text("not a picture")
        elif loss == "no camera":
            hand.press(page, "Camera")
            expect(page.locator("#toast")).to_contain_text("camera")
        elif loss == "Clear and Undo":
            hand.press(page, "Clear")
            hand.expect_history(page, "7")
            assert hand.ink(page) == 0
            hand.press(page, "Undo")
        else:
            hand.show(page, "photo-shadow.jpg", "3")
            hand.press(page, "Undo")
        hand.expect_digit(page, "7")
        assert hand.ink(page) == before, loss
        hand.expect_hidden(page, ["#picture"])


def test_a_finger_draws_one_stroke_whatever_the_palm_does_and_does_not_scroll(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    start, *rest = hand.STROKES[7]
    palm = (0.9, 0.95)
    touch = hand.fingers(page)
    touch("touchStart", start)
    for number, point in enumerate(rest):
        down = [point, palm] if number in (1, 2) else [point]
        touch("touchStart" if number == 1 else "touchMove", *down)
    touch("touchEnd")
    hand.expect_digit(page, "7")
    assert page.evaluate("scrollY") == 0
    hand.press(page, "Undo")
    assert hand.ink(page) == 0, "it was more than one stroke"


def test_the_eraser_erases(open_page: OpenPage) -> None:
    page = hand.drawn(open_page(), 1)
    before = hand.ink(page)
    hand.press(page, "Eraser")
    expect(page.get_by_role("button", name="Eraser")).to_have_attribute("aria-pressed", "true")
    hand.draw(page, 1)
    assert hand.ink(page) < 0.05 * before
    hand.expect_digit(page, "")
    expect(page.locator("#sure")).to_have_text("Go on")
    page.keyboard.press("Control+z")
    hand.expect_digit(page, "1")
    assert hand.ink(page) == before


def test_an_answer_that_is_overtaken_is_dropped(open_page: OpenPage) -> None:
    page = open_page()
    page.evaluate("XMLHttpRequest.prototype.abort = () => {}")
    held = hand.held_back(page, "**/predict**")
    hand.draw(page, 7)
    hand.wait_for(page, lambda: held)
    hand.press(page, "Clear")
    for route in held:
        route.continue_()
    page.wait_for_timeout(500)
    expect(page.locator("#sure")).to_have_text("Waiting for a digit")
    hand.expect_digit(page, "")
    expect(page.locator("#history li")).to_have_count(0)


def test_a_slip_of_the_space_bar_does_not_keep_the_mouse_from_drawing(open_page: OpenPage) -> None:
    page = hand.drawn(open_page(), 7)
    before = hand.ink(page)
    hand.press(page, "Clear")
    page.locator("#pad").press(" ")
    hand.drawn(page, 7)
    assert hand.ink(page) == before


def test_a_quick_digit_beside_another_is_not_dropped_in_silence(open_page: OpenPage) -> None:
    """Three pointer events make the whole 7."""
    page = open_page()
    hand.draw_stroke(page, [(0.25, 0.3), (0.25, 0.5), (0.24, 0.75)])
    hand.draw_stroke(page, [(0.55, 0.25), (0.8, 0.25), (0.62, 0.8)])
    expect(page.locator("#why")).to_contain_text("number")
