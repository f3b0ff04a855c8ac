"""Several digits: a photo shows correctable, copyable numbers; a drawing is one number."""

from pathlib import Path

from pictures import encoded
from PIL import Image, ImageDraw, ImageFont
from playwright.sync_api import Page, Route, expect
from web.fakes import emulated, local

from browser import hand
from browser.conftest import OpenPage
from digitrec.answer import Answer, Candidate
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine

pytestmark = hand.needs_chromium
TABLE = Answer((
    Candidate("12.50", 0.95, (100, 100, 300, 200)), Candidate("7", 0.95, (500, 100, 550, 200)),
    Candidate("1,234", 0.4, (100, 400, 300, 500)), Candidate("88", 0.95, (490, 400, 560, 500)),
))  # fmt: skip
BOXLESS = Answer((Candidate("12", 0.95), Candidate("34", 0.95)))


def ocr(answer: Answer) -> Engine:
    return Engine(FakeProvider([answer], name="ocr"))


def at(page: Page, number: int) -> tuple[float, float]:
    """Where a field begins, as shares of the stage."""
    field = page.locator("#numbers input").nth(number).bounding_box()
    stage = page.locator("#stage").bounding_box()
    assert field and stage
    return (field["x"] - stage["x"]) / stage["width"], (field["y"] - stage["y"]) / stage["height"]


def test_numbers_stand_over_a_photo_and_are_corrected_and_copied(page_of: OpenPage) -> None:
    page = page_of(ocr(TABLE))
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    hand.show(page, "photo-pen.jpg", "4")
    expect(page.locator("#sure")).to_have_text("numbers")
    fields = page.locator("#numbers input")
    expect(fields).to_have_count(4)
    expect(fields.nth(2)).to_have_class("unsure")
    assert at(page, 0)[0] < at(page, 1)[0] and at(page, 0)[1] < at(page, 2)[1]
    fields.nth(1).fill(long := "1234567890123456")
    edges = "[numbers.children[1], stage].map((part) => part.getBoundingClientRect().right)"
    assert sorted(rights := page.evaluate(edges)) == rights, "it is cut off"
    hand.expect_accessible(page)
    hand.press(page, "Copy as CSV")
    expect(page.locator("#toast")).to_have_text("Copied as CSV.")
    assert page.evaluate("navigator.clipboard.readText()") == f'12.50,{long}\n"1,234",88\n'
    hand.press(page, "Clear")
    hand.expect_hidden(page, ["#numbers", "#csv"])
    hand.expect_history(page, "4 numbers")
    hand.press(page, "Undo")
    expect(fields.nth(1)).to_have_value(long)  # corrections are kept


def test_the_page_asks_a_busy_server_again_and_lays_fields_over_a_late_preview(page_of: OpenPage) -> None:
    page, busy = page_of(ocr(TABLE), local()), {"read": "1", "compare": "1", "thumbnail": "2"}

    def answer(route: Route) -> None:
        if after := busy.pop(route.request.url.partition("?")[0].rpartition("/")[2], None):
            route.fulfill(status=503, headers={"Retry-After": after}, json={"detail": "too busy"})
        else:
            route.continue_()

    page.route("**", answer)
    content = encoded(Image.open(hand.SAMPLES / "photo-pen.jpg"), "TIFF")  # which Chromium does not show
    hand.show(page, {"name": "4.tif", "mimeType": "image/tiff", "buffer": content}, "4")
    hand.press(page, "Compare")
    expect(page.locator("#why")).to_contain_text("Correct wrong readings")
    assert at(page, 0)[0] < at(page, 1)[0] and at(page, 0)[1] < at(page, 2)[1]
    expect(page.locator("[data-engine=ocr] .said")).to_be_visible()


def test_numbers_without_boxes_stand_one_below_the_other_and_emulated_ones_say_so(page_of: OpenPage) -> None:
    hand.show(page := page_of(emulated("openai", BOXLESS)), "photo-pen.jpg", "2")
    assert at(page, 0)[1] + 0.1 < at(page, 1)[1]
    expect(page.locator("#timing")).to_have_text("emulated")
    hand.draw(page := page_of(emulated("openai", "3")), 7)
    expect(page.locator("#timing")).to_contain_text("emulated, ")


def test_a_number_is_read_too_if_the_refusal_names_no_other_digit(page: Page, tmp_path: Path) -> None:
    paper = Image.new("L", (112, 119), 255)
    ImageDraw.Draw(paper).text((30, 30), "-7", 0, ImageFont.load_default(60))
    paper.save(tmp_path / "number.png")
    hand.show(page, tmp_path / "number.png", "-7")


def test_several_digits_on_the_pad_are_one_number(page_of: OpenPage) -> None:
    two = Candidate("7", 0.9, (10, 10, 40, 60)), Candidate("3", 0.9, (42, 10, 70, 60))
    hand.draw(page := page_of(ocr(Answer(two))), 7)
    hand.expect_digit(page, "73")
    expect(page.locator("#sure")).to_have_text("90% sure")
    expect(page.locator("#announcement")).to_contain_text("73")
    hand.draw(page := page_of(ocr(TABLE)), 7)
    expect(page.locator("#why")).to_have_text("You can copy them all.")
    hand.expect_hidden(page, ["#numbers"])
