"""The page in a real Chromium: pointer, keyboard, files, camera, engines, samples, history."""

import json
import re
from pathlib import Path

import pytest
from pictures import encoded
from PIL import Image
from playwright.sync_api import Page, expect
from web.fakes import calibrated, emulated, local, paid, png

import digitrec
from browser import hand
from browser.conftest import Launch, OpenPage
from digitrec.answer import Answer, Candidate
from digitrec.comparison.datasets.loader import read_samples
from digitrec.comparison.policy import Fallback
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine
from digitrec.web.answers import Answers
from digitrec.web.settings import Settings

pytestmark = hand.needs_chromium


def test_what_is_drawn_is_read_while_it_is_drawn(open_page: OpenPage) -> None:
    page = open_page()
    page.mouse.move(*hand.place(page, 0.5, 0.2))
    page.mouse.down()
    page.mouse.move(*hand.place(page, 0.5, 0.8), steps=8)
    expect(page.locator("#bars li.best")).to_have_count(1)  # the pen is still down
    page.mouse.up()
    for count, digit in enumerate(hand.STROKES, 2):
        hand.press(page, "Clear")
        hand.drawn(page, digit)
        expect(page.locator("#bars li.best .name")).to_have_text(str(digit))
        expect(page.locator("#sure")).to_contain_text("% sure")
        expect(page.locator("#seen-picture")).to_have_attribute("src", re.compile("^data:image/png;base64,"))
        expect(page.locator("#announcement")).to_contain_text(f"{digit}, ")
        expect(page.locator("#history li")).to_have_count(count)


def test_files_are_read_refused_or_no_pictures(open_page: OpenPage) -> None:
    page = hand.show(open_page(), "photo-pen.jpg", "7")
    expect(page.locator("#picture")).to_be_visible()
    hand.press(page, "Clear")
    expect(page.locator("#picture")).to_be_hidden()
    hand.held_back(page, "**/v1/read*")  # the numbers would take the place of the refusal
    hand.show(page, "two-digits.jpg", "?")
    expect(page.locator("#sure")).to_have_text("Can't tell")
    expect(page.locator("#why")).to_contain_text("more than one digit")
    hand.show(page, hand.TEXT)
    expect(page.locator("#toast")).to_contain_text("not a picture")
    hand.drawn(page, 7)


def test_a_late_preview_does_not_replace_a_newer_picture(open_page: OpenPage) -> None:
    page = open_page()
    held = hand.held_back(page, "**/thumbnail")
    content = encoded(Image.open(hand.SAMPLES / "photo-shadow.jpg"), "TIFF")  # which Chromium does not show
    with page.expect_request("**/thumbnail"):
        hand.show(page, {"name": "3.tif", "mimeType": "image/tiff", "buffer": content})
    hand.show(page, "photo-pen.jpg", "7")
    expect(page.locator("#picture")).to_be_visible()
    shown = page.locator("#picture").get_attribute("src")
    with page.expect_response("**/thumbnail"):
        held[0].continue_()
    page.evaluate("fetch('health')")  # its answer comes after the late one
    expect(page.locator("#picture")).to_be_visible()
    assert page.locator("#picture").get_attribute("src") == shown


def test_a_picture_is_dropped_or_pasted(open_page: OpenPage) -> None:
    page = open_page()
    for event, name, digit in (("drop", "photo-shadow.jpg", "3"), ("paste", "photo-pen.jpg", "7")):
        page.evaluate(
            """async ([event, bytes]) => {
                const data = new DataTransfer();
                data.items.add(new File([new Uint8Array(bytes)], "digit.jpg", { type: "image/jpeg" }));
                data.items.add(new File([], "another.jpg"));
                const made = event === "drop"
                    ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
                    : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
                document.querySelector("#stage").dispatchEvent(made);
            }""",
            [event, list((hand.SAMPLES / name).read_bytes())],
        )
        hand.expect_digit(page, digit)
        expect(page.locator("#toast")).to_contain_text("first of 2 files")


