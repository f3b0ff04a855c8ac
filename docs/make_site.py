"""Build the site of all pages, the course and the reference; a broken link is an error.

    python docs/make_site.py [FOLDER]            # the site is then in FOLDER/html; by default in build/site

The pages are put into FOLDER/pages first, laid out as in the repository, so that their links hold there as
they do on GitHub. Links to folders and pictures from other servers are removed, because they work on GitHub
only. Needs the extra `docs`.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import digitrec

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "docs" / "zensical.toml"
INDEXES = {"README.md": "index.md"}
"""Pages that become the index page of their folder on the site."""
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
GROUPS = {
    "Read a digit": ("predict", "predict_many", "stream", "apredict", "astream", "batch"),
    "Read numbers": ("read", "read_many", "read_stream", "aread"),
    "Results": ("Prediction", "Sheet", "Number", "Failure", "Answer", "Candidate"),
    "Engines": ("open_provider", "Engine", "Options", "Provider", "DigitImage"),
    "Several engines": ("compare", "compare_many", "compare_stream", "Comparison", "Consensus", "Fallback"),
    "Errors": ("DigitrecError", "ImageError", "ProviderError"),
}
"""The public names of digitrec, in the order of the reference."""


def pages() -> Iterator[Path]:
    """Every page of the repository that is on the site."""
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted(ROOT.glob("docs/**/*.md"))
    yield ROOT / "samples" / "SOURCES.md"
    yield from sorted(ROOT.glob("digitrec/models/weights/*.md"))


def staged(folder: Path) -> None:
    """Copy all sources of the site into a folder."""
    shutil.rmtree(folder, ignore_errors=True)
    for page in pages():
        name = page.relative_to(ROOT).as_posix()
        text = _linked(page, page.read_text(encoding="utf-8"), folder / "pages")
        _written(folder / "pages" / INDEXES.get(name, name), text)
    _written(folder / "pages" / "reference.md", reference())
    shutil.copy(CONFIG, folder)
    shutil.copy(CONFIG.with_name("site.css"), folder / "pages")


def reference() -> str:
    """Write the page on the public names; mkdocstrings fills it from their docstrings.

    Raises:
        SystemExit: a public name is in no group, or a group has a name that is not public.
    """
    told = {name for names in GROUPS.values() for name in names}
    if told ^ set(digitrec.__all__) - {"__version__"}:
        sys.exit(f"GROUPS and digitrec.__all__ differ: {told ^ set(digitrec.__all__)}")
    parts = [
        "# Python\n",
        "The public names of digitrec. [Read a picture](docs/library.md) has examples.\n",
    ]
    for title, names in GROUPS.items():
        parts += [f"## {title}\n", *(f"::: digitrec.{name}\n" for name in names)]
    return "\n".join(parts)


def _linked(page: Path, text: str, site: Path) -> str:
    """Return the text of a page with links adapted to the site; copy linked files there."""

    def link(found: re.Match[str]) -> str:
        picture, words, target = found[1], found[2], found[3]
        if "://" in target:
            return words if picture else f"{picture}[{LINK.sub(link, words)}]({target})"
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve()
        if not path or not file.is_relative_to(ROOT):
            return found[0]
        if file.is_dir():
            return words
        name = file.relative_to(ROOT).as_posix()
        if file.suffix != ".md" and file.is_file():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, site / name)
        here = page.relative_to(ROOT).parent
        there = os.path.relpath(INDEXES.get(name, name), here).replace(os.sep, "/")
        return f"{picture}[{LINK.sub(link, words)}]({there}{'#' * bool(anchor)}{anchor})"

    return LINK.sub(link, text)


def _written(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main() -> None:
    """Build it."""
    folder = Path(sys.argv[1] if sys.argv[1:] else ROOT / "build" / "site").resolve()
    staged(folder)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "-f", str(folder / "zensical.toml")]
    paths = [
        str(ROOT),
        *filter(None, [os.environ.get("PYTHONPATH")]),
    ]  # document this source tree, not an installed digitrec
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "NO_COLOR": "1"}
    sys.exit(subprocess.run(command, env=env, check=False).returncode)


if __name__ == "__main__":
    main()
