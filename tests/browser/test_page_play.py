"""Playing and showing: samples, history, reasons, cards, commands, and telling what it was."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from web.fakes import listening, local, png

from browser.conftest import OpenPage
from browser.hand import SAMPLES, draw, expect_digit, expect_history, ink, needs_chromium
from digitrec.comparison.datasets.loader import read_samples
from digitrec.web.settings import Settings

pytestmark = needs_chromium


def test_a_sample_is_one_click_away(open_page: OpenPage) -> None:
    page = open_page()
    for name, digit in (("on a blackboard", "0"), ("in red ink", "6"), ("a letter", "?")):
        page.get_by_role("button", name=name).click()
        expect_digit(page, digit)
        expect(page.locator("#picture")).to_be_visible()


def test_what_was_read_comes_back_with_a_click(open_page: OpenPage) -> None:
    page = open_page()
    draw(page, 7)
    expect_digit(page, "7")
    drawn = ink(page)
    page.locator("#file").set_input_files(SAMPLES / "photo-shadow.jpg")
    expect_digit(page, "3")
    expect_history(page, "3", "7")
    page.locator("#history button").nth(1).click()
    expect_digit(page, "7")
    assert ink(page) == drawn
    expect_history(page, "7", "3")
    page.locator("#history button").nth(1).click()
    expect_digit(page, "3")
    expect(page.locator("#picture")).to_be_visible()
    page.get_by_role("button", name="Forget").click()
    expect(page.locator("#history li")).to_have_count(0)


def test_why_shows_the_steps_and_what_spoke_for_it_until_it_is_about_another(open_page: OpenPage) -> None:
    page = open_page()
    draw(page, 7)
    expect_digit(page, "7")
    page.get_by_role("button", name="Why?").click()
    expect(page.locator("#reasons-words")).to_contain_text("What spoke for it most")
    expect(page.locator("#steps figure")).to_have_count(5)
    colours = page.evaluate(
        """() => {
            const heat = document.querySelector("#heat");
            const { data } = heat.getContext("2d").getImageData(0, 0, heat.width, heat.height);
            return data.filter((value, place) => place % 4 === 0 && value > data[place + 2] + 60).length;
        }"""
    )
    assert colours > 100, "no orange"
    page.evaluate("scrollTo(0, 0)")
    draw(page, 1)
    expect(page.locator("#reasons")).to_be_hidden()


def test_a_card_can_be_saved(open_page: OpenPage, tmp_path: Path) -> None:
    page = open_page()
    draw(page, 7)
    expect_digit(page, "7")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save card").click()
    assert download.value.suggested_filename == "digitrec-7.png"
    download.value.save_as(tmp_path / "card.png")
    with Image.open(tmp_path / "card.png") as card:
        assert card.size == (840, 400)


def copied(page: Page, button: str) -> str:
    page.get_by_role("button", name=button).click()
    expect(page.locator("#toast")).to_have_text(f"{button.replace('Copy', 'Copied')}.")
    return str(page.evaluate("navigator.clipboard.readText()"))


@pytest.mark.parametrize("picture", [None, "photo-pen.jpg"])
def test_the_question_can_be_copied_and_run(open_page: OpenPage, tmp_path: Path, picture: str | None) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    if picture:
        page.locator("#file").set_input_files(SAMPLES / picture)
        shutil.copy(SAMPLES / picture, tmp_path / "digit.jpg")
    else:
        draw(page, 7)
    expect_digit(page, "7")
    python = [
        sys.executable,
        "-c",
        copied(page, "Copy as Python").replace("print(json.load(", "print(json.dumps(json.load(") + ")",
    ]
    commands = [python]
    curl = copied(page, "Copy as curl")
    assert curl.startswith("curl ")
    if shutil.which("curl"):
        commands.append(["bash", "-c", curl.replace("--json", "-H 'Content-Type: application/json' --data")])
    for command in commands:
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert json.loads(done.stdout)["prediction"] == 7


@pytest.mark.parametrize("kind", ["TIFF", "PPM"])
def test_what_the_browser_cannot_show_is_shown_all_the_same(
    open_page: OpenPage, kind: str, tmp_path: Path
) -> None:
    file = tmp_path / f"digit.{kind.lower()}"
    with Image.open(SAMPLES / "photo-pen.jpg") as photo:
        photo.save(file, kind)
    page = open_page()
    page.locator("#file").set_input_files(file)
    expect_digit(page, "7")
    expect(page.locator("#picture")).to_be_visible()
    for image in ("#picture", "#history img"):
        expect(page.locator(image)).to_be_visible()
        assert page.evaluate("(at) => document.querySelector(at).naturalWidth", image) > 0
    with page.expect_download():
        page.get_by_role("button", name="Save card").click()


def test_nothing_is_asked_where_nothing_is_kept(open_page: OpenPage) -> None:
    page = open_page()
    draw(page, 7)
    expect_digit(page, "7")
    expect(page.get_by_text("Wrong? Say what it is.")).to_be_hidden()


def test_a_visitor_says_what_it_is_and_the_owner_accepts_it(browser: Browser, tmp_path: Path) -> None:
    settings = Settings(collect=tmp_path, owner_key="mine")
    with listening(local(), settings=settings) as url:
        page = browser.new_page()
        page.goto(url)
        expect(page.get_by_text("nothing about you")).to_be_visible()
        draw(page, 1)
        page.get_by_role("group", name="Wrong?").get_by_role("button", name="1", exact=True).click()
        expect(page.locator("#thanks")).to_have_text("Thank you: kept as a 1.")
        assert Axe().run(page).violations_count == 0
        page.locator("#file").set_input_files(
            {"name": "7.png", "mimeType": "image/png", "buffer": png((300, 300))}
        )
        expect(page.locator("#thanks")).to_have_text("")
        page.get_by_role("button", name="no digit").click()
        expect(page.locator("#thanks")).to_contain_text("no digit")
        _review(page, url)
        page.close()
    assert [sample.label for sample in read_samples(tmp_path / "accepted")] == [1]
    assert [sample.label for sample in read_samples(tmp_path / "new")] == []
    (kept,) = (tmp_path / "accepted").rglob("*.png")
    assert Image.open(io.BytesIO(kept.read_bytes())).size == (280, 280)


def _review(page: Page, url: str) -> None:
    """As the owner: accept the 1, throw the other away."""
    page.goto(f"{url}/review")
    for key in ("guess", "mine"):
        page.get_by_label("The owner's key").fill(key)
        page.get_by_role("button", name="Look").click()
        if key == "guess":
            expect(page.locator("#words")).to_contain_text("does not know this key")
    expect(page.locator("#labelled li")).to_have_count(2)
    expect(page.locator("#labelled li").first).to_contain_text("local says 7")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.get_by_role("button", name="Accept 1").click()
    expect(page.locator("#words")).to_have_text("1 to look at.")
    page.get_by_role("button", name="Throw away").click()
    expect(page.locator("#words")).to_have_text("Nothing waits to be looked at.")
