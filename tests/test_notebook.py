"""The notebook runs in its quick form from any folder, shows what is kept in it, sets itself up on Colab."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from pages import ROOT, loaded

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
            found += sorted(f"{cell.id}: {' '.join(line.split())}" for line in words.splitlines())
    return found


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return make_notebook.executed(kept(), tmp_path_factory.mktemp("anywhere"))


@pytest.mark.timeout(900)
def test_it_shows_what_is_kept_in_it(run: Any) -> None:
    assert shown(kept()) == shown(run)
    assert sum(line.endswith("image/png") for line in shown(run)) == 9


def test_it_is_kept_quick_and_names_nobodys_folders() -> None:
    notebook = kept()
    assert any("QUICK = True" in cell.source for cell in notebook.cells)
    said = [output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", [])]
    assert not re.search(r"/tmp/|/home/|/root/|/Users/|Traceback", "".join(said))


def test_the_address_of_the_project_gets_to_badge_and_first_cell() -> None:
    notebook = kept()
    told, first = notebook.cells[0].source, notebook.cells[1].source
    url = make_notebook.project_url()
    assert make_notebook.addressed(told, url) == told and make_notebook.addressed(first, url) == first
    told, first = (
        make_notebook.addressed(text, "https://github.com/somebody/digits") for text in (told, first)
    )
    path = "somebody/digits/blob/HEAD/notebooks/Handwritten-Digit-Recognizer.ipynb"
    assert f"(https://colab.research.google.com/github/{path})" in told
    assert 'REPOSITORY = "https://github.com/somebody/digits"\n' in first
    assert 'REPOSITORY = ""\n' in make_notebook.addressed(first, "")


COLAB = """
import subprocess, sys, types
from pathlib import Path
sys.path[:] = [str(Path.cwd()), *(path for path in sys.path if not (Path(path) / "digitrec").is_dir())]
sys.modules["google.colab"] = types.ModuleType("google.colab")
really = subprocess.run
def run(command, **options):
    print("RUN", command[0] if command[0] == "git" else " ".join(command[1:]))
    if command[0] == "git":
        really(command, **options)
subprocess.run = run
"""
"""A kernel as Colab has it: it began where the clone will be, before anything was installed."""
HERE = """
import subprocess
def run(command, **options):
    raise AssertionError(command)
subprocess.run = run
"""
"""A kernel on a machine of one's own, in which nothing may be fetched or installed."""
TELL = "\nimport digitrec\nprint(digitrec.__file__, digitrec.__version__)\nprint(Path.cwd())\n"


def begun(folder: Path, kernel: str, repository: str = "") -> subprocess.CompletedProcess[str]:
    """Run the first cell and import digitrec in a kernel in a folder."""
    first = make_notebook.addressed(kept().cells[1].source, repository)
    return subprocess.run(
        [sys.executable, "-c", kernel + first + TELL], cwd=folder, capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, check=False,
    )  # fmt: skip


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """One that can be cloned, with as much of digitrec as is asked for here."""
    folder = tmp_path / "origin"
    for name in ("digitrec/__init__.py", "digitrec/cli.py", "samples/labels.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    somebody = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.org"]
    for command in (["init", "-q"], ["add", "."], [*somebody, "commit", "-q", "-m", "All of it"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


PIP = "RUN -m pip install --quiet --editable {clone}[train,stats,tune,plots,google,aws]"


def test_on_colab_it_clones_goes_there_and_imports_the_package_not_the_folder(
    tmp_path: Path, repository: Path
) -> None:
    content = tmp_path / "content"
    content.mkdir()
    clone = content / "digitrec"
    there = [PIP.format(clone=clone), f"{clone / 'digitrec' / '__init__.py'} 0.", f"{clone}"]
    done = begun(content, COLAB, str(repository))
    lines = done.stdout.splitlines()
    assert lines[0] == "RUN git", done.stderr
    assert [line.startswith(wanted) for line, wanted in zip(lines[1:], there, strict=True)] == [True] * 3
    done = begun(content, COLAB + "\nimport digitrec\nassert digitrec.__file__ is None\n", str(repository))
    lines = (
        done.stdout.splitlines()
    )  # a clone is there: it is not cloned again; its folder was imported before
    assert [line.startswith(wanted) for line, wanted in zip(lines, there, strict=True)] == [True] * 3


def test_on_colab_without_an_address_it_says_what_to_set(tmp_path: Path) -> None:
    done = begun(tmp_path, COLAB)
    assert "no clone of digitrec: on Colab set REPOSITORY above" in done.stderr


@pytest.mark.parametrize("place", ["notebooks", "", "elsewhere"])
def test_on_ones_own_machine_it_changes_nothing(tmp_path: Path, place: str) -> None:
    folder = tmp_path if place == "elsewhere" else ROOT / place
    done = begun(folder, HERE)
    file, where = done.stdout.splitlines()
    assert file.startswith(f"{ROOT / 'digitrec' / '__init__.py'} ") and where == str(folder), done.stderr
    assert not list(tmp_path.iterdir())
