"""Fixtures: a real Chromium and a digitrec server."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright
from web.fakes import listening, local, paid

from browser.hand import CHROMIUM
from digitrec.engine import Engine
from digitrec.providers.registry import open_provider
from digitrec.recognise import Reader
from digitrec.web.settings import Settings

Launch = Callable[..., Browser]
OpenPage = Callable[..., Page]

expect.set_options(timeout=30_000)  # a busy machine may need that long for one answer


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """Start Playwright, which drives the browsers."""
    with sync_playwright() as made:
        yield made


@pytest.fixture(scope="package")
def launch(playwright: Playwright) -> Iterator[Launch]:
    """Start a browser with arguments of its own."""
    with ExitStack() as browsers:

        def start(*arguments: str) -> Browser:
            sandbox = "--no-sandbox"  # Chromium has no sandbox as root, as in a container
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[sandbox, *arguments])
            browsers.callback(browser.close)
            return browser

        yield start


@pytest.fixture(scope="package")
def browser(launch: Launch) -> Browser:
    """Start the browser that all tests of this folder share."""
    return launch()


@pytest.fixture(scope="package")
def url() -> Iterator[str]:
    """Serve the shipped network and a fake paid cloud that reads a 3."""
    with listening(Engine(open_provider("local")), paid("3", "3", "3", "3")) as address:
        yield address


@pytest.fixture
def page(browser: Browser, url: str) -> Iterator[Page]:
    """Open the page in a context of its own."""
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(url)
    yield opened
    context.close()


@pytest.fixture
def page_of(browser: Browser) -> Iterator[OpenPage]:
    """Open the page of a server with these engines and settings."""
    with ExitStack() as opened:

        def start(*engines: Reader, settings: Settings = Settings()) -> Page:
            address = opened.enter_context(listening(*engines or [local()], settings=settings))
            page = browser.new_page()
            opened.callback(page.close)
            page.goto(address)
            return page

        yield start


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[OpenPage]:
    """Open the page in its own context; fail on a request to another machine or a script error."""
    strayed: list[str] = []
    errors: list[str] = []
    with ExitStack() as opened:

        def start(**options: Any) -> Page:
            context = browser.new_context(**options)
            opened.callback(context.close)
            page = context.new_page()
            ours = (url, "data:image/", f"blob:{url}")
            page.on("request", lambda asked: asked.url.startswith(ours) or strayed.append(asked.url))
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda said: said.type == "error" and errors.append(said.text))
            page.goto(url)
            return page

        yield start
    assert strayed == []
    assert [error for error in errors if "422" not in error] == []
