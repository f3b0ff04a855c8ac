"""`digitrec predict`: answers on stdout, errors on stderr, and the exit code."""

import csv
import io
import json
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import terminal
from PIL import Image
from programs import python

from digitrec.comparison.datasets.mnist import mnist_test


@pytest.fixture
def folder(here: Path, seven: Path) -> Path:
    """Create a working folder with two digits, a blank page, and a file that is no picture."""
    Image.fromarray(mnist_test().images[2]).save("one.png")
    Image.new("L", (200, 200), 240).save("blank.png")
    Path("broken.png").write_bytes(b"nothing of the kind")
    Path("empty").mkdir()
    with zipfile.ZipFile("scans.zip", "w") as archive:
        archive.write("one.png")
    return here


run = partial(terminal.run, "predict")


def test_one_row_for_each_image_in_the_order_given(folder: Path) -> None:
    done = run("one.png", "seven.png", "blank.png", "-o", "csv", code=0)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    said = [(row["source"], row["digit"], row["reason"]) for row in rows]
    assert said == [("one.png", "1", ""), ("seven.png", "7", ""), ("blank.png", "", "blank")]


def test_a_bad_file_is_reported_and_the_others_are_read(folder: Path) -> None:
    done = run("broken.png", "seven.png", "missing.png", "-o", "jsonl", code=1)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row.get("digit") for row in rows] == [None, 7, None]
    assert rows[0]["error"]["type"] == "ImageError"
    assert done.stderr.count("digitrec: ") == 2
    assert "Traceback" not in done.stderr


def test_one_error_of_many_pictures_is_printed_once_with_its_count(folder: Path) -> None:
    arguments = ["-p", "google", "--emulate", "--max-cost", "0", "-o", "jsonl"]
    done = run("seven.png", "one.png", "blank.png", *arguments, code=7)
    first, others = done.stderr.splitlines()
    assert first.startswith("digitrec: seven.png: not asked: a call to google costs $0.0015")
    assert others.startswith("digitrec: 2 more: not asked: a call to google costs $0.0015")
    assert [json.loads(line)["error"]["type"] for line in done.stdout.splitlines()] == ["BudgetExceeded"] * 3


def test_what_the_network_saw_is_saved(folder: Path) -> None:
    run("seven.png", "--save-prepared", "seen.png")
    seen = np.asarray(Image.open("seen.png"))
    assert seen.shape == (28, 28)
    assert seen.max() > 200
    assert seen[0].max() == 0
    run("seven.png", "broken.png", "one.png", "--save-prepared", "all")
    assert sorted(path.name for path in Path("all").iterdir()) == ["001-seven.png", "003-one.png"]


def test_the_saved_input_and_the_estimate_are_of_the_turned_picture(folder: Path) -> None:
    run("seven.png", "--save-prepared", "upright.png", code=0)
    run("seven.png", "--save-prepared", "turned.png", "--rotate", "180", code=0)
    upright, turned = (np.asarray(Image.open(name), int) for name in ("upright.png", "turned.png"))
    assert np.abs(np.rot90(upright, 2) - turned).mean() < np.abs(upright - turned).mean()
    asked = ("seven.png", "--rotate", "180", "-p", "google", "--emulate", "--ledger", "paid.sqlite")
    run(*asked, code=0)
    for command in ("predict", "compare"):
        (row,) = json.loads(terminal.run(command, *asked, "--dry-run", "-o", "json").stdout)
        assert (row["replayed"], row["requests"]) == (1, 0)


@pytest.mark.parametrize(("arguments", "code", "says"), [
    ([], 2, "Missing argument"), (["seven.png", "-p", "gogle"], 2, "mean 'google'"),
    (["seven.png", "-p", "google"], 4, "GOOGLE_APPLICATION_CREDENTIALS"),
    (["seven.png", "--model", "seven.png"], 5, ".tflite"),
    (["seven.png", "--model", "missing.tflite"], 5, "cannot be read"),
    (["seven.png", "--model", "x.tflite", "-p", "tesseract"], 2, "local engine"),
    (["seven.png", "--emulate"], 2, "google"),
    (["seven.png", "-p", "azure", "--max-cost", "1", "--dry-run"], 4, "azure"),
    (["seven.png", "--prepare", "plain"], 2, "local"),
    (["."], 1, "broken.png"), (["empty"], 1, "without pictures; name a picture"),
    (["a" * 300], 1, "cannot be read"), (["[" + "a" * 300], 1, "cannot be read"),
    (["seven.png", "--save-prepared", "none/seen.png"], 9, "none/seen.png: no such file or directory"),
    (["seven.png", "--save-prepared", "seen"], 2, "such as seen.png"), (["scans.zip"], 1, "digitrec batch"),
    (["seven.png", "-p", "local,rapidocr"], 2, "digitrec compare"),
    (["seven.png", "--below", "0.5"], 2, "--fallback"),
    (["seven.png", "--fallback", "rapidocr", "--consensus", "2"], 2, "--consensus"),
    (["seven.png", "--fallback", "local"], 2, "local, local"),
    (["seven.png", "--consensus", "2"], 2, "--consensus 2"),
    (["seven.png", "-p", "local,rapidocr", "--consensus", "1"], 2, "--consensus 1"),
])  # fmt: skip
def test_exit_codes_and_their_one_line(folder: Path, arguments: list[str], code: int, says: str) -> None:
    done = run(*arguments, code=code)
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == "" if code != 1 else True


