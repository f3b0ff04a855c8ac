"""Lost connections, proxies, keys, slow networks, odd files: the page reports each problem."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, Route, expect

from browser import hand
from browser.conftest import OpenPage
from digitrec.web.settings import Settings

pytestmark = hand.needs_chromium
SERVER = "**/{predict,health,providers,thumbnail}**"
Answer = Callable[[Route], None]


def cut(route: Route) -> None:
    route.abort()


def html(status: int, words: str) -> Answer:
    """Another server's page in place of an answer."""
    return lambda route: route.fulfill(status=status, content_type="text/html", body=f"<h1>{words}</h1>")


@pytest.mark.parametrize("gone", [cut, html(200, "Please log in")], ids=["cut", "portal"])
def test_a_banner_stays_until_the_server_is_back(page: Page, gone: Answer) -> None:
    hand.drawn(page, 7)
    banner, sure = page.locator("#gone"), page.locator("#sure")
    expect(banner).to_be_hidden()
    page.route(SERVER, gone)
    hand.press(page, "Clear")
    hand.draw(page, 1)
    expect(banner).to_be_visible()
    hand.press(page, "Clear")
    expect(sure).to_have_text("Waiting for a digit")
    hand.draw(page, 3)  # while the page knows that the server is gone
    expect(sure).to_have_text("No answer")
    hand.expect_digit(page, "")
    before = hand.ink(page)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(2500)
    expect(banner).to_be_in_viewport()
    page.unroute_all()
    expect(banner).to_be_hidden()
    hand.expect_digit(page, "3")
    assert hand.ink(page) == before


def test_a_page_that_opens_without_its_server_comes_to_life_by_itself(page: Page, tmp_path: Path) -> None:
    page.route(SERVER, cut)
    page.reload()
    expect(page.locator("#gone")).to_be_visible()
    with page.expect_event("requestfailed", lambda asked: "thumbnail" in asked.url):
        hand.show(page, saved(tmp_path / "seven.tif"))
    page.unroute_all()
    hand.expect_digit(page, "7")
    expect(page.locator("#picture")).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator("#gone")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#gone")).to_be_hidden()
    with page.expect_response("**/health"):
        page.evaluate("dispatchEvent(new Event('offline'))")  # without Wi-Fi a server on this machine answers
    page.wait_for_timeout(200)
    expect(page.locator("#gone")).to_be_hidden()


@pytest.mark.parametrize("status", [200, 429, 502])
def test_a_proxys_page_is_quoted_and_nothing_is_sent_again(page: Page, status: int) -> None:
    sent = hand.asked_for(page, "/predict")
    page.route("**/predict**", html(status, "from the gateway"))
    hand.show(page, "photo-pen.jpg")
    expect(page.locator("#gone")).to_contain_text("from the gateway")
    expect(page.locator("#sure")).to_have_text("No answer")
    page.wait_for_timeout(2500)
    assert len(sent) == 1
    page.unroute_all()
    hand.press(page, "Try again")
    hand.expect_digit(page, "7")
    expect(page.locator("#gone")).to_be_hidden()


def test_each_picture_has_its_own_retries_and_no_other_waits_for_them(page: Page) -> None:
    toast, answers = page.locator("#toast"), iter(["1", "40"])

    def busy(route: Route) -> None:
        if after := next(answers, None):
            route.fulfill(status=503, headers={"Retry-After": after}, json={"detail": "too busy"})
        else:
            route.continue_()

    for number in range(5):
        hand.show(page, {**hand.TEXT, "buffer": b"text %d" % number})
        expect(toast).to_contain_text("not a picture")
        page.evaluate("document.querySelector('#toast').textContent = ''")
    page.route("**/predict**", busy)
    hand.show(page, "photo-pen.jpg")
    expect(page.locator("#sure")).to_have_text("Waiting")
    expect(page.locator("#why")).to_contain_text("again in 40 s")
    hand.show(page, "photo-shadow.jpg", "3")


def test_a_chosen_file_may_change_on_the_disk(page: Page, tmp_path: Path) -> None:
    hand.show(page, saved(tmp_path / "seven.png"), "7")
    (tmp_path / "seven.png").write_bytes(b"changed")
    hand.press(page, "Why?")
    expect(page.locator("#reasons")).to_be_visible()


