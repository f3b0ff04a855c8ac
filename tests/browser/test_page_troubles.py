"""Proxies, slow networks, large and odd files: the page says what happened to the picture on it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, Request, Route, expect
from web.fakes import listening, local

from browser.conftest import OpenPage
from browser.hand import SAMPLES, draw, expect_digit, needs_chromium, place
from digitrec.web.settings import Settings

pytestmark = needs_chromium


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """The page, in a context of its own."""
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(url)
    yield opened
    context.close()


def uploads(page: Page) -> list[Request]:
    """Requests to read a picture, in the order sent."""
    sent: list[Request] = []
    page.on("request", lambda asked: "/predict" in asked.url and sent.append(asked))
    return sent


@pytest.mark.parametrize("status", [200, 413, 429, 500, 502, 503])
def test_a_proxys_page_is_quoted_and_nothing_is_sent_again(page: Page, status: int) -> None:
    said = f"<html><head><title>{status} from the gateway</title></head><body><h1>No</h1></body></html>"
    sent = uploads(page)
    page.route(
        "**/predict**", lambda route: route.fulfill(status=status, content_type="text/html", body=said)
    )
    page.locator("#file").set_input_files(SAMPLES / "photo-pen.jpg")
    expect(page.locator("#gone")).to_contain_text(f"{status} from the gateway")
    expect(page.locator("#sure")).to_have_text("No answer")
    page.wait_for_timeout(4000)
    assert len(sent) == 1
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    expect_digit(page, "7")
    expect(page.locator("#gone")).to_be_hidden()


def test_retry_after_is_honoured(page: Page) -> None:
    sent = uploads(page)
    headers = {"Retry-After": "3", "Content-Type": "text/html"}
    page.route(
        "**/predict**", lambda route: route.fulfill(status=429, headers=headers, body="Slow down"), times=1
    )
    page.locator("#file").set_input_files(SAMPLES / "photo-pen.jpg")
    expect(page.locator("#why")).to_contain_text("Slow down")
    page.wait_for_timeout(2000)
    assert len(sent) == 1
    expect_digit(page, "7")
    assert len(sent) == 2


def test_a_connection_that_fails_is_retried_ever_more_rarely_until_the_end(
    browser: Browser, url: str
) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()
    page.goto(url)
    sent = uploads(page)
    page.route("**/predict**", lambda route: route.abort())
    page.locator("#file").set_input_files(SAMPLES / "photo-pen.jpg")
    counts = []
    for _ in range(24):
        page.clock.run_for(10_000)
        page.wait_for_timeout(100)
        counts.append(len(sent))
    assert 2 <= counts[-1] <= 9
    assert counts[-1] == counts[-6], "it does not end"
    page.unroute_all()
    page.get_by_role("button", name="Try again").click()
    page.clock.run_for(2000)
    expect_digit(page, "7")
    context.close()


def test_while_a_picture_travels_no_other_answer_stands_over_it(page: Page) -> None:
    draw(page, 7)
    expect_digit(page, "7")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/predict**", hold)
    page.locator("#file").set_input_files(SAMPLES / "photo-shadow.jpg")
    expect(page.locator("#sure")).to_have_text("Reading…")
    expect_digit(page, "")
    expect(page.locator("#bars li.best")).to_have_count(0)
    while not held:
        page.wait_for_timeout(50)
    held.pop().continue_()
    expect_digit(page, "3")
    draw(page, 1)  # a new drawing
    expect(page.locator("#sure")).to_have_text("Reading…")
    expect_digit(page, "")


def test_a_large_upload_shows_its_progress(page: Page, tmp_path: Path) -> None:
    file = tmp_path / "large.tif"
    with Image.open(SAMPLES / "photo-pen.jpg") as photo:
        photo.resize((1200, 1500)).convert("RGB").save(file)
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 2_000_000},
    )
    page.locator("#file").set_input_files(file)
    expect(page.locator("#upload")).to_be_visible()
    expect_digit(page, "7")
    expect(page.locator("#upload")).to_be_hidden()


def test_a_file_over_the_limit_is_not_sent(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "large.tif"
    Image.new("L", (500, 500)).save(file)
    with listening(local(), settings=Settings(max_body_bytes=100_000)) as url:
        page = browser.new_page()
        page.goto(url)
        draw(page, 7)
        expect_digit(page, "7")
        posted: list[str] = []
        page.on("request", lambda asked: asked.method == "POST" and posted.append(asked.url))
        page.locator("#file").set_input_files(file)
        expect(page.locator("#toast")).to_contain_text("0.1 MB")
        expect_digit(page, "7")  # what was there before, which is read again
        assert all("/thumbnail" not in one for one in posted)
        draw(page, 7)
        expect(page.locator("#toast")).to_be_hidden()
        page.close()


SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">
<path d="M2 2H8L4.500 8.500" fill="none" stroke="black" stroke-width="0.9"/></svg>"""


