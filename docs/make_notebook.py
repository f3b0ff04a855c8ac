"""Run the notebook and keep it with its outputs; ``--check`` only compares the project's address.

tests/test_notebook.py runs it and compares what it shows. A run takes a minute or two.

setup.cfg gives the project's address (``url``; none yet). With an address on GitHub, README, tutorial and
notebook get a badge that opens the notebook on Colab, and its first cell installs digitrec from there.
"""

import re
import sys
import tempfile
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NAME = "notebooks/Handwritten-Digit-Recognizer.ipynb"
NOTEBOOK = ROOT / NAME
PAGES = (ROOT / "README.md", ROOT / "docs" / "tutorial.md")
"""Other places with the badge."""
MARK = "<!--colab-->"
"""Beginning of the badge's line; without an address the rest is empty."""
COLAB = "https://colab.research.google.com"


def texts(notebook: Any) -> list[str]:
    """Return the text of each cell."""
    return [cell.source for cell in notebook.cells]


def addressed(source: str, url: str) -> str:
    """Return a text with the project's address, which may be "", in its badge and in SOURCE."""
    badge = ""
    if url.startswith("https://github.com/"):
        path = f"github/{url.removeprefix('https://github.com/')}/blob/HEAD/{NAME}"
        badge = f"[![Open in Colab]({COLAB}/assets/colab-badge.svg)]({COLAB}/{path})"
    source = re.sub(f"^{MARK}.*$", MARK + badge, source, flags=re.MULTILINE)
    package = f"git+{url}" if url else ""
    return re.sub(r'^SOURCE = ".*"$', f'SOURCE = "{package}"', source, flags=re.MULTILINE)


def project_url() -> str:
    """Return the project's address in setup.cfg; "" if it has none."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config["metadata"].get("url", "").removesuffix("/").removesuffix(".git")


def executed(notebook: Any, folder: Path) -> Any:
    """Run a notebook in a folder and return it with its outputs."""
    metadata = dict(notebook.metadata)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=600, resources=resources, record_timing=False).execute()
    notebook.metadata.clear()
    notebook.metadata.update(metadata)
    return notebook


def main() -> None:
    """Run the notebook, or check whether it must be run."""
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    url = project_url()
    pages = {page: page.read_text(encoding="utf-8") for page in PAGES}
    current = all(text == addressed(text, url) for text in (*pages.values(), *texts(notebook)))
    if "--check" in sys.argv:
        sys.exit(None if current else f"{NAME} is out of date: run docs/make_notebook.py")
    for page, text in pages.items():
        page.write_text(addressed(text, url), encoding="utf-8")
    for cell in notebook.cells:
        cell.source = addressed(cell.source, url)
    with tempfile.TemporaryDirectory() as folder:
        executed(notebook, Path(folder))
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main()
