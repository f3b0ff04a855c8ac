"""Playing and showing: samples, history, cards, commands, and telling what it was."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from web.fakes import png

from browser.conftest import OpenPage
from browser.hand import (
    SAMPLES,
    draw,
    drawn,
    expect_accessible,
    expect_digit,
    expect_history,
    ink,
    needs_chromium,
    press,
    show,
)
from digitrec.comparison.datasets.loader import read_samples
from digitrec.web.settings import Settings

pytestmark = needs_chromium


def test_a_sample_is_one_click_away_and_each_reading_comes_back_with_one(open_page: OpenPage) -> None:
    page = drawn(open_page(), 7)
    before = ink(page)
    for name, digit in (("on a blackboard", "0"), ("in red ink", "6"), ("a letter", "?")):
        page.get_by_role("button", name=name).click()
        expect_digit(page, digit)
        expect(page.locator("#picture")).to_be_visible()
    expect_history(page, "[?]", "6", "0", "7")
    page.locator("#history button").nth(3).click()
    expect_digit(page, "7")
    assert ink(page) == before
    expect_history(page, "7", "[?]", "6", "0")
    page.locator("#history button").nth(2).click()
    expect_digit(page, "6")
    expect(page.locator("#picture")).to_be_visible()
    press(page, "Forget")
    expect(page.locator("#history li")).to_have_count(0)


def test_a_card_can_be_saved(open_page: OpenPage, tmp_path: Path) -> None:
    page = drawn(open_page(), 7)
    with page.expect_download() as download:
        press(page, "Save card")
    assert download.value.suggested_filename == "digitrec-7.png"
    download.value.save_as(tmp_path / "card.png")
    with Image.open(tmp_path / "card.png") as card:
        assert card.size == (840, 400)


def copied(page: Page, button: str) -> str:
    press(page, button)
    expect(page.locator("#toast")).to_have_text(f"{button.replace('Copy', 'Copied')}.")
    return str(page.evaluate("navigator.clipboard.readText()"))


@pytest.mark.parametrize("picture", [None, "photo-pen.jpg"])
def test_the_request_can_be_copied_and_run(open_page: OpenPage, tmp_path: Path, picture: str | None) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    if picture:
        show(page, picture, "7")
        shutil.copy(SAMPLES / picture, tmp_path / "digit.jpg")
    else:
        drawn(page, 7)
    program = copied(page, "Copy as Python").replace("print(json.load(", "print(json.dumps(json.load(")
    commands = [[sys.executable, "-c", program + ")"]]
    curl = copied(page, "Copy as curl")
    assert curl.startswith("curl ") and "--json" not in curl  # curl 7.82 and later only
    if shutil.which("curl"):
        commands.append(["sh", "-c", curl])
    for command in commands:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["prediction"] == 7


def test_a_visitor_says_what_it_is_and_the_owner_accepts_it(page_of: OpenPage, tmp_path: Path) -> None:
    page = page_of(settings=Settings(collect=tmp_path, owner_key="mine"))
    expect(page.get_by_text("nothing about you")).to_be_visible()
    draw(page, 1)
    page.get_by_role("group", name="Wrong?").get_by_role("button", name="1", exact=True).click()
    expect(page.locator("#thanks")).to_have_text("Thank you: kept as a 1.")
    expect_accessible(page)
    show(page, {"name": "7.png", "mimeType": "image/png", "buffer": png((300, 300))})
    expect(page.locator("#thanks")).to_have_text("")
    press(page, "no digit")
    expect(page.locator("#thanks")).to_contain_text("no digit")
    _review(page)
    assert [sample.label for sample in read_samples(tmp_path / "accepted")] == [1]
    assert [sample.label for sample in read_samples(tmp_path / "new")] == []
    (kept,) = (tmp_path / "accepted").rglob("*.png")
    with Image.open(kept) as picture:
        assert picture.size == (280, 280)


def _review(page: Page) -> None:
    """As the owner: accept the 1, throw the other away."""
    page.goto(f"{page.url}review")
    for key in ("guess", "mine"):
        page.get_by_label("The owner's key").fill(key)
        press(page, "Look")
        if key == "guess":
            expect(page.locator("#words")).to_contain_text("does not know this key")
    expect(page.locator("#labelled li")).to_have_count(2)
    expect(page.locator("#labelled li").first).to_contain_text("local says 7")
    expect_accessible(page)
    press(page, "Accept 1")
    expect(page.locator("#words")).to_have_text("1 to look at.")
    press(page, "Throw away")
    expect(page.locator("#words")).to_have_text("Nothing waits to be looked at.")
