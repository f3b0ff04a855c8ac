"""The page as people use it, in a real Chromium: pointer, keyboard, files, camera, phone, screen reader."""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from web.fakes import calibrated, emulated, listening, local, paid

from digitrec.engine import Engine
from digitrec.providers.registry import open_provider
from digitrec.testing import FakeProvider

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium on this machine")

SAMPLES = Path(__file__).parents[2] / "samples"
STROKES: dict[int, list[list[tuple[float, float]]]] = {
    7: [[(0.27, 0.24), (0.5, 0.23), (0.73, 0.22), (0.64, 0.42), (0.52, 0.62), (0.43, 0.83)]],
    3: [[(0.3, 0.24), (0.44, 0.17), (0.6, 0.2), (0.66, 0.32), (0.58, 0.44), (0.44, 0.49), (0.6, 0.53),
         (0.7, 0.65), (0.64, 0.79), (0.48, 0.84), (0.3, 0.78)]],
    1: [[(0.5, 0.2), (0.5, 0.4), (0.49, 0.6), (0.49, 0.82)]],
}  # fmt: skip


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as made:
        yield made


Launch = Callable[..., Browser]


@pytest.fixture(scope="module")
def launch(playwright: Playwright) -> Iterator[Launch]:
    """Starts a browser; with arguments of its own where a test needs them."""
    browsers: list[Browser] = []

    def start(*arguments: str) -> Browser:
        sandbox = ["--no-sandbox"]  # root has none, as in a container
        browsers.append(playwright.chromium.launch(executable_path=CHROMIUM, args=[*sandbox, *arguments]))
        return browsers[-1]

    yield start
    for browser in browsers:
        browser.close()


@pytest.fixture(scope="module")
def browser(launch: Launch) -> Browser:
    return launch()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with our network, and beside it a made-up cloud that takes money and reads a 3."""
    with listening(Engine(open_provider("local")), paid("3", "3", "3", "3")) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[Callable[..., Page]]:
    """Opens the page in a context of its own; no request may leave this machine, nor the script fail."""
    contexts: list[BrowserContext] = []
    strayed: list[str] = []
    errors: list[str] = []

    def start(**options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda asked: _is_ours(asked.url, url) or strayed.append(asked.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: said.type == "error" and errors.append(said.text))
        page.goto(url)
        return page

    yield start
    for context in contexts:
        context.close()
    assert strayed == []
    assert [error for error in errors if "422" not in error] == []


def _is_ours(asked: str, url: str) -> bool:
    return asked.startswith((url, "data:image/", f"blob:{url}"))


def draw(page: Page, digit: int) -> None:
    box = page.locator("#pad").bounding_box()
    assert box is not None
    for stroke in STROKES[digit]:
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point, steps=4)
        page.mouse.up()


def expect_digit(page: Page, text: str) -> None:
    expect(page.locator("#digit")).to_have_text(text, timeout=20_000)


@pytest.mark.parametrize("digit", STROKES)
def test_what_is_drawn_is_read(open_page: Callable[..., Page], digit: int) -> None:
    page = open_page()
    draw(page, digit)
    expect_digit(page, str(digit))
    expect(page.locator("#bars li.best .name")).to_have_text(str(digit))
    expect(page.locator("#sure")).to_contain_text("% sure")
    expect(page.locator("#seen-picture")).to_have_attribute("src", re.compile("^data:image/png;base64,"))
    expect(page.locator("#announcement")).to_contain_text(f"{digit}, ")
    expect(page.locator("#history li")).to_have_count(1)


def test_the_bars_move_while_the_pen_is_down(open_page: Callable[..., Page]) -> None:
    page = open_page()
    box = page.locator("#pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    expect(page.locator("#bars li.best")).to_have_count(1, timeout=20_000)
    page.mouse.up()


def test_undo_and_clear_take_strokes_back(open_page: Callable[..., Page]) -> None:
    page = open_page()
    undo, clear = page.get_by_role("button", name="Undo"), page.get_by_role("button", name="Clear")
    expect(undo).to_be_disabled()
    draw(page, 1)
    expect_digit(page, "1")
    page.keyboard.press("Control+z")
    expect_digit(page, "")
    expect(undo).to_be_disabled()
    draw(page, 7)
    expect_digit(page, "7")
    clear.click()
    expect_digit(page, "")
    expect(clear).to_be_disabled()
    expect(page.locator("#sure")).to_have_text("Waiting for a digit")


def test_a_file_is_read(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.locator("#file").set_input_files(SAMPLES / "photo-pen.jpg")
    expect_digit(page, "7")
    expect(page.locator("#picture")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#picture")).to_be_hidden()


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(open_page: Callable[..., Page], event: str) -> None:
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


def test_what_cannot_be_told_has_its_reason(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.locator("#file").set_input_files(SAMPLES / "two-digits.jpg")
    expect_digit(page, "?")
    expect(page.locator("#sure")).to_have_text("Can't tell")
    expect(page.locator("#why")).to_contain_text("more than one digit")


def test_what_is_no_picture_is_said_so(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.locator("#file").set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"not a picture"}
    )
    expect(page.get_by_role("alert")).to_contain_text("not a picture")
    draw(page, 7)
    expect_digit(page, "7")


def test_compare_asks_what_costs_money_only_on_a_click(open_page: Callable[..., Page]) -> None:
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
    cloud.get_by_role("button", name="Ask ($0.0100)").click()
    expect(cloud.locator(".said")).to_have_text("3")
    expect(cloud).to_contain_text("$0.0100")
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
        expect(page.get_by_role("button", name="Ask ($0.0100)")).to_be_visible()
        assert cloud.provider.calls == 0  # type: ignore[attr-defined]
        page.get_by_role("button", name="Ask ($0.0100)").click()
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


def test_a_missing_camera_is_said_so(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.get_by_role("button", name="Camera").click()
    expect(page.get_by_role("alert")).to_contain_text("camera")


def test_it_works_by_keyboard_alone(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.keyboard.press("Tab")
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


def test_a_finger_draws_on_a_phone_without_scrolling_it(open_page: Callable[..., Page]) -> None:
    page = open_page(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    box = page.locator("#pad").bounding_box()
    assert box is not None
    finger = page.context.new_cdp_session(page)
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in STROKES[7][0]]
    for number, (x, y) in enumerate(points):
        kind = "touchMove" if number else "touchStart"
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y}]})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect_digit(page, "7")
    assert page.evaluate("scrollY") == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_anyone(open_page: Callable[..., Page], scheme: str) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    for prepare in (lambda: None, lambda: draw(page, 7)):
        prepare()
        page.wait_for_timeout(100)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


def test_dark_mode_is_dark(open_page: Callable[..., Page]) -> None:
    def brightness(scheme: str) -> int:
        page = open_page(color_scheme=scheme)
        colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))

    assert brightness("dark") < 120
    assert brightness("light") > 600


def test_the_description_of_the_api_is_shown(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.get_by_role("link", name="API").click()
    expect(page.get_by_text("/predict", exact=True)).to_be_visible(timeout=20_000)