@pytest.mark.parametrize(("usd", "price"), [(0.01, "$0.01"), (0, "free")])
def test_a_cloud_is_asked_only_on_a_click(page_of: OpenPage, usd: float, price: str) -> None:
    page = page_of(paid("3", usd=usd), local())
    asked = hand.asked_for(page, "cloud")
    hand.drawn(page, 7)
    hand.press(page, "Compare")
    ours, cloud = page.locator("[data-engine=local]"), page.locator("[data-engine=cloud]")
    expect(ours.locator(".said")).to_have_text("7")
    expect(ours).to_contain_text("free")
    expect(cloud.locator(".said")).to_have_count(0)
    assert asked == []
    page.route("**/compare*", lambda route: route.fulfill(status=500, json={"detail": "no"}), times=1)
    hand.press(page, f"Ask ({price})")
    expect(cloud).to_contain_text("no answer")
    hand.press(page, f"Ask ({price})")
    expect(cloud.locator(".said")).to_have_text("3")
    expect(cloud).to_contain_text(price)
    expect(page.locator("#agreement")).to_have_text("They do not agree.")
    page.keyboard.press("Control+y")  # there is nothing to redo
    hand.press(page, "Compare")
    page.evaluate("fetch('health')")
    expect(cloud.locator(".said")).to_have_text("3")


def test_a_late_comparison_of_an_earlier_picture_is_not_shown(open_page: OpenPage) -> None:
    page = hand.drawn(open_page(), 7)
    held = hand.held_back(page, "**/compare*")
    said = page.locator("[data-engine=local] .said")
    hand.press(page, "Compare")
    hand.press(page, "Clear")
    hand.drawn(page, 3)
    hand.press(page, "Compare")
    hand.wait_for(page, lambda: len(held) == 2)
    held[1].continue_()
    expect(said).to_have_text("3")
    with page.expect_response("**/compare*"):
        held[0].continue_()
    page.evaluate("fetch('health')")  # its answer comes after the late one
    expect(said).to_have_text("3")


def test_emulated_answers_do_not_count_and_a_calibrated_chance_is_called_so(page_of: OpenPage) -> None:
    calibrated(0.56)
    policy = Fallback([Engine(FakeProvider(["3"]))], 0.9)  # it has no vote
    page = page_of(local(), Engine(FakeProvider(["7"], name="ocr")), emulated("aws", "3"), policy)
    hand.draw(page, 7)
    expect(page.locator("#sure")).to_have_text("56% likely right")
    expect(page.locator("#announcement")).to_contain_text("7, 56% likely right")
    hand.press(page, "Compare")
    expect(page.locator("[data-engine=local]")).to_contain_text("56% likely right")
    expect(page.locator("[data-engine=aws]")).to_contain_text("emulated")
    expect(page.locator("[data-engine=aws] .said")).to_have_text("3")
    said = "They all say the same. (Emulated answers are not counted.)"
    expect(page.locator("#agreement")).to_have_text(said)


def camera_film(path: Path) -> Path:
    """Make a film for the fake camera: a 9 on white paper, standing still."""
    picture = Image.new("L", (640, 480), 225)
    digit = Image.open(hand.SAMPLES / "screen-drawing.png").convert("L").resize((260, 260))
    if digit.resize((1, 1)).getpixel((0, 0)) < 128:  # type: ignore[operator]
        digit = digit.point(lambda value: 255 - value)
    picture.paste(digit.point(lambda value: min(value, 225)), (190, 110))
    path.write_bytes(encoded(picture.convert("RGB"), "JPEG", quality=95) * 10)
    return path


CLICKED_TWICE = """() => {
  const it = navigator.mediaDevices, ask = it.getUserMedia.bind(it);
  window.streams = [];
  it.getUserMedia = (how) => ask(how).then((stream) => streams.push(stream) && stream);
  [1, 2].forEach(() => document.getElementById("camera").click());
}"""


def test_the_camera_reads_live(launch: Launch, url: str, tmp_path: Path) -> None:
    browser = launch(
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera_film(tmp_path / 'digit.mjpeg')}",
    )  # fmt: skip
    page = browser.new_page()
    page.goto(url)
    page.evaluate(CLICKED_TWICE)
    hand.expect_digit(page, "9")
    expect(page.locator("#video")).to_be_visible()
    hand.press(page, "Compare")
    page.wait_for_timeout(1000)  # several frames
    expect(page.locator("[data-engine=local] .said")).to_have_text("9")
    hand.press(page, "Stop")
    assert page.evaluate("() => streams.map((stream) => stream.active)") == [False]
    expect(page.locator("#video")).to_be_hidden()
    hand.expect_digit(page, "")
    browser.close()


