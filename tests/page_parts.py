"""The pages of the repository, taken apart: what is prose, what is code, and what is named in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
HISTORY = ("CHANGELOG.md", "docs/decisions.md")
"""What was true when it was written: its names may be gone."""
PAGES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("samples/*.md"),
                 *ROOT.glob("digitrec/models/weights/*.md")]
)  # fmt: skip
LIVING = [page for page in PAGES if not page.startswith(HISTORY)]
"""The pages that speak of today."""
FENCE = re.compile(r"^\s*(```+)(\w*)\s*$")
INDENTED = re.compile(r"^( {4,}|\t)\S")


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of a page between blank lines, or a whole block of code."""

    language: str | None
    """None: prose. Of code what stands beside the fence; "" also for code that is only indented."""
    text: str


@cache
def text_of(page: str) -> str:
    """The page as it stands in the repository."""
    return (ROOT / page).read_text(encoding="utf-8")


@cache
def blocks(page: str) -> tuple[Block, ...]:
    """The page's blocks in their order."""
    return tuple(_blocks(text_of(page).splitlines()))


def _blocks(lines: list[str]) -> Iterator[Block]:
    part: list[str] = []
    fence: tuple[str, str] | None = None
    after_blank = listed = indented = False
    for line in [*lines, ""]:
        found = FENCE.match(line)
        if fence:
            if found and found[1] == fence[0]:
                yield Block(fence[1], "\n".join(part))
                part, fence = [], None
            else:
                part.append(line)
            continue
        if found:
            yield from _prose(part, indented)
            part, fence, indented = [], (found[1], found[2]), False
        elif not line.strip():
            if not indented:
                yield from _prose(part, indented)
                part = []
            after_blank = True
        else:
            if not line.startswith(" "):
                listed = bool(re.match(r"(\d+\.|[-*]) ", line))
            code = bool(INDENTED.match(line)) and not listed
            if code != indented and (after_blank or not part):
                yield from _prose(part, indented)
                part, indented = [], code
            part.append(line)
            after_blank = False
    yield from _prose(part, indented)


def _prose(part: list[str], indented: bool) -> Iterator[Block]:
    if part:
        yield Block("" if indented else None, "\n".join(part))


def prose(page: str) -> str:
    """All of the page but its code blocks; a list item's own code stays in."""
    return "\n\n".join(block.text for block in blocks(page) if block.language is None)


def code_spans(page: str) -> list[str]:
    """What stands between backticks in the page's prose, in one line each."""
    return [" ".join(found.split()) for found in re.findall(r"`([^`]+)`", prose(page))]


def fences(page: str, *languages: str) -> list[str]:
    """The page's code blocks of these languages."""
    return [block.text for block in blocks(page) if block.language in languages]


def command_lines(page: str) -> list[str]:
    """Every line of shell in the page, of its code blocks and between backticks, without its comment."""
    lines = []
    for block in fences(page, "", "sh", "console", "bash", "powershell"):
        lines += re.sub(r" *\\\n\s*", " ", block).splitlines()
    lines += re.findall(r"^ {4,}(\S.*)$", prose(page), re.MULTILINE)  # of a list item
    lines += code_spans(page)
    return [re.sub(r"\s+#\s.*$", "", line).removeprefix("$ ").strip() for line in lines]
