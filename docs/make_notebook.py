"""Run the notebook and keep it with its outputs; ``--check`` only compares the project's address.

tests/test_notebook.py runs it and compares what it shows. A run takes half a minute.

The address that setup.cfg gives the project (``url``; none yet) is put into the badges and the first cell.
"""

from __future__ import annotations

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
COLAB = "https://colab.research.google.com/github/"
"""Where a badge leads: with a repository and a path behind it to that notebook, alone to a dialogue."""


def texts(notebook: Any) -> list[str]:
    """Return the source of every cell."""
    return [cell.source for cell in notebook.cells]


def addressed(source: str, url: str) -> str:
    """Put the project's address into the badge or REPOSITORY; `url` may be ""."""
    badge = COLAB
    if url.startswith("https://github.com/"):
        badge += f"{url.removeprefix('https://github.com/')}/blob/HEAD/{NAME}"
    source = re.sub(re.escape(COLAB) + r"[^)\s]*", badge, source)
    return re.sub(r'^REPOSITORY = ".*"$', f'REPOSITORY = "{url}"', source, flags=re.MULTILINE)


def project_url() -> str:
    """Return the project's address from setup.cfg; "" without one."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config["metadata"].get("url", "").removesuffix("/").removesuffix(".git")


def executed(notebook: Any, folder: Path) -> Any:
    """Execute the notebook in a folder; remove what libraries log from its output."""
    metadata = dict(notebook.metadata)
    resources = {"metadata": {"path": str(folder)}}
    NotebookClient(notebook, timeout=600, resources=resources, record_timing=False).execute()
    notebook.metadata.clear()
    notebook.metadata.update(metadata)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_log(output)]
    return notebook


def _is_log(output: Any) -> bool:
    return output.get("name") == "stderr" or output.get("text", "").startswith("INFO:tensorflow")


def main() -> None:
    """Run it, or look whether it must be run."""
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
