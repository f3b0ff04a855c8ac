"""No figure on a page without its generator or test: the code holds it, a command measured it, or made it."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shutil
import subprocess
import sys
from datetime import UTC, date, datetime

import claims
import pytest
from page_parts import LIVING, PAGES, ROOT, blocks, prose, text_of

from digitrec.cli import COMMANDS

MODULES = [importlib.import_module(f"claims.{one.name}") for one in pkgutil.iter_modules(claims.__path__)]
QUOTED = [quoted for module in MODULES for quoted in getattr(module, "QUOTED", [])]
HELD = [(page, piece) for module in MODULES for page, pieces in module.CLAIMS.items() for piece in pieces]
HELD += [(page, piece) for page, piece, _, _ in QUOTED]
MADE = re.compile(r"\A# .*\n\n(?:[^\n|]+\n)?(?:Written|Made) by `([^`]+)`")
"""How the head of a page begins that a command writes whole."""
SOURCED = re.compile(r"\[\d+\](?!\()")
"""What a paragraph says of a vendor has the number of its source."""
NOT_DONE = re.compile(r"## What (was not|could not)")
"""A heading over what was not done, and so has no result."""
MARKED = re.compile(r"<!--[a-z].*?-->.*?<!--/-->")
"""A figure that a script writes into a page: `docs/make_figures.py`, or a lesson's own."""
MEASURED = re.compile(
    r"(?:[Mm]easured|[Tt]ried) on (\d{4}-\d\d-\d\d) by (`[^`]+`|hand)(?: and (`[^`]+`))?,?"
    r" at ([0-9a-f]{7,40})\b"
)
"""What a paragraph says of figures that no test can repeat: when, by which command, at which commit."""
CODE, LINK = re.compile(r"`[^`]*`"), re.compile(r"\]\([^)]*\)")
UNIT = (
    r"(?:%|per cent|µs|ms|s|seconds?|min|minutes?|hours?|h|days?|months?|kB|MB|GB|bytes|px|pixels|digits"
    r"|pictures?|photos|photographs|drawings|requests?|calls?|questions?|characters|images|parts|rows|threads?"
    r"|processes|files|million|bits|cores?|times|points?|kinds|engines|connections|bodies|frames|pages|levels|runs"
    r"|columns|regions|parameters|networks|dots|labels|answers|epochs|writers|attempts|trials|others|errors|tokens"
    r"|a second)"
)
FIGURE = re.compile(rf"(?<![\w.#§-])(?:\$\d[\d,.]*|\d[\d,]*(?:\.\d+)? ?{UNIT}(?![\w-]))")


RESULT = re.compile(r"(?<![\w.-])\d+[.]\d+ ?(?:%|per cent|ms|s)(?![\w-])")
"""In a lesson, which counts and reckons in its text as lessons do, what looks like a result."""


def flat(text: str) -> str:
    """The text in one line, and without what is generated in it."""
    return " ".join(text.split())


@pytest.mark.parametrize("page", sorted({page for page, _ in HELD}))
def test_every_figure_is_what_the_code_says(page: str) -> None:
    text = flat(text_of(page))
    assert [piece for named, piece in HELD if named == page and flat(piece) not in text] == []


@pytest.mark.parametrize(("file", "line"), sorted({(file, line) for _, _, file, line in QUOTED}))
def test_what_a_page_quotes_of_a_line_stands_there(file: str, line: str) -> None:
    assert line in (ROOT / file).read_text(encoding="utf-8")


