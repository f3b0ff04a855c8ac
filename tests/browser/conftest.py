"""A real Chromium, and a server of ours for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from web.fakes import listening, paid

from browser.hand import CHROMIUM
from digitrec.engine import Engine
from digitrec.providers.registry import open_provider

Launch = Callable[..., Browser]
OpenPage = Callable[..., Page]

expect.set_options(timeout=30_000)  # a machine with other things to do may need that long for one answer


@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    """What drives the browsers."""
    with sync_playwright() as made:
        yield made


def _started(playwright: Playwright, *arguments: str) -> Browser:
    sandbox = ["--no-sandbox"]  # root has none, as in a container
    return playwright.chromium.launch(executable_path=CHROMIUM, args=[*sandbox, *arguments])


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """One that is shared by all tests of this folder."""
    started = _started(playwright)
    yield started
    started.close()


@pytest.fixture
def launch(playwright: Playwright) -> Iterator[Launch]:
    """Starts another browser, with arguments of its own."""
    browsers: list[Browser] = []

    def start(*arguments: str) -> Browser:
        browsers.append(_started(playwright, *arguments))
        return browsers[-1]

    yield start
    for started in browsers:
        started.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server with our network, and beside it a made-up cloud that takes money and reads a 3."""
    with listening(Engine(open_provider("local")), paid("3", "3", "3", "3")) as address:
        yield address


@pytest.fixture
def open_page(browser: Browser, url: str) -> Iterator[OpenPage]:
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
