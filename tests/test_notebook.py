"""The quick notebook runs from any folder and installs a missing digitrec."""

import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from pages import ROOT, loaded
from programs import python

make_notebook = loaded(ROOT / "docs" / "make_notebook.py")


def kept() -> Any:
    return nbformat.read(make_notebook.NOTEBOOK, as_version=4)


def shown(notebook: Any) -> list[str]:
    """Kind, or words in any order, of what each cell shows; its figures and times are this machine's."""
    found = []
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            found += [f"{cell.id}: {kind}" for kind in output.get("data", {})]
            words = re.sub(r"[<>]?\d[\d,.]*( ?m?s\b)?", "#", output.get("text", ""))
            words = re.sub(r"(#% +)+", "#% ", words)  # a digit that is never the answer has no precision
            found += sorted(f"{cell.id}: {' '.join(line.split())}" for line in words.splitlines())
    return found


SMALLER = {
    "[:3000]": "[:400]", "[-1000:]": "[-100:]", "[: 300 ": "[: 100 ", "epochs=4 ": "epochs=1 ",
    '"epochs": 3': '"epochs": 1',
}  # fmt: skip
"""Changes to the notebook that make it quicker still; `shown` compares no figures."""


def smaller() -> Any:
    """Return the notebook with fewer digits and epochs."""
    notebook = kept()
    for usual, less in SMALLER.items():
        (cell,) = [cell for cell in notebook.cells if usual in cell.source]
        cell.source = cell.source.replace(usual, less)
    return notebook


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(tmp_path_factory.mktemp("temporary")))
        patch.setattr(tempfile, "tempdir", None)
        yield make_notebook.executed(smaller(), tmp_path_factory.mktemp("anywhere"))


@pytest.mark.timeout(900)
def test_it_shows_what_is_kept_in_it(run: Any) -> None:
    assert shown(kept()) == shown(run)
    assert sum(line.endswith("image/png") for line in shown(run)) == 9
    read, of = (re.findall(r"local: \d \(\S+%\)", str(notebook)) for notebook in (kept(), run))
    assert read == of != [], "the shipped network's answer, which no training changes"


def test_the_address_of_the_project_gets_to_badge_and_first_cell() -> None:
    notebook = kept()
    told, first = notebook.cells[0].source, notebook.cells[1].source
    url = make_notebook.project_url()
    assert make_notebook.addressed(told, url) == told and make_notebook.addressed(first, url) == first
    other = "https://github.com/somebody/digits"
    told, first = (make_notebook.addressed(text, other) for text in (told, first))
    path = "somebody/digits/blob/HEAD/notebooks/Handwritten-Digit-Recognizer.ipynb"
    assert f"(https://colab.research.google.com/github/{path})" in told
    assert 'SOURCE = "git+https://github.com/somebody/digits"\n' in first
    assert 'SOURCE = ""\n' in make_notebook.addressed(first, "")


def test_it_leaves_nothing_behind_and_shows_errors_only(run: Any) -> None:
    streams = [output for cell in run.cells for output in cell.get("outputs", [])]
    assert [output.text for output in streams if output.get("name") == "stderr"] == []
    assert list(Path(tempfile.gettempdir()).glob("digitrec-*")) == []


BARE = """
import importlib.util, subprocess
find = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name == "digitrec" else find(name)
subprocess.run = lambda command, **options: print("RUN", *command[1:])
"""
"""A kernel where digitrec is not installed and pip only prints its arguments."""
HERE = """
import subprocess
def run(command, **options):
    raise AssertionError(command)
subprocess.run = run
"""
"""A kernel where digitrec is installed, in which nothing may be fetched or installed."""


def begun(folder: Path, kernel: str, url: str = "") -> subprocess.CompletedProcess[str]:
    """Run the first cell in a folder."""
    return python("-c", kernel + make_notebook.addressed(kept().cells[1].source, url), cwd=folder, code=None)


def test_where_digitrec_is_missing_it_is_installed_from_a_wheel_or_the_repository(tmp_path: Path) -> None:
    done = begun(tmp_path, BARE)
    assert "FileNotFoundError" in done.stderr and "SOURCE" in done.stderr
    extras = "[train,stats,tune,plots,google,aws]"
    done = begun(tmp_path, BARE, "https://github.com/somebody/digits")
    source = "git+https://github.com/somebody/digits"
    assert done.stdout == f"RUN -m pip install --quiet digitrec{extras} @ {source}\n", done.stderr
    wheel = tmp_path / "digitrec-1.0-py3-none-any.whl"
    wheel.touch()
    assert begun(tmp_path, BARE).stdout == f"RUN -m pip install --quiet {wheel}{extras}\n"


def test_where_digitrec_is_installed_it_changes_nothing(tmp_path: Path) -> None:
    assert begun(tmp_path, HERE).stderr == ""
    assert not list(tmp_path.iterdir())