def unaccounted(page: str) -> list[str]:
    """Figures of a page that nobody holds, with what stands before them."""
    text = text_of(page)
    if MADE.search(text) or MEASURED.search(flat(text.partition("\n## ")[0])):
        return []
    rest = ["  "]
    carried = False
    left_out = False
    for block in blocks(page):
        part = flat(block.text)
        left_out = bool(NOT_DONE.match(part)) if part.startswith("## ") else left_out
        named = MEASURED.search(part)
        measured = carried or named or SOURCED.search(part)
        carried = bool(named) and part.endswith(":")
        rest += [] if measured or left_out or block.language is not None else [part]
    left = " ".join(rest)
    held = [
        range(at.start(), at.end())
        for named, piece in HELD
        if named == page
        for at in re.finditer(re.escape(flat(piece)), left)
    ]
    held += [range(at.start(), at.end()) for pattern in (MARKED, CODE, LINK) for at in pattern.finditer(left)]
    return [
        left[max(0, found.start() - 60) : found.end()]
        for found in (RESULT if page.startswith("docs/course/") else FIGURE).finditer(left)
        if not any(found.start() in span for span in held)
    ]


@pytest.mark.parametrize("page", LIVING)
def test_no_figure_is_typed_by_hand(page: str) -> None:
    assert unaccounted(page) == []


def test_a_figure_that_is_typed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    said = (
        "# A page\n\n## One\n\nMeasured on 2026-11-20 by hand at 1234567: 8 ms.\n\nIt reads 99 % in `9 s`.\n"
    )
    monkeypatch.setattr("page_parts.text_of", lambda page: said)
    monkeypatch.setattr(sys.modules[__name__], "text_of", lambda page: said)
    assert [found.split()[-2:] for found in unaccounted("docs/no-such-page.md")] == [["99", "%"]]


@pytest.mark.parametrize("page", [page for page in PAGES if "/adr/" in page])
def test_a_decision_says_from_when_its_figures_are(page: str) -> None:
    text = flat(prose(page))
    for named, piece in HELD:
        text = text.replace(flat(piece), "") if named == page else text
    timed = re.search(r"\d ?(?:%|ms|µs|s)(?![\w-])", re.sub(r"`[^`]*`", "", text))
    assert not timed or MEASURED.search(text)


MEASUREMENTS = [(page, found.groups()) for page in PAGES for found in MEASURED.finditer(flat(text_of(page)))]


def test_measurements_name_a_day_and_a_command_that_is_there() -> None:
    assert len(MEASUREMENTS) > 20
    for page, (day, *by, _) in MEASUREMENTS:
        assert date(2026, 11, 20) <= date.fromisoformat(day) <= datetime.now(UTC).date(), f"{page}: {day}"
        for command in by:
            if command not in ("hand", None):
                words = command.strip("`").split()
                there = words[1] in COMMANDS if words[0] == "digitrec" else (ROOT / words[-1]).is_file()
                assert there or (ROOT / words[1]).is_file(), f"{page}: {command}"


def git(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", "-C", str(ROOT), *words], capture_output=True, text=True, check=False)


def test_measurements_name_a_commit_that_is_there() -> None:
    named = sorted({commit for _, (*_, commit) in MEASUREMENTS})
    at_hand = shutil.which("git") and git("rev-parse", "--is-shallow-repository").stdout.strip() == "false"
    if at_hand:  # the whole history
        for commit in named:
            assert git("cat-file", "-e", f"{commit}^{{commit}}").returncode == 0, commit
    assert all(re.fullmatch("[0-9a-f]{7,40}", commit) for commit in named)


@pytest.mark.parametrize("page", LIVING)
def test_no_line_begins_with_a_figure_of_a_script(page: str) -> None:
    """GitHub takes such a line for HTML, ends the paragraph above, and shows its Markdown as it stands."""
    assert re.findall(r"^ {0,3}<!--[a-z][^>]*-->[^\n<]*<!--/-->.*", text_of(page), re.MULTILINE) == []


def test_what_a_script_writes_into_the_pages_is_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "docs" / "make_figures.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("page", [page for page in LIVING if MADE.search(text_of(page))])
def test_a_page_that_is_made_names_what_makes_it(page: str) -> None:
    found = MADE.search(text_of(page))
    assert found
    program, *words = found[1].split()
    assert words[0] in COMMANDS if program == "digitrec" else (ROOT / [program, *words][-1]).is_file()
