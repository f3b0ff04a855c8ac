"""The page as people use it, in a real Chromium: pointer, keyboard, files, camera, phone, screen reader."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from web.fakes import calibrated, emulated, listening, local, paid

from browser.conftest import Launch, OpenPage
from browser.hand import SAMPLES, STROKES, draw, expect_digit, fingers, needs_chromium
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine

pytestmark = needs_chromium


@pytest.mark.parametrize("digit", STROKES)
def test_what_is_drawn_is_read(open_page: OpenPage, digit: int) -> None:
    page = open_page()
    draw(page, digit)
    expect_digit(page, str(digit))
    expect(page.locator("#bars li.best .name")).to_have_text(str(digit))
    expect(page.locator("#sure")).to_contain_text("% sure")
    expect(page.locator("#seen-picture")).to_have_attribute("src", re.compile("^data:image/png;base64,"))
    expect(page.locator("#announcement")).to_contain_text(f"{digit}, ")
    expect(page.locator("#history li")).to_have_count(1)


def test_the_bars_move_while_the_pen_is_down(open_page: OpenPage) -> None:
    page = open_page()
    box = page.locator("#pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    expect(page.locator("#bars li.best")).to_have_count(1)
    page.mouse.up()


def test_a_file_is_read(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#file").set_input_files(SAMPLES / "photo-pen.jpg")
    expect_digit(page, "7")
    expect(page.locator("#picture")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#picture")).to_be_hidden()


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(open_page: OpenPage, event: str) -> None:
    page = open_page()
    page.evaluate(
        """async ([event, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], "digit.jpg", { type: "image/jpeg" }));
            const made = event === "drop"
                ? new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })
                : new ClipboardEvent("paste", { clipboardData: data, bubbles: true });
            document.querySelector("#stage").dispatchEvent(made);
        }""",
        [event, list((SAMPLES / "photo-shadow.jpg").read_bytes())],
    )
    expect_digit(page, "3")


def test_what_cannot_be_told_has_its_reason(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#file").set_input_files(SAMPLES / "two-digits.jpg")
    expect_digit(page, "?")
    expect(page.locator("#sure")).to_have_text("Can't tell")
    expect(page.locator("#why")).to_contain_text("more than one digit")


def test_what_is_no_picture_is_said_so(open_page: OpenPage) -> None:
    page = open_page()
    page.locator("#file").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"}
    )
    expect(page.get_by_role("alert")).to_contain_text("not a picture")
    draw(page, 7)
    expect_digit(page, "7")


def test_compare_asks_what_costs_money_only_on_a_click(open_page: OpenPage) -> None:
    page = open_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    draw(page, 7)
    expect_digit(page, "7")
    page.get_by_role("button", name="Compare").click()
    ours, cloud = page.locator("[data-engine=local]"), page.locator("[data-engine=cloud]")
    expect(ours.locator(".said")).to_have_text("7")
    expect(ours).to_contain_text("free")
    expect(cloud.locator(".said")).to_have_count(0)
    assert not any("cloud" in one for one in asked)
    cloud.get_by_role("button", name="Ask ($0.01)").click()
    expect(cloud.locator(".said")).to_have_text("3")
    expect(cloud).to_contain_text("$0.01")
    expect(page.locator("#agreement")).to_have_text("They do not agree.")


def test_emulated_answers_are_not_counted(browser: Browser) -> None:
    ocr = Engine(FakeProvider(["7"], name="ocr"))
    with listening(local(), ocr, emulated("aws", "3")) as url:
        page = browser.new_page()
        page.goto(url)
        draw(page, 7)
        page.get_by_role("button", name="Compare").click()
        expect(page.locator("[data-engine=aws]")).to_contain_text("emulated")
        expect(page.locator("[data-engine=aws] .said")).to_have_text("3")
        said = "They all say the same. (Emulated answers are not counted.)"
        expect(page.locator("#agreement")).to_have_text(said)
        page.close()


def test_a_calibrated_chance_is_called_so(browser: Browser) -> None:
    calibrated(0.56)
    with listening(local(), emulated("aws", "3")) as url:
        page = browser.new_page()
        page.goto(url)
        draw(page, 7)
        expect(page.locator("#sure")).to_have_text("56% likely right")
        expect(page.locator("#announcement")).to_contain_text("7, 56% likely right")
        page.get_by_role("button", name="Compare").click()
        expect(page.locator("[data-engine=local]")).to_contain_text("56% likely right")
        page.close()


def test_nothing_is_asked_unbidden_where_all_engines_cost_money(browser: Browser) -> None:
    cloud = paid("3")
    with listening(cloud) as url:
        page = browser.new_page()
        page.goto(url)
        draw(page, 7)
        page.get_by_role("button", name="Compare").click()
        expect(page.get_by_role("button", name="Ask ($0.01)")).to_be_visible()
        assert cloud.provider.calls == 0  # type: ignore[attr-defined]
        page.get_by_role("button", name="Ask ($0.01)").click()
        expect(page.locator("[data-engine=cloud] .said")).to_have_text("3")
        page.close()


def camera_film(path: Path) -> Path:
    """A film for the fake camera: a 7 on white paper, standing still."""
    picture = Image.new("L", (640, 480), 225)
    digit = Image.open(SAMPLES / "screen-drawing.png").convert("L").resize((260, 260))
    if digit.resize((1, 1)).getpixel((0, 0)) < 128:  # type: ignore[operator]
        digit = digit.point(lambda value: 255 - value)
    picture.paste(digit.point(lambda value: min(value, 225)), (190, 110))
    frame = io.BytesIO()
    picture.convert("RGB").save(frame, "JPEG", quality=95)
    path.write_bytes(frame.getvalue() * 10)
    return path


def test_the_camera_reads_live(launch: Launch, url: str, tmp_path: Path) -> None:
    film = camera_film(tmp_path / "digit.mjpeg")
    browser = launch(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    )
    page = browser.new_page()
    page.goto(url)
    page.get_by_role("button", name="Camera").click()
    expect_digit(page, "9")
    expect(page.locator("#video")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#video")).to_be_hidden()
    expect_digit(page, "")


def test_it_works_by_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page()
    for _ in ("theme", "API", "paper"):
        page.keyboard.press("Tab")
    expect(page.locator("#pad")).to_be_focused()
    page.keyboard.press(" ")
    for _ in range(20):
        page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect_digit(page, "1")
    expect(page.locator("#announcement")).to_contain_text("1, ")
    page.keyboard.press("Delete")
    expect_digit(page, "")


def test_a_finger_draws_on_a_phone_without_scrolling_it(open_page: OpenPage) -> None:
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    start, *rest = STROKES[7][0]
    touch = fingers(page)
    touch("touchStart", start)
    for point in rest:
        touch("touchMove", point)
    touch("touchEnd")
    expect_digit(page, "7")
    assert page.evaluate("scrollY") == 0


def test_dark_mode_is_dark(open_page: OpenPage) -> None:
    def brightness(scheme: str) -> int:
        page = open_page(color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    assert brightness("dark") < 120
    assert brightness("light") > 600


def test_the_description_of_the_api_is_shown(open_page: OpenPage) -> None:
    page = open_page()
    page.get_by_role("link", name="API").click()
    expect(page.get_by_text("/predict", exact=True)).to_be_visible()
