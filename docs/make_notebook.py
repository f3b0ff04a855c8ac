"""Runs the notebook and keeps it with its outputs; ``--check`` fails when they are of other code or data.

What they were made of is kept in the notebook's metadata as one hash: of its code cells, of the modules of
digitrec that these import by name, and of the network and pictures that they read. A change deeper in the
house is seen by the test that runs the notebook and compares what it shows. A run takes half a minute.

The address that setup.cfg gives the project (``url``; none yet) is put into the badges and the first cell.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
import tempfile
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[1]
NAME = "notebooks/Handwritten-Digit-Recognizer.ipynb"
NOTEBOOK = ROOT / NAME
READ = (
    "digitrec/models/weights/digitrec-cnn.tflite",
    "digitrec/comparison/datasets/data/t10k-images-idx3-ubyte.gz",
    "samples/photo-shadow.jpg",
)  # fmt: skip
"""What the cells read without naming its file."""
PAGES = (ROOT / "README.md", ROOT / "docs" / "tutorial.md")
"""Other places with the badge."""
COLAB = "https://colab.research.google.com/github/"
"""Where a badge leads: with a repository and a path behind it to that notebook, alone to a dialogue."""


def made_of(notebook: Any) -> str:
    """The hash of the notebook's code and of what it depends on, in hex."""
    sources = code(notebook)
    files = {*READ, *(file for source in sources for file in imported(source))}
    digest = hashlib.sha256("\0".join(sources).encode())
    for file in sorted(files):
        data = (ROOT / file).read_bytes()
        digest.update(file.encode() + hashlib.sha256(data.replace(b"\r\n", b"\n")).digest())
    return digest.hexdigest()


def code(notebook: Any) -> list[str]:
    """What stands in its code cells."""
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def texts(notebook: Any) -> list[str]:
    """What stands in all of its cells."""
    return [cell.source for cell in notebook.cells]


def imported(source: str) -> Iterator[str]:
    """The files of the modules of digitrec that a cell imports by name."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module), *(f"{node.module}.{name.name}" for name in node.names)]
        for name in names:
            path = name.replace(".", "/")
            for file in (f"{path}.py", f"{path}/__init__.py"):
                if name.split(".")[0] == "digitrec" and (ROOT / file).is_file():
                    yield file


def addressed(source: str, url: str) -> str:
    """A text with the project's address in its badge or in REPOSITORY; `url` is "" where there is none."""
    badge = COLAB
    if url.startswith("https://github.com/"):
        badge += f"{url.removeprefix('https://github.com/')}/blob/HEAD/{NAME}"
    source = re.sub(re.escape(COLAB) + r"[^)\s]*", badge, source)
    return re.sub(r'^REPOSITORY = ".*"$', f'REPOSITORY = "{url}"', source, flags=re.MULTILINE)


def project_url() -> str:
    """The project's address as setup.cfg has it; "" where it has none."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config["metadata"].get("url", "").removesuffix("/").removesuffix(".git")


def executed(notebook: Any, folder: Path) -> Any:
    """The same with what its cells show when they run in a folder, but for what libraries log."""
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
    current = notebook.metadata.get("made_of") == made_of(notebook)
    pages = {page: page.read_text(encoding="utf-8") for page in PAGES}
    current &= all(text == addressed(text, url) for text in (*pages.values(), *texts(notebook)))
    if "--check" in sys.argv:
        sys.exit(None if current else f"{NAME} is out of date: run docs/make_notebook.py")
    for page, text in pages.items():
        page.write_text(addressed(text, url), encoding="utf-8")
    for cell in notebook.cells:
        cell.source = addressed(cell.source, url)
    with tempfile.TemporaryDirectory() as folder:
        executed(notebook, Path(folder))
    notebook.metadata["made_of"] = made_of(notebook)
    nbformat.write(notebook, NOTEBOOK)


if __name__ == "__main__":
    main()
