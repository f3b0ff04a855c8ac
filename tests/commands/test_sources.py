"""Arguments of a command: folders, patterns, files of several pictures."""

import csv
import io
import sys
from pathlib import Path
from shutil import copyfile

import pytest
from PIL import Image
from programs import ran
from terminal import run

from digitrec.commands.sources import Given


@pytest.fixture(autouse=True)
def folder(here: Path, seven: Path) -> None:
    """Create a working folder with a 7 in it, and two in a folder."""
    Path("scans").mkdir()
    for name in ("scans/a.png", "scans/b.png"):
        copyfile(seven, name)


def predict(*arguments: str, **options: object) -> tuple[list[tuple[str, str]], list[str], int]:
    """Source and digit of each row, the messages, and the exit code."""
    done = run("predict", "-o", "csv", *arguments, **options)
    rows = csv.DictReader(io.StringIO(done.stdout))
    return [(row["source"], row["digit"]) for row in rows], done.stderr.splitlines(), done.exit_code


def several(name: str, number: int = 3) -> None:
    with Image.open("seven.png") as seven:
        page = seven.convert("RGB")
    others = [page.copy() for _ in range(number - 1)]
    for place, other in enumerate(others):
        other.putpixel((0, place), (0, 0, 0))  # else a GIF merges them into one frame
    page.save(name, save_all=True, append_images=others)


def test_hidden_folders_are_read_only_where_named() -> None:
    Path("scans/.trash").mkdir()
    copyfile("seven.png", "scans/.trash/c.png")
    rows, said, _ = predict("scans")
    assert len(rows) == 2
    assert len(said) == 1 and "1 hidden" in said[0]
    assert predict("scans/.trash")[0] == [("scans/.trash/c.png", "7")]  # named


@pytest.mark.parametrize(
    "command", ["predict", "compare", "explain", "benchmark", "calibrate", "batch -o x.csv"]
)
@pytest.mark.parametrize("arguments", [[""], ["seven.png", ""]])
def test_an_empty_name_is_refused_before_anything_is_read(command: str, arguments: list[str]) -> None:
    done = run(*command.split(), *arguments)
    assert done.exit_code in (2, 6)
    assert done.stdout == ""


@pytest.mark.parametrize("names", ["", ",", " ", " , ,"])
@pytest.mark.parametrize("command", ["predict", "compare", "benchmark"])
def test_an_empty_name_is_no_engine(command: str, names: str) -> None:
    run(command, "seven.png", "-p", names, code=2)
    assert predict("seven.png", "-p", " local ,")[0] == [("seven.png", "7")]


def test_too_many_pages_are_a_failure() -> None:
    pages = [Image.new("1", (8, 8))] * 1001
    pages[0].save("scan.tif", save_all=True, append_images=pages[1:])
    _, said, code = predict("scan.tif", "--frames", "all")
    assert (said, code) == (["digitrec: scan.tif: holds more than 1000 pictures; split it first"], 1)
    assert "split it" in predict("scan.tif")[1][0]


@pytest.mark.parametrize("name", ["scan.gif", "scan.pdf"])
def test_that_the_first_of_several_pictures_was_read_is_said(name: str) -> None:
    several(name)
    rows, said, code = predict(name)
    assert (rows, code) == ([(name, "7")], 0)
    assert said == [f"digitrec: {name} holds 3 pictures; the first was read (--frames all reads all)"]
    assert predict(name, "--frames", "first")[1] == []


def test_all_pictures_of_a_file_are_read() -> None:
    several("scan.pdf", 2)
    several("scan.tif", 2)
    rows, said, code = predict("scan.pdf", "seven.png", "scan.tif", "missing.png", "--frames", "all")
    assert rows == [
        ("scan.pdf[1]", "7"), ("scan.pdf[2]", "7"), ("seven.png", "7"),
        ("scan.tif[1]", "7"), ("scan.tif[2]", "7"), ("missing.png", ""),
    ]  # fmt: skip
    assert said == ["digitrec: missing.png: cannot be read (no such file or directory); check the name"]
    assert code == 1


def test_what_was_read_from_a_pipe_is_not_read_again() -> None:
    done = run("predict", "-", "seven.png", "--frames", "all", code=1, input=b"not a picture")
    assert "<stdin>: not a picture in a known format" in done.stderr
    assert "seven.png    7" in done.stdout


def test_other_commands_say_that_the_first_was_read_and_read_all() -> None:
    Image.new("L", (60, 60), 255).save("seven.png")  # blank pages, which are explained fastest
    several("scan.tif", 2)
    for command in ("compare", "explain"):
        first = run(command, "scan.tif", *(["-p", "local"] if command == "compare" else []))
        assert "scan.tif holds 2 pictures; the first was read" in first.stderr
    done = run("compare", "scan.tif", "-p", "local", "--frames", "all", "--output", "jsonl")
    assert len(done.stdout.splitlines()) == 2
    run("explain", "scan.tif", "--frames", "all", "--out", "why")
    assert sorted(path.name for path in Path("why").iterdir()) == ["001-scan.png", "002-scan.png"]


def test_a_substituted_process_is_read() -> None:
    command = f"{sys.executable} -m digitrec predict <(cat seven.png) /dev/stdin < seven.png"
    assert [line.split()[1] for line in ran("bash", "-c", command).stdout.splitlines()] == ["digit", "7", "7"]


def test_what_matches_nothing_stays_as_it_is() -> None:
    names = ["missing.png", "*.tif", "-", "[", "a" * 5000, "nul\0[", "https://example.org/7.png?x=1"]
    assert Given((*names,), None).sources() == names
