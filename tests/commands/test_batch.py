"""`digitrec batch`: one row for each picture, for every kind of input and after every interruption."""

import csv
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
import zipfile
from contextlib import closing, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import terminal
from PIL import Image
from programs import python, ran

from digitrec.bulk import job
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.engine.ledger import Ledger, recent
from digitrec.errors.text import plain
from digitrec.models.store import SHIPPED
from digitrec.recognise import calibration
from digitrec.recognise.calibration import Key

DIGITS = mnist_test()[:40]


@pytest.fixture
def scans(here: Path) -> Path:
    """Forty digits in two folders, in the order of their names, and one file that is no picture."""
    for number, image in enumerate(DIGITS.images):
        file = here / "scans" / f"{number // 20}" / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    (here / "scans" / "2.png").write_bytes(b"nothing of the kind")
    return here / "scans"


run = partial(terminal.run, "batch")


def started(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "digitrec", "batch", *arguments]
    return subprocess.Popen(command, text=True, **{"stderr": subprocess.DEVNULL, **options})


def finished_parts() -> int:
    """Return how many parts the running batch has kept, as far as a reader without its lock can see."""
    for file in Path().glob(".*.batch"):
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{file}?immutable=1", uri=True)) as state:
            return int(state.execute("SELECT count(*) FROM parts").fetchone()[0])
    return 0


def stopped(*arguments: str, parts: int, by: signal.Signals = signal.SIGKILL) -> None:
    """Stop a run after this many parts."""
    program = started(*arguments)
    while finished_parts() < parts:
        assert program.poll() is None
        time.sleep(0.01)
    program.send_signal(by)
    program.wait()


def begun_with_a_list(names: list[str], workers: str, **options: Any) -> subprocess.Popen[str]:
    """Start a run with a list on standard input; return when it has kept a part."""
    Path("list").write_text("\n".join(names))
    with Path("list").open() as paths:
        program = started("-", "-o", "rows.jsonl", "--workers", workers, stdin=paths, **options)
    while not finished_parts():
        assert program.poll() is None
        time.sleep(0.01)
    return program


def rows(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(file).read_text().splitlines()]


def names(file: str) -> list[str]:
    """Return the sources of the rows in a file."""
    return [row["image"]["source"] for row in rows(file)]


def in_order() -> list[str]:
    return [f"scans/{number // 20}/{number:02}.png" for number in range(40)] + ["scans/2.png"]


