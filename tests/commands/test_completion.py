"""`digitrec completion`: what Tab makes of a line, in each shell."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from shells import Shell, started

from digitrec.cli import main

SHELLS = ("bash", "zsh", "fish")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_script_is_for_this_program(shell: str) -> None:
    assert "_DIGITREC_COMPLETE" in CliRunner().invoke(main, ["completion", shell]).stdout


FILES = (
    "scan one.png", "it's 7.png", "süß 数.png", 'q"uote.png', "$dollar.png", "plain.jpg", "a,b.png",
    "x=y.png", "best.json", "mnist-own.npz", "sub dir/in.png", "back\\slash.png", "loc.png",
)  # fmt: skip


@pytest.fixture(scope="module", params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    name = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp("files")
    for file in FILES:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).touch()
    with started(name, tmp_path_factory.mktemp(name), folder) as running:
        yield running


@pytest.mark.skipif(sys.platform == "win32", reason="it needs a POSIX terminal")
@pytest.mark.parametrize(
    ("typed", "run"),
    [
        ("pred\t pl\t", ["predict", "plain.jpg"]),
        ("predict sc\t", ["predict", "scan one.png"]),
        ("predict it\t", ["predict", "it's 7.png"]),
        ("predict q\t", ["predict", 'q"uote.png']),
        ("predict '$d\t", ["predict", "$dollar.png"]),
        ("predict a,\t", ["predict", "a,b.png"]),
        ("predict ba\t", ["predict", "back\\slash.png"]),
        ("predict sub\tin\t", ["predict", "sub dir/in.png"]),
        ("predict --provider loc\t", ["predict", "--provider", "local"]),
        ("predict --provider=loc\t", ["predict", "--provider=local"]),
        ("predict -p local,goo\t", ["predict", "-p", "local,google"]),
        ("predict --fallback google,rap\tx", ["predict", "--fallback", "google,rapidocr", "x"]),
        ("predict --prep\tplain,enl\tx", ["predict", "--prepare", "plain,enlarged", "x"]),
        ("compare -o markd\tx", ["compare", "-o", "markdown", "x"]),
        ("explain --out su\tx", ["explain", "--out", "sub dir/x"]),
        ("train --arch bes\t", ["train", "--arch", "best.json"]),
        ("benchmark mnist-o\t", ["benchmark", "mnist-own.npz"]),
        ("providers ch\tloc\t", ["providers", "check", "local"]),
    ],
)  # fmt: skip
def test_tab_completes_names_values_and_files(shell: Shell, typed: str, run: list[str]) -> None:
    assert shell.type(f"digitrec {typed}") == run


def offered(*words: str) -> list[str]:
    """What may take the place of the last word."""
    env = os.environ | {
        "_DIGITREC_COMPLETE": "bash_complete",
        "COMP_WORDS": "\n".join(["digitrec", *words]), "COMP_CWORD": words[-1],
    }  # fmt: skip
    command = [sys.executable, "-c", "from digitrec.cli import main; main(prog_name='digitrec')"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "items"),
    [
        (["predict", "--consensus", ""], ["plain,2"]),
        (["predict", "-p", "local,tesseract,rapidocr", "--consensus", ""], ["plain,2", "plain,3"]),
        (["predict", "--prepare", "plain,"], ["plain,plain,enlarged", "plain,plain,repeated"]),
        (
            ["emulate", "a"],
            [
                "plain,aws",
                "plain,aws-textract",
                "plain,azure",
                "plain,azure-analysis",
                "plain,azure-document",
            ],
        ),
        (["config", "--pa"], ["plain,--path"]),
        (["predict", ""], ["file,"]),
    ],
)
def test_what_is_offered(words: list[str], items: list[str]) -> None:
    assert offered(*words) == items


def test_asking_what_may_follow_makes_no_file(tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    offered("compare", "--html", str(page), "")
    assert not page.exists()