@pytest.mark.parametrize("kind", ["svg", "avif"])
def test_formats_that_only_browsers_know_are_drawn_by_them(
    open_page: OpenPage, kind: str, tmp_path: Path
) -> None:
    file = tmp_path / f"seven.{kind}"
    if kind == "svg":
        file.write_text(SVG)
    else:
        with Image.open(SAMPLES / "photo-pen.jpg") as photo:
            photo.save(file)
    page = open_page()
    page.locator("#file").set_input_files(file)
    expect_digit(page, "7")
    expect(page.locator("#picture")).to_be_visible()


@pytest.mark.parametrize("reads", [True, False])
def test_label_buttons_wait_for_a_picture(browser: Browser, tmp_path: Path, reads: bool) -> None:
    with listening(local(), settings=Settings(collect=tmp_path)) as url:
        page = browser.new_page()
        page.goto(url)
        seven = page.get_by_role("group", name="Wrong?").get_by_role("button", name="7", exact=True)
        expect(seven).to_be_visible()
        expect(seven).to_be_disabled()
        if not reads:
            page.route("**/predict**", lambda route: route.abort())
        draw(page, 7)
        page.wait_for_timeout(1000)
        expect(seven).to_be_enabled(enabled=reads)
        page.get_by_role("button", name="Clear").click()
        expect(seven).to_be_disabled()
        page.close()


LEFT = [[(0.25, 0.3), (0.25, 0.5), (0.24, 0.75)]]


@pytest.mark.parametrize(
    "seven", [[(0.55, 0.25), (0.8, 0.25), (0.62, 0.8)], [(0.6, 0.2), (0.85, 0.3), (0.6, 0.75)]]
)
def test_a_quick_digit_beside_another_is_not_dropped_in_silence(
    open_page: OpenPage, seven: list[tuple[float, float]]
) -> None:
    """Three pointer events make the whole 7."""
    page = open_page()
    for stroke in [*LEFT, seven]:
        start, *rest = [place(page, *point) for point in stroke]
        page.mouse.move(*start)
        page.mouse.down()
        for point in rest:
            page.mouse.move(*point)
        page.mouse.up()
    expect(page.locator("#why")).to_contain_text("more")


def test_without_javascript_the_page_leads_to_what_needs_none(browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    page.locator(".banner a").first.click()
    assert json.loads(page.inner_text("body"))["openapi"]
    context.close()


def test_the_command_runs_in_a_plain_shell(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    draw(page, 7)
    expect_digit(page, "7")
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.locator("#toast")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    assert "--json" not in command  # curl 7.82 and later only
    if shutil.which("curl"):
        done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["prediction"] == 7


@pytest.mark.parametrize("size", [(320, 568), (568, 320), (667, 375)])
def test_tools_and_links_can_be_touched_on_the_smallest_screens(
    open_page: OpenPage, size: tuple[int, int]
) -> None:
    width, height = size
    page = open_page(viewport={"width": width, "height": height})
    for part in ("#undo", "#camera", "nav a"):
        box = page.locator(part).bounding_box()
        assert box is not None and box["height"] >= 24 and box["width"] >= 24
        assert box["x"] >= 0 and box["y"] >= 0
        assert box["x"] + box["width"] <= width and box["y"] + box["height"] <= height
