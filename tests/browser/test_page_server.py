"""When the server goes, and when it asks for a key."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from web.fakes import listening, local

from browser.hand import draw, expect_digit, ink, needs_chromium
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


def _is_cut(route: Route) -> None:
    route.abort()


def _is_a_proxys_page(route: Route) -> None:
    route.fulfill(status=502, content_type="text/html", body="<h1>Bad Gateway</h1>")


def _is_a_portals_page(route: Route) -> None:
    route.fulfill(status=200, content_type="text/html", body="<h1>Please log in</h1>")


@pytest.mark.parametrize("gone", [_is_cut, _is_a_proxys_page, _is_a_portals_page])
def test_a_banner_stays_until_the_server_is_back(page: Page, gone: object) -> None:
    draw(page, 7)
    expect_digit(page, "7")
    banner = page.locator("#gone")
    expect(banner).to_be_hidden()
    page.route("**/{predict,health,providers}**", gone)  # type: ignore[arg-type]
    page.get_by_role("button", name="Clear").click()
    draw(page, 3)
    expect(banner).to_be_visible()
    expect_digit(page, "")
    expect(page.locator("#sure")).to_have_text("No answer")
    drawn = ink(page)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_timeout(2500)
    expect(banner).to_be_in_viewport()
    page.unroute_all()
    expect(banner).to_be_hidden()
    expect_digit(page, "3")
    assert ink(page) == drawn


def test_of_what_is_drawn_meanwhile_it_is_told_that_nobody_answers(page: Page) -> None:
    page.route("**/{predict,health,providers}**", _is_cut)
    draw(page, 7)
    expect(page.locator("#gone")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#sure")).to_have_text("Waiting for a digit")
    draw(page, 3)
    expect(page.locator("#sure")).to_have_text("No answer")
    page.unroute_all()
    expect_digit(page, "3")


def test_a_page_that_opens_without_its_server_comes_to_life_by_itself(browser: Browser, url: str) -> None:
    page = browser.new_page()
    page.route("**/{predict,health,providers}**", _is_cut)
    page.goto(url)
    expect(page.locator("#gone")).to_be_visible()
    draw(page, 7)
    page.unroute_all()
    expect_digit(page, "7")
    page.close()


def test_offline_is_told_at_once_and_online_tried_at_once(page: Page) -> None:
    page.context.set_offline(True)
    expect(page.locator("#gone")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#gone")).to_be_hidden()


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    """A server that asks for a key."""
    with listening(local(), settings=Settings(api_keys=("open-sesame",))) as address:
        yield address


def test_a_key_is_asked_for_before_the_first_stroke(browser: Browser, locked: str) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(locked)
    dialog, words = page.get_by_role("dialog"), page.locator("#key-wrong")
    expect(dialog).to_be_visible()
    for wrong in ("guess", "sésame", " "):
        page.get_by_label("API key").fill(wrong)
        page.get_by_role("button", name="Use it").click()
        expect(words).to_have_text("The server does not know this key.")
        expect(dialog).to_be_visible()
    page.get_by_label("API key").fill("open-sesame")
    page.keyboard.press("Enter")
    expect(dialog).to_be_hidden()
    draw(page, 7)
    expect_digit(page, "7")
    assert not any("open-sesame" in one for one in asked)
    page.close()


def test_escape_closes_the_dialog_and_a_button_brings_it_back(browser: Browser, locked: str) -> None:
    page = browser.new_page()
    page.goto(locked)
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    draw(page, 7)
    page.wait_for_timeout(500)
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="Key", exact=True).click()
    page.get_by_label("API key").fill("open-sesame")
    page.get_by_role("button", name="Use it").click()
    expect_digit(page, "7")
    page.close()


def test_a_key_that_is_good_no_longer_is_told(browser: Browser, locked: str) -> None:
    page = browser.new_page()
    page.goto(locked)
    page.evaluate("sessionStorage.setItem('digitrec-key', 'an-old-one')")
    page.reload()
    draw(page, 7)
    expect(page.get_by_role("dialog")).to_contain_text("does not take this key any more")
    page.close()