def test_rows_are_those_of_predict_in_the_order_given(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.monotonic", count(step=100).__next__)
    done = run("scans", "-o", "rows.jsonl", "--workers", "1", code=1)  # one picture could not be read
    assert "41 images, 40 digits, 1 failed (ImageError: 1)" in done.stderr
    assert " digits, 0.0" in done.stderr, "0 a second"
    theirs = map(json.loads, terminal.run("predict", "scans", "-o", "jsonl").stdout.splitlines())
    for ours, other in zip(rows("rows.jsonl"), theirs, strict=True):
        # Probabilities may differ in their last bits, because the batches differ.
        assert ours["image"] == other["image"]
        assert ours.get("digit") == other.get("digit")
        assert ours.get("error") == other.get("error")
    assert sorted(path.name for path in Path().iterdir()) == [".rows.jsonl.batch", "rows.jsonl", "scans"]


def archived(kind: str) -> str:
    if kind == "zip":
        with zipfile.ZipFile("all.zip", "w") as archive:
            for name in in_order():
                archive.write(name)
    else:
        with tarfile.open(f"all.{kind}", "w:gz") as tar:
            tar.add("scans")
    return f"all.{kind}"


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_pictures_are_the_same_whatever_they_come_in(scans: Path, kind: str) -> None:
    run(archived(kind), "-o", "rows.jsonl", "--workers", "2", code=1)
    found = {row["image"]["source"].split("scans/")[1]: row.get("digit") for row in rows("rows.jsonl")}
    assert len(found) == 41
    assert found.pop("2.png") is None
    right = sum(found[f"{number // 20}/{number:02}.png"] == DIGITS.labels[number] for number in range(40))
    assert right >= 39


def test_a_run_goes_on_without_its_archive(scans: Path) -> None:
    archive = archived("tar.gz")
    stopped(archive, "-o", "rows.jsonl", "--workers", "2", parts=2)
    assert "rows.jsonl has an interrupted batch" in run(archive, "-o", "rows.jsonl", code=2).stderr
    Path(archive).unlink()
    program = started("-o", "rows.jsonl", "--resume", "--workers", "1", stderr=subprocess.PIPE)
    program.stderr.close()  # the command has a message that nobody reads
    assert program.wait() == 141
    assert sorted(names("rows.jsonl")) == sorted(f"{archive}/{name}" for name in in_order())


def test_a_list_on_standard_input_may_hold_any_name(scans: Path) -> None:
    odd = b"scans/\xff \xc3\xa9.png"
    Path("scans/0/00.png").rename(odd.decode("utf-8", "surrogateescape"))
    os.mkfifo("a pipe")  # nobody writes to it
    listed = odd + b"\n\nscans/0/01.png\r\nmissing.png\na pipe\n"
    run("-", "-o", "rows.jsonl", "--workers", "1", code=1, input=listed)
    assert names("rows.jsonl") == [os.fsdecode(odd), "scans/0/01.png", "missing.png", "a pipe"]
    assert [row.get("digit") for row in rows("rows.jsonl")] == [7, 2, None, None]


def test_many_processes_write_the_same_rows_in_order(scans: Path) -> None:
    run("scans", "-o", "rows.csv", "--workers", "2", code=1)
    assert [row["source"] for row in csv.DictReader(Path("rows.csv").read_text().splitlines())] == in_order()


def test_the_target_of_a_link_is_written(scans: Path) -> None:
    Path("disk").mkdir()
    Path("rows.jsonl").symlink_to("disk/rows.jsonl")
    run("scans", "-o", "rows.jsonl", "--workers", "1")
    assert Path("rows.jsonl").is_symlink()
    assert names("disk/rows.jsonl") == in_order()
    assert "complete" in run("scans", "-o", "rows.jsonl", "--resume").stderr


def test_what_is_there_is_not_written_over(scans: Path) -> None:
    run("scans", "-o", "rows.jsonl", "--workers", "1")
    before = Path("rows.jsonl").read_bytes()
    assert "--resume" in run("scans", "-o", "rows.jsonl", code=2).stderr
    assert "complete" in run("scans", "-o", "rows.jsonl", "--resume", code=1).stderr
    assert Path("rows.jsonl").read_bytes() == before


def test_killed_at_any_moment_each_picture_is_in_one_row(scans: Path) -> None:
    """Kill the command at random moments, while it starts, plans, reads, writes or joins."""
    arguments = ["-o", "rows.jsonl", "--workers", "2"]
    for number in range(4):
        program = started(*(["scans"] if number == 0 else ["--resume", "scans"]), *arguments)
        moment = random.Random(number)
        done = finished_parts() + moment.randrange(3)
        while program.poll() is None and finished_parts() < done:
            time.sleep(0.001)
        time.sleep(moment.random() / 100)
        program.kill()
        program.wait()
        assert names("rows.jsonl") == in_order() if Path("rows.jsonl").exists() else True
    run("scans", *arguments, "--resume")
    assert names("rows.jsonl") == in_order()
    assert sorted(path.name for path in Path().iterdir()) == [".rows.jsonl.batch", "rows.jsonl", "scans"]


def test_killed_while_it_writes_the_rows_it_leaves_nothing_beside_them(scans: Path) -> None:
    dies = "import os, digitrec.__main__ as it; os.fsync = lambda _: os._exit(9); it.run()"
    python("-c", dies, "batch", "scans", "-o", "rows.jsonl", "--workers", "1", code=9)
    assert len(list(Path().glob(".*unfinished*"))) == 1
    run("scans", "-o", "rows.jsonl", "--resume")
    assert names("rows.jsonl") == in_order() and not list(Path().glob(".*unfinished*"))


def ps(field: str, by: str, process: int) -> str:
    return ran("ps", "-o", field, by, process, code=None).stdout


def test_killed_it_takes_its_workers_along(scans: Path) -> None:
    program = begun_with_a_list(in_order() * 50, "2")
    workers = {int(pid) for pid in ps("pid=", "--ppid", program.pid).split()}
    assert len(workers) >= 2
    program.kill()
    program.wait()
    end = time.monotonic() + 60
    while any(map(alive, workers)):
        assert time.monotonic() < end
        time.sleep(0.1)


def alive(process: int) -> bool:
    return ps("stat=", "-p", process).strip()[:1] not in ("", "Z")  # a zombie is dead


def test_killed_it_pays_for_no_answer_twice(scans: Path) -> None:
    (scans / "2.png").unlink()
    paid = ["scans", "-o", "rows.jsonl", "-p", "google", "--emulate", "--ledger", "paid.sqlite"]
    stopped(*paid, parts=1)
    stopped(*paid, "--resume", parts=3)
    with closing(sqlite3.connect("paid.sqlite", isolation_level=None)) as calls:
        bought = calls.execute("UPDATE calls SET emulated = 0").rowcount  # else they would cost nothing
    done = run(*paid, "--resume", code=0)
    assert names("rows.jsonl") == in_order()[:40]
    for said in (done.stderr, run(*paid, "--resume", code=0).stderr):
        assert f"${plain(bought * 0.0015)} spent" in said, "also for answers without rows"
    with closing(Ledger(Path("paid.sqlite"))) as ledger:
        answered = [call.image_sha256 for call in recent(ledger, limit=1000) if call.state == "answered"]
    assert len(answered) == len(set(answered)) == 40


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_full_disk_ends_it_in_a_line_and_loses_nothing(scans: Path, workers: str) -> None:
    def small() -> None:
        # The plan fits on the disk, the rows do not.
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))

    arguments = ["scans", "-o", "rows.jsonl", "--workers", workers]
    program = started(*arguments, preexec_fn=small, stderr=subprocess.PIPE)
    _, said = program.communicate()
    assert (program.returncode, said.count("\n")) == (9, 1), said
    run("scans", "-o", "rows.jsonl", "--resume", "--workers", "1", code=1)
    assert names("rows.jsonl") == in_order()


