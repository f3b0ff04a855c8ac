"""The pages of the repository: their code blocks, their commands, and what they name in prose."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATTERNS = ("*.md", "docs/**/*.md", "samples/*.md", "digitrec/models/weights/*.md")
HISTORY = ("CHANGELOG.md", "docs/decisions.md")
"""Pages about the past: the names in them may be gone."""
PAGES = {path.relative_to(ROOT).as_posix() for pattern in PATTERNS for path in ROOT.glob(pattern)}
LIVING = sorted(page for page in PAGES if not page.startswith(HISTORY))
"""Pages about the current version."""
FENCED = re.compile(r"^[ \t]*```(\w*)\n(.*?)^[ \t]*```[ \t]*\n", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4,}(\S.*)$", re.MULTILINE)
SHELL = ("", "sh", "console", "bash", "powershell")


def text_of(page: str) -> str:
    """Return the text of a page."""
    return (ROOT / page).read_text(encoding="utf-8") + "\n"


def fences(page: str, *languages: str) -> list[str]:
    """Return the fenced code blocks of these languages."""
    return [code for language, code in FENCED.findall(text_of(page)) if language in languages]


def code_spans(page: str) -> list[str]:
    """Return the code spans of the page's prose, each on one line."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", FENCED.sub("", text_of(page)))]


def command_lines(page: str) -> list[str]:
    """Return every line of shell in code blocks and between backticks, without its comment."""
    code = "".join(fences(page, *SHELL)) + "\n".join(INDENTED.findall(FENCED.sub("", text_of(page))))
    lines = re.sub(r" *\\\n\s*", " ", code).splitlines() + code_spans(page)
    return [re.sub(r"\s+#\s.*$", "", line).removeprefix("$ ").strip() for line in lines]