@pytest.mark.parametrize("name", ["google", "azure", "openai"])
def test_a_dry_run_needs_no_credentials_and_obeys_the_output(folder: Path, name: str) -> None:
    asked = ("seven.png", "seven.png", "broken.png", "-p", name, "--dry-run")
    (row,) = json.loads(run(*asked, "-o", "json").stdout)
    assert (row["provider"], row["given"], row["images"], row["requests"]) == (name, 3, 2, 1)
    assert row["cost_usd"] == {"google": 0.0015}.get(name)
    assert row["configured"] is False
    assert run(*asked, "-o", "csv").stdout.splitlines()[0] == ",".join(row)
    said = run("seven.png", "--fallback", name, "--dry-run").stdout
    assert ("cost at most $0.0015" in said, "ledger was not consulted" in said) == (name == "google", True)


def test_a_preparation_is_for_the_engines_that_take_one(folder: Path) -> None:
    run("seven.png", "-p", "local,google", "--consensus", "2", "--emulate", "--prepare", "plain", code=0)


@pytest.mark.parametrize(("options", "name", "asked"), [
    ("-p local --fallback google --below 1", "local>google@1", ["local", "google"]),
    ("-p google,aws --consensus 2", "2 of google+aws", ["google", "aws"]),
])  # fmt: skip
def test_several_engines_give_one_answer(folder: Path, options: str, name: str, asked: list[str]) -> None:
    ways = ("--emulate", "--no-ledger", "-o", "json")
    (found,) = json.loads(run("seven.png", *options.split(), *ways).stdout)
    assert (found["provider"], found["digit"], found["emulated"]) == (name, 7, True)
    assert [said["provider"] for said in found["asked"]] == asked


def test_a_warning_is_printed_once_by_no_root_logger(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):  # the second run of one process prints it once as well
        (line,) = run("seven.png", "--fallback", "google", "--emulate", "--no-ledger").stderr.splitlines()
        assert "not calibrated" in line
    assert "not calibrated" not in caplog.text


HEAVY = ("tensorflow", "keras", "scipy", "sklearn", "matplotlib", "boto3", "google.cloud", "azure", "fastapi",
         "rich", "sqlite3", "pooch", "pillow_heif", "pypdfium2", "anyio", "numpy.ma")  # fmt: skip
"""Modules that reading a digit with our own network, into a pipe, must not load."""


def test_predicting_loads_nothing_heavy(folder: Path) -> None:
    photo = str(Path(__file__).parents[2] / "samples" / "photo-shadow.jpg")
    code = (
        "import sys, json\n"
        "from digitrec.cli import main\n"
        f"try: main(['predict', 'seven.png', {photo!r}])\n"
        "except SystemExit as stop: assert not stop.code, stop.code\n"
        f"print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]), file=sys.stderr)"
    )
    done = python("-c", code)
    assert json.loads(done.stderr) == []
    assert [line.split()[1] for line in done.stdout.splitlines()[1:]] == ["7", "3"]


def test_runtimes_and_damaged_pictures_print_nothing(folder: Path) -> None:
    cut_off = b"Exif\0\0II*\0\x08\0\0\0\x05\0"  # claims five entries and has none
    Image.open("seven.png").convert("L").save("phone.jpg", exif=cut_off)
    Image.new("1", (40, 100)).save("fax.tif", compression="group3")
    fax = Path("fax.tif").read_bytes()
    Path("fax.tif").write_bytes(fax[:8] + bytes(99) + fax[107:])
    assert python("-m", "digitrec", "predict", "phone.jpg", "fax.tif").stderr == ""