@pytest.mark.parametrize(("number", "workers", "code"), [
    (signal.SIGINT, "2", 130), (signal.SIGINT, "1", 130), (signal.SIGTERM, "2", -signal.SIGTERM),
])  # fmt: skip
def test_interrupted_it_goes_on_later(scans: Path, number: signal.Signals, workers: str, code: int) -> None:
    everything = in_order() * 10  # so that the command still works when the signal arrives
    program = begun_with_a_list(everything, workers, stderr=subprocess.PIPE)
    program.send_signal(number)
    _, said = program.communicate(timeout=60)
    assert program.returncode == code
    assert said.count("\n") == (2 if number == signal.SIGINT else 0)
    assert ("--resume" in said) == (number == signal.SIGINT)
    run("-o", "rows.jsonl", "--resume", "--workers", "1", code=1)
    assert names("rows.jsonl") == everything


def test_another_run_is_not_gone_on_with(scans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse OUT with an interrupted or a complete run."""
    stopped("scans", "-o", "begun.jsonl", "--workers", "1", parts=1)
    run("scans", "-o", "rows.jsonl", "--workers", "1")
    others = (["scans/0"], ["scans", "--lenient"], ["scans", "-p", "tesseract"], ["-"], ["--rotate", "90"],
              ["scans", "--ledger", "other.sqlite"], ["scans", "--replay", "scans/2.png"],
              ["scans", "--record", "other.sqlite"])  # fmt: skip
    for out in ("begun.jsonl", "rows.jsonl"):
        for other in others:
            run(*other, "-o", out, "--resume", code=6, input=b"scans/2.png")
    run("scans", "-o", "rows.jsonl", "--resume", "-p", "nonsense", code=2)
    for name, value in (("MODEL_SCALE", "unit"), ("MODEL", str(SHIPPED))):
        monkeypatch.setenv(f"DIGITREC_{name}", value)
        assert value in run("scans", "-o", "rows.jsonl", "--resume", code=6).stderr


def test_another_configuration_is_not_gone_on_with(
    scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (configured := tmp_path / "config.toml").touch()
    monkeypatch.setenv("DIGITREC_CONFIG", str(configured))
    monkeypatch.setenv("GOOGLE_API_KEY", "k" * 39)
    again = ["scans/0", "-p", "google", "-o", "rows.jsonl", "--max-cost", "0"]
    run(*again, code=7)
    run(*again, "--resume", code=7)
    for setting in ('ledger = "other.sqlite"', "parameters.google.max_tokens = 9", "budget.per_month = 0"):
        configured.write_text(setting)
        run(*again, "--resume", code=7 if "budget" in setting else 6)
    monkeypatch.setattr(
        calibration, "known", lambda: {Key("google", "plain", None, emulated=False): "fitted"}
    )
    run(*again, "--resume", code=6)


def test_another_list_is_another_run(scans: Path) -> None:
    listed = "\n".join(in_order()).encode()
    run("-", "-o", "rows.jsonl", "--workers", "1", input=listed)
    run("-", "-o", "rows.jsonl", "--resume", code=1, input=listed)
    run("-", "-o", "rows.jsonl", "--resume", code=6, input=listed[:-1])


def test_an_output_that_was_changed_is_not_called_complete(scans: Path) -> None:
    run("scans", "-o", "rows.jsonl", "--workers", "1")
    whole = Path("rows.jsonl").read_bytes()
    Path("rows.jsonl").write_bytes(whole[:-100])
    run("scans", "-o", "rows.jsonl", "--resume", code=6)
    Path("rows.jsonl").write_bytes(whole)
    Path(".rows.jsonl.batch").write_bytes(b"")
    run("scans", "-o", "rows.jsonl", "--resume", code=6)


@pytest.mark.parametrize("place", [0.0, 0.5])
def test_a_damaged_state_file_is_named_and_no_picture_is_lost(scans: Path, place: float) -> None:
    # After a kill SQLite might mend the file with its journal.
    several = ["scans"] * 10  # so that the command still works when the signal arrives
    stopped(*several, "-o", "rows.jsonl", "--workers", "1", parts=1, by=signal.SIGINT)
    file = Path(".rows.jsonl.batch")
    whole = file.read_bytes()
    begin = int(place * len(whole))
    file.write_bytes(whole[:begin] + b"x" * 100 + whole[begin + 100 : begin + 5000])
    done = run(*several, "-o", "rows.jsonl", "--resume", "--workers", "1", code=6)
    assert done.stderr.count("\n") == 1 and str(file) in done.stderr
    assert not Path("rows.jsonl").exists()
    file.write_bytes(b"")
    run(*several, "-o", "rows.jsonl", "--resume", "--workers", "1", code=1)
    assert names("rows.jsonl") == in_order() * 10


def test_a_run_begins_anew_where_its_output_was_removed(scans: Path) -> None:
    for name in ("scans", "scans/0"):
        run(name, "-o", "rows.jsonl", "--workers", "1")
        found = names("rows.jsonl")
        Path("rows.jsonl").unlink()
    assert found == in_order()[:20]


def test_failures_are_named(scans: Path) -> None:
    bad = [f"scans/3/{number:02}.png" for number in range(12)]
    Path("scans/3").mkdir()
    for name in bad:
        Path(name).write_bytes(b"x")
    done = run("scans", "-o", "rows.jsonl", "--workers", "2", code=1)
    assert [name for name in bad if name in done.stderr] == bad[:9], "after scans/2.png, the tenth"
    assert "3 more" in done.stderr


def test_two_at_once_in_one_place_are_one_too_many(scans: Path) -> None:
    Path("link.jsonl").symlink_to("rows.jsonl")
    with job.opened(Path("rows.jsonl")):
        for out in ("rows.jsonl", "link.jsonl"):
            run("scans", "-o", out, "--resume", code=6)


def test_a_spent_budget_stops_it_and_more_money_lets_it_go_on(scans: Path) -> None:
    (scans / "2.png").unlink()
    paid = ["-p", "google", "--emulate", "--ledger", "paid.sqlite"]
    done = run("scans", "-o", "rows.jsonl", *paid, "--max-cost", "0.0331", code=7)  # twenty-two at $0.0015
    assert "stopped with 18 images left; continue with --resume and the same options" in done.stderr
    assert not Path("rows.jsonl").exists()
    run("scans", "-o", "rows.jsonl", *paid, "--resume", code=6)  # without a limit
    # The budget is that of the run, not of each command.
    run("scans", "-o", "rows.jsonl", *paid, "--max-cost", "0.0331", "--resume", code=7)
    done = run("scans", "-o", "rows.jsonl", *paid, "--max-cost", "0.0601", "--resume", code=0)
    assert names("rows.jsonl") == in_order()[:40]
    assert "before" not in done.stderr, "the rows of the answers that were paid for are kept"
    assert not any(row["replayed"] for row in rows("rows.jsonl"))


@pytest.mark.parametrize(("arguments", "named", "code"), [
    (["nothing*.png", "-o", "rows.jsonl"], "nothing*.png", 1), (["empty", "-o", "rows.jsonl"], "", 6),
    (["scans.tar.gz", "-o", "rows.jsonl"], "scans.tar.gz", 6),
    (["scans.tar.zst", "-o", "rows.jsonl"], "scans.tar.zst", 6),
    (["broken.zip", "-o", "rows.jsonl"], "broken.zip", 6), (["-o", "rows.jsonl"], "INPUT", 2),
    (["-", "scans", "-o", "rows.jsonl"], "alone", 2), (["scans", "-o", "taken"], "taken", 2),
    (["scans", "-o", "rows.jsonl", "-p", "aws", "--no-ledger", "--max-cost", "1"], "--max-cost", 2),
    (["scans", "-o", "rows.jsonl", "-p", "aws", "--emulate", "--max-cost", "1"], "--ledger FILE", 2),
    (["scans", "-o", "answers.json"], "answers.json", 2),
    (["scans", "-o", f"{'x' * 245}.jsonl"], "too long", 9),
])  # fmt: skip
def test_wrong_arguments_are_named_errors(scans: Path, arguments: list[str], named: str, code: int) -> None:
    Path("empty").mkdir()
    Path("broken.zip").write_bytes(b"PK\3\4 and no more")
    Path("taken").write_text("something else")
    assert named in run(*arguments, "--workers", "1", code=code).stderr


def test_a_url_is_one_row_without_its_key(scans: Path) -> None:
    url = "https://user:planted-key@x.example/7.png?key=planted"
    assert "planted" not in run("https://user:planted-key@x.example/7.zip", "-o", "rows.jsonl", code=1).stderr
    Path("rows.jsonl").unlink()
    for arguments in (["-"], [url, "scans/0/00.png"]):
        done = run(*arguments, "-o", "rows.jsonl", code=1, input=f"{url}\nscans/0/00.png".encode())
        failed, read = rows("rows.jsonl")
        assert failed["error"]["type"] == "ImageError"
        assert read["digit"] == 7
        assert "planted" not in done.stderr
        for file in (Path("rows.jsonl"), Path(".rows.jsonl.batch")):
            assert b"planted" not in file.read_bytes()
        Path("rows.jsonl").unlink()


def test_numbers_have_a_row_each_as_from_read(scans: Path) -> None:
    samples = Path(__file__).parents[2] / "samples"
    pictures = [samples / name for name in ("sheet.jpg", "blank-page.jpg", "turned-by-exif.jpg")]
    with zipfile.ZipFile("forms.zip", "w") as archive:
        for picture in (*pictures, scans / "2.png"):
            archive.write(picture, picture.name)
    expected = list(csv.DictReader(terminal.run("read", *pictures, "-o", "csv").stdout.splitlines()))
    done = run("forms.zip", "-o", "rows.csv", "--numbers", "--workers", "1", code=1)
    assert "numbers" in done.stderr and "no number: 1" in done.stderr
    found = list(csv.DictReader(Path("rows.csv").read_text().splitlines()))
    cells = ("text", "value", "row", "column", "left", "bottom", "reason", "number")
    numbers, others = ([[row[cell] for cell in cells] for row in rows] for rows in (found[:-1], expected))
    assert numbers == others
    assert found[-1]["source"] == "forms.zip/2.png" and found[-1]["error"].startswith("ImageError")
    other = run("-o", "rows.csv", "--numbers", "--digits", "4", "--resume")
    assert other.exit_code != 0 and "digits" in other.stderr
    longest = f"{'y' * 236}.csv"
    assert "1 image, 1 failed (ImageError: 1)" in run("missing.png", "-o", longest, "--numbers").stderr
    run("forms.zip", "-o", "x.csv", "--digits", "4", code=2)
