"""The notebook's canvas in a real Chromium: drawings reach Python in both front ends."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from browser.hand import draw, needs_chromium
from digitrec.lab.notebook import Drawing, canvas

pytestmark = needs_chromium
NAME = "digitrec-1"
COLAB = """<script>window.google = { colab: { kernel: { invokeFunction: async (name, given, named) => (
    { data: { "application/json": { said: await window.python(name, ...given) } } }) } } };</script>"""
JUPYTER = f"""<div class="{NAME}"><textarea style="display: none"></textarea></div>
<script>document.querySelector("textarea").addEventListener("input", async (event) => {{
    document.title = await window.python("{NAME}", event.target.value) }});</script>"""


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    errors: list[str] = []
    page = browser.new_page()
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


def show(page: Page, front_end: str) -> Drawing:
    """Show the canvas in a front end; return what Python receives from it."""
    drawing = Drawing()

    def python(name: str, url: str) -> str:
        assert name == NAME
        return drawing.read(url)

    page.expose_function("python", python)
    page.set_content(front_end + canvas(NAME).replace("<canvas ", '<canvas id="pad" '))
    return drawing


def read(page: Page) -> None:
    page.get_by_role("button", name="Read it").click()


def test_colab_says_under_the_canvas_what_python_read(page: Page) -> None:
    drawing = show(page, COLAB)
    read(page)
    expect(page.locator("output")).to_have_text("no digit: blank")
    draw(page, 7)
    read(page)
    expect(page.locator("output")).to_contain_text("7 (")
    assert drawing.answer is not None and drawing.answer.digit == 7
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("output")).to_have_text("")
    draw(page, 3)
    read(page)
    expect(page.locator("output")).to_contain_text("3 (")


def test_jupyter_gets_it_through_the_text_area(page: Page) -> None:
    drawing = show(page, JUPYTER)
    draw(page, 3)
    read(page)
    expect(page).to_have_title(re.compile(r"3 \("))
    assert drawing.answer is not None and drawing.answer.digit == 3


def test_without_a_listener_it_says_so(page: Page) -> None:
    show(page, "")
    read(page)
    expect(page.locator("output")).to_contain_text("run its cell again")