def test_it_works_by_keyboard_alone_and_leads_to_the_description_of_the_api(open_page: OpenPage) -> None:
    page = open_page()
    for _ in ("theme", "API", "paper"):
        page.keyboard.press("Tab")
    expect(page.locator("#pad")).to_be_focused()
    page.keyboard.press(" ")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    hand.expect_digit(page, "1")
    expect(page.locator("#announcement")).to_contain_text("1, ")
    page.keyboard.press("Delete")
    hand.expect_digit(page, "")
    page.locator("#width").fill("12")
    page.get_by_role("link", name="API").click()
    expect(page.get_by_text("/predict", exact=True)).to_be_visible()
    page.go_back()
    expect(page.locator("#width")).to_have_value("6.5")  # as wide as the pen of a new page


def test_a_sample_is_one_click_away_and_each_reading_comes_back_with_one(open_page: OpenPage) -> None:
    page = hand.drawn(open_page(), 7)
    before = hand.ink(page)
    for name, digit in (("on a blackboard", "0"), ("in red ink", "6"), ("a letter", "?")):
        page.get_by_role("button", name=name).click()
        hand.expect_digit(page, digit)
        expect(page.locator("#picture")).to_be_visible()
    hand.expect_history(page, "[?]", "6", "0", "7")
    page.locator("#history button").nth(3).click()
    hand.expect_digit(page, "7")
    assert hand.ink(page) == before
    hand.expect_history(page, "7", "[?]", "6", "0")
    page.locator("#history button").nth(2).click()
    hand.expect_digit(page, "6")
    expect(page.locator("#picture")).to_be_visible()
    hand.press(page, "Forget")
    expect(page.locator("#history li")).to_have_count(0)


def test_a_late_sample_replaces_nothing_and_one_that_does_not_come_is_no_picture(page: Page) -> None:
    held = hand.held_back(page, "**/sample-shadow.jpg")
    page.route("**/sample-note.jpg", lambda route: route.fulfill(status=503, json={"detail": "too busy"}))
    red = page.get_by_role("button", name="in red ink")
    later = [(red.click, "6"), (lambda: hand.draw(page, 7), "7"), (lambda: hand.press(page, "Undo"), "6")]
    for number, (act, digit) in enumerate(later):
        page.get_by_role("button", name="the shadow").click()
        page.locator("#pad").scroll_into_view_if_needed()
        act()
        hand.expect_digit(page, digit)
        with page.expect_response("**/sample-shadow.jpg"):
            held[number].continue_()
        page.evaluate("fetch('health')")  # its answer comes after the late one
    page.get_by_role("button", name="a yellow note").click()
    expect(page.locator("#toast")).to_contain_text("too busy")
    hand.expect_digit(page, "6")


def test_doubtful_answers_are_corrected_with_the_keyboard(page_of: OpenPage, tmp_path: Path) -> None:
    files = [tmp_path / "a.png", tmp_path / "b.png", tmp_path / "c.png"]
    for number, file in enumerate(files):
        file.write_bytes(png((60 + number, 60)))
    read = digitrec.predict_many(files, FakeProvider([Answer((Candidate("1", 0.2),)), "7"]))
    files[2].unlink()
    (tmp_path / "answers.jsonl").write_text("".join(json.dumps(one.as_dict()) + "\n" for one in read))
    answers = Answers(tmp_path / "answers.jsonl", tmp_path / "out", 1)
    page = page_of(settings=Settings(owner_key="mine", answers=answers))
    page.goto(f"{page.url}review")
    for key in ("guess", "mine"):
        page.get_by_label("The key").fill(key)
        hand.press(page, "Look")
        if key == "guess":
            expect(page.locator("#words")).to_contain_text("does not know this key")
    expect(page.locator("#labelled li")).to_have_count(3)
    expect(page.locator("#labelled li").first).to_contain_text("says 1")
    expect(page.locator("#labelled li").nth(1)).to_contain_text("the picture is missing")
    hand.expect_accessible(page)
    field = page.locator("#labelled input").first
    expect(field).to_have_value("1")
    field.fill("x")
    field.press("Enter")
    expect(page.locator("#words")).to_contain_text("That did not work")
    expect(field).to_be_focused()
    field.fill("1")
    field.evaluate("it => [1, 2].map(_ => it.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' })))")
    for left in (1, 0):
        expect(page.locator("#words")).to_have_text(f"{left + 1} on this page.")
        expect(field).to_be_focused()
        field.press("Escape")
    expect(page.locator("#words")).to_have_text("Nothing left to review.")
    assert [sample.label for sample in read_samples(tmp_path / "out")] == [1]
