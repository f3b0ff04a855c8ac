"""The notebook runs from top to bottom in its quick form, as a reader's Jupyter would run it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "Handwritten-Digit-Recognizer.ipynb"


def outputs(cell: Any) -> list[Any]:
    return cell.get("outputs", [])


@pytest.fixture(scope="module")
def run() -> Any:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(NOTEBOOK.parent)}})
    return client.execute()


@pytest.mark.timeout(900)
def test_every_section_shows_its_pictures_and_figures(run: Any) -> None:
    shown = [kind for cell in run.cells for output in outputs(cell) for kind in output.get("data", {})]
    assert shown.count("image/png") == 9
    said = "".join(output.get("text", "") for cell in run.cells for output in outputs(cell))
    assert "test digits, loss" in said
    assert "local: 3 (" in said and "tutorial-cnn: " in said
    assert "google: 3, emulated: True" in said and "aws: 3, emulated: True" in said


def test_it_is_kept_quick_and_without_outputs() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(outputs(cell) for cell in notebook.cells)
    assert any("QUICK = True" in cell.source for cell in notebook.cells)
    assert "colab.research.google.com" in notebook.cells[0].source