def test_the_page_works_if_the_browser_lets_it_keep_nothing(browser: Browser, url: str) -> None:
    page = browser.new_page()
    for name in ("sessionStorage", "localStorage"):
        page.add_init_script(f"Object.defineProperty(window, '{name}', {{ get() {{ throw Error(); }} }})")
    page.goto(url)
    hand.drawn(page, 7)
    page.locator("#theme").click()
    expect(page.locator("#theme")).to_contain_text("Light")
    page.close()


def test_a_key_is_asked_for_before_the_first_stroke_and_when_it_is_no_longer_good(page_of: OpenPage) -> None:
    page = page_of(settings=Settings(api_keys=("open-sesame",)))
    asked = hand.asked_for(page, "open-sesame")
    dialog, key = page.get_by_role("dialog"), page.get_by_label("API key")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    hand.draw(page, 7)
    page.wait_for_timeout(500)
    expect(dialog).to_be_hidden()
    hand.press(page, "Key")
    for wrong in ("guess", "sésame", " "):
        key.fill(wrong)
        hand.press(page, "Use it")
        expect(page.locator("#key-wrong")).to_have_text("The server does not know this key.")
        expect(dialog).to_be_visible()
    key.fill("open-sesame")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    hand.expect_digit(page, "7")
    assert asked == []
    page.evaluate("sessionStorage.setItem('digitrec-key', 'an-old-one')")
    page.reload()
    hand.draw(page, 7)
    expect(dialog).to_contain_text("does not take this key any more")


def test_no_older_answer_stands_over_a_picture_that_is_sent(page: Page) -> None:
    hand.drawn(page, 7)
    held = hand.held_back(page, "**/predict**")
    hand.show(page, "photo-shadow.jpg")
    expect(page.locator("#sure")).to_have_text("Reading…")
    hand.expect_digit(page, "")
    expect(page.locator("#bars li.best")).to_have_count(0)
    hand.wait_for(page, lambda: held)
    page.unroute_all()  # lets them go
    hand.expect_digit(page, "3")
    hand.held_back(page, "**/predict**")
    hand.draw(page, 1)  # a new drawing
    expect(page.locator("#sure")).to_have_text("Reading…")
    hand.expect_digit(page, "")


def saved(file: Path, size: tuple[int, int] | None = None) -> Path:
    """Save a photo of a 7 in the format of a name's ending."""
    with Image.open(hand.SAMPLES / "photo-pen.jpg") as photo:
        photo.resize(size or photo.size).save(file)
    return file


def test_a_file_over_the_limit_is_not_sent(page_of: OpenPage, tmp_path: Path) -> None:
    page = hand.drawn(page_of(settings=Settings(max_body_bytes=100_000)), 7)
    posted = hand.asked_for(page, "/thumbnail")
    hand.show(page, saved(tmp_path / "large.tif", (500, 500)))
    expect(page.locator("#toast")).to_contain_text("0.1 MB")
    hand.expect_digit(page, "7")  # the previous picture, which is read again
    assert posted == []
    hand.draw(page, 7)
    hand.expect_hidden(page, ["#toast"])


SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10">
<path d="M2 2H8L4.500 8.500" fill="none" stroke="black" stroke-width="0.9"/></svg>"""


@pytest.mark.parametrize("kind", ["svg", "avif", "tiff", "ppm"])
def test_every_format_is_shown_and_read(open_page: OpenPage, kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"seven.{kind}"
    if kind == "svg":
        file.write_text(SVG)
    else:
        saved(file)
    page = hand.show(open_page(), file, "7")
    for image in ("#picture", "#history img"):
        expect(page.locator(image)).to_be_visible()
        assert page.evaluate("(at) => document.querySelector(at).naturalWidth", image) > 0


def test_white_ink_on_transparency_is_read_from_a_large_file_too(open_page: OpenPage, tmp_path: Path) -> None:
    ink = Image.new("L", (1400, 1400))
    ImageDraw.Draw(ink).line([(350, 300), (1050, 300), (600, 1150)], 255, 90)
    grainy = np.random.default_rng(1).integers(246, 256, (1400, 1400, 3), np.uint8)
    Image.fromarray(np.dstack([grainy, np.asarray(ink)])).save(tmp_path / "seven.png")
    hand.show(open_page(), tmp_path / "seven.png", "7")


def test_without_javascript_the_page_leads_to_what_needs_none(browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    page.locator(".banner a").first.click()
    assert json.loads(page.inner_text("body"))["openapi"]
    context.close()
