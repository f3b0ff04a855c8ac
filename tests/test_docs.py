"""The pages: every link leads somewhere, and what is generated is up to date."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT)
    for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("samples/*.md")]
)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#\s]+)", text)
    missing = [
        target for target in targets if "://" not in target and not (ROOT / page.parent / target).exists()
    ]
    assert missing == []


def test_the_code_of_the_page_on_python_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    said: list[tuple[object, ...]] = []
    names["print"] = lambda *values: said.append(values)
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "library.md", "exec"), names)
    (seven, _), blank, first, missing, streamed, dim, unsure, *awaited, asked, refused = said
    assert seven == 7
    assert blank == (None, "blank")
    assert first == ("samples/photo-pen.jpg", 7)
    assert missing[0] == "not-there.jpg"
    assert str(streamed[0]).startswith("samples/photo-")
    assert dim == (1,)
    assert unsure == (None, "not sure", 7)
    assert awaited == [(7,), (7,), (None,)]
    assert asked == (7, True, 0.0)
    assert "not-there.jpg" in str(refused[0])


@pytest.mark.parametrize("script", ["make_cli.py", "make_architecture.py", "make_notebook.py"])
def test_what_is_generated_is_up_to_date(script: str) -> None:
    command = [sys.executable, str(ROOT / "docs" / script), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def test_the_house_has_every_room_and_file_that_its_page_names() -> None:
    named = re.findall(r"`((?:digitrec|tests)/[\w/.]+)`", ARCHITECTURE)
    assert len(named) > 40
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_what_the_page_says_is_in_a_file_is_there() -> None:
    """`digitrec/x.py`: `name` is a function, a class or a table of that file."""
    named = re.findall(r"`(digitrec/[\w/]+\.py)`: `(\w+)`", ARCHITECTURE)
    assert len(named) > 12
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        found = {getattr(node, "name", None) for node in tree.body}
        assert name in found, f"{name} in {file}"


def test_the_words_that_are_ours_are_few() -> None:
    glossary = ARCHITECTURE.partition("## Words that are ours")[2]
    assert 5 < len(re.findall(r"^\| \w+ \|", glossary, re.MULTILINE)) <= 20


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_no_page_names_somebodys_own_folders(page: Path) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert not re.search(r"/home/\w|/Users/\w|/root/", text)


TEXTS = {".py", ".md", ".html", ".js", ".ipynb", ".txt", ".service", ".sh", ".toml"}
FROM_AN_INDEX = re.compile(r"pip3? install\b[^\n`&;]*?(?<![\w/.-])digitrec(?!'s|[\w-])")
TOLD = [
    *ROOT.glob("*.md"), ROOT / "Dockerfile", ROOT / "justfile",
    *(path for folder in ("digitrec", "docs", "deploy", "examples", "notebooks", "bench")
      for path in (ROOT / folder).rglob("*") if path.suffix in TEXTS),
]  # fmt: skip


def test_nobody_is_told_to_install_from_an_index_what_is_on_none() -> None:
    from digitrec.version import install_hint

    for advice in ("pip install 'digitrec[web]'", "pip install -U digitrec"):
        assert FROM_AN_INDEX.search(advice)
    assert not FROM_AN_INDEX.search(install_hint("web"))
    texts = {path: path.read_text(encoding="utf-8") for path in TOLD}
    assert len(texts) > 200
    assert [path for path, text in texts.items() if FROM_AN_INDEX.search(text)] == []


def test_the_command_that_brings_an_extra_is_worded_in_one_place() -> None:
    sources = (ROOT / "digitrec").rglob("*.py")
    worded = [path.name for path in sources if re.search(r"pip install '[.\w]*\[", path.read_text("utf-8"))]
    assert worded == []
