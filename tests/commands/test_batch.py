"""`digitrec batch`: one row for each picture, for every kind of input and after every interruption."""

from __future__ import annotations

import csv
import json
import random
import resource
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import terminal
from PIL import Image

from digitrec.bulk import job
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.engine.ledger import Ledger
from digitrec.engine.ledger.queries import recent

DIGITS = mnist_test()[:40]


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Forty digits in two folders, in the order of their names, and one file that is no picture."""
    monkeypatch.chdir(tmp_path)
    for number, image in enumerate(DIGITS.images):
        file = tmp_path / "scans" / f"{number // 20}" / f"{number:02}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    (tmp_path / "scans" / "2.png").write_bytes(b"nothing of the kind")
    return tmp_path / "scans"


run = partial(terminal.run, "batch")


def started(*arguments: str, **options: Any) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "digitrec", "batch", *arguments]
    return subprocess.Popen(command, text=True, **{"stderr": subprocess.DEVNULL, **options})


def finished_parts() -> int:
    return len(list(Path().glob("*/_batch/done/*.json")))


def stopped(*arguments: str, parts: int) -> None:
    """Kill a run after this many parts."""
    program = started(*arguments)
    while finished_parts() < parts:
        assert program.poll() is None
        time.sleep(0.01)
    program.kill()
    program.wait()


def rows(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(file).read_text().splitlines()]


def names(file: str) -> list[str]:
    """Return the sources of the rows in a file, or in the parts of a folder."""
    parts = sorted(Path(file).glob("part-*")) if Path(file).is_dir() else [file]
    return [row["image"]["source"] for part in parts for row in rows(str(part))]


def in_order() -> list[str]:
    return [f"scans/{number // 20}/{number:02}.png" for number in range(40)] + ["scans/2.png"]


def test_rows_are_those_of_predict_in_the_order_given(scans: Path) -> None:
    done = run("scans", "-o", "rows.jsonl", "--part", "7", "--workers", "1")
    assert done.exit_code == 1, "one picture could not be read"
    assert "41 images, 40 digits, 1 failed (ImageError: 1)" in done.stderr
    said = terminal.run("predict", "scans", "-o", "jsonl")
    theirs = [json.loads(line) for line in said.stdout.splitlines()]
    for ours, other in zip(rows("rows.jsonl"), theirs, strict=True):
        # Calibration and batches aside, digits and names are the same; probabilities to the last bits.
        assert ours["image"] == other["image"]
        assert ours.get("digit") == other.get("digit")
        assert ours.get("error") == other.get("error")
    assert sorted(path.name for path in Path().iterdir()) == [".rows.jsonl.batch", "rows.jsonl", "scans"]


def archived(kind: str) -> list[str]:
    if kind == "tar.gz":
        with tarfile.open("all.tar.gz", "w:gz") as tar:
            tar.add("scans")
        return ["all.tar.gz"]
    Path("all.csv").write_text("\n".join(["file,who", *(f"{name},me" for name in in_order())]))
    return ["all.csv", "--paths-from", "file"]


@pytest.mark.parametrize("kind", ["tar.gz", "table"])
def test_pictures_are_the_same_whatever_they_come_in(scans: Path, kind: str) -> None:
    done = run(*archived(kind), "-o", "rows.jsonl", "--workers", "1")
    assert done.exit_code == 1
    found = {row["image"]["source"].split("scans/")[1]: row.get("digit") for row in rows("rows.jsonl")}
    assert len(found) == 41
    assert found.pop("2.png") is None
    right = sum(found[f"{number // 20}/{number:02}.png"] == DIGITS.labels[number] for number in range(40))
    assert right >= 39


def test_a_compressed_tar_is_unpacked_once_and_gone_on_with(scans: Path) -> None:
    archived("tar.gz")
    stopped("all.tar.gz", "-o", "rows", "--part", "2", "--workers", "2", parts=3)
    Path("all.tar.gz").unlink()
    assert run("-o", "rows", "--resume", "--workers", "1").exit_code == 1
    assert sorted(names("rows")) == sorted(f"all.tar.gz/{name}" for name in in_order())
    assert not Path("rows/_batch/unpacked").exists()


@pytest.mark.parametrize(
    "table",
    [b"file\n\xff\n", b"path\n1.png\n", b"", b"file\n" + b"y" * 200_000, None],
)
def test_a_file_that_is_no_table_is_an_error(scans: Path, table: bytes | None) -> None:
    if table is not None:
        Path("all.csv").write_bytes(table)
    done = run("all.csv", "--paths-from", "file", "-o", "rows.jsonl", "--workers", "1")
    assert done.exit_code in (2, 6), done.stderr
    assert "all.csv" in done.stderr


def test_a_list_on_standard_input_may_hold_any_name(scans: Path) -> None:
    odd = b"scans/\xff \xc3\xa9.png"
    Path("scans/0/00.png").rename(odd.decode("utf-8", "surrogateescape"))
    done = run("-", "-o", "rows.jsonl", "--workers", "1", input=odd + b"\n\nscans/0/01.png\r\nmissing.png\n")
    assert done.exit_code == 1
    assert names("rows.jsonl") == [odd.decode("utf-8", "surrogateescape"), "scans/0/01.png", "missing.png"]
    assert [row.get("digit") for row in rows("rows.jsonl")] == [7, 2, None]


def test_many_processes_write_the_same_rows_into_a_folder(scans: Path) -> None:
    done = run("scans", "-o", "parts", "--format", "csv", "--part", "9", "--workers", "2")
    assert done.exit_code == 1
    files = sorted(Path("parts").glob("part-*.csv"))
    assert len(files) == 5
    found = [row["source"] for file in files for row in csv.DictReader(file.read_text().splitlines())]
    assert found == in_order()
    assert "digitrec: 41 images" in run("-o", "parts", "--format", "csv", "--resume").stderr


def test_what_is_there_is_not_written_over(scans: Path) -> None:
    run("scans", "-o", "rows.jsonl", "--workers", "1")
    before = Path("rows.jsonl").read_bytes()
    done = run("scans", "-o", "rows.jsonl")
    assert done.exit_code == 2
    assert "--resume" in done.stderr
    done = run("scans", "-o", "rows.jsonl", "--resume")
    assert done.exit_code == 1, "one picture could not be read"
    assert "complete" in done.stderr
    assert Path("rows.jsonl").read_bytes() == before


def test_killed_at_any_moment_each_picture_is_in_one_row(scans: Path) -> None:
    """Kill the command at random moments, while it starts, plans, reads, writes or joins."""
    arguments = ["-o", "rows.jsonl", "--part", "1", "--workers", "2"]
    for number in range(4):
        program = started(*(["scans"] if number == 0 else ["--resume", "scans"]), *arguments)
        moment = random.Random(number)
        done = finished_parts() + moment.randrange(12)
        while program.poll() is None and finished_parts() < done:
            time.sleep(0.001)
        time.sleep(moment.random() / 100)
        program.kill()
        program.wait()
        for file in Path().glob("rows.jsonl.parts/part-*"):
            assert file.read_bytes().endswith(b"\n"), "under its own name a part is whole"
            assert all(json.loads(line) for line in file.read_text().splitlines())
    run("scans", *arguments, "--resume")
    assert names("rows.jsonl") == in_order()
    assert sorted(path.name for path in Path().iterdir()) == [".rows.jsonl.batch", "rows.jsonl", "scans"]


def ps(field: str, by: str, process: int) -> str:
    command = ["ps", "-o", field, by, str(process)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def children(program: int) -> set[int]:
    return {int(pid) for pid in ps("pid=", "--ppid", program).split()}


def test_killed_it_takes_its_workers_along(scans: Path) -> None:
    Path("list").write_text("\n".join(in_order() * 50))
    with Path("list").open() as paths:
        program = started("-", "-o", "rows", "--part", "9", "--workers", "2", stdin=paths)
    while not finished_parts():
        time.sleep(0.01)
    workers = children(program.pid)
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
    cloud = ["-p", "google", "--emulate", "--ledger", "paid.sqlite"]
    paid = ["scans", "-o", "rows.jsonl", "--part", "4", *cloud]
    stopped(*paid, parts=2)
    stopped(*paid, "--resume", parts=6)
    assert run(*paid, "--resume").exit_code == 0
    assert names("rows.jsonl") == in_order()[:40]
    with closing(Ledger(Path("paid.sqlite"))) as ledger:
        answered = [call.image_sha256 for call in recent(ledger, limit=1000) if call.state == "answered"]
    assert len(answered) == len(set(answered)) == 40


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_full_disk_ends_it_in_a_line_and_loses_nothing(scans: Path, workers: str) -> None:
    def small() -> None:
        # The plan fits on the disk, a part of twenty pictures does not.
        resource.setrlimit(resource.RLIMIT_FSIZE, (6000, 6000))

    arguments = ["scans", "-o", "rows.jsonl", "--part", "20", "--workers", workers]
    program = started(*arguments, preexec_fn=small, stderr=subprocess.PIPE)
    _, said = program.communicate()
    assert (program.returncode, said.count("\n")) == (9, 1), said
    assert run("scans", "-o", "rows.jsonl", "--resume", "--workers", "1").exit_code == 1
    assert names("rows.jsonl") == in_order()


@pytest.mark.parametrize(
    ("number", "workers", "code"),
    [(signal.SIGINT, "2", 130), (signal.SIGTERM, "1", 143)],
)
def test_interrupted_it_goes_on_later(scans: Path, number: signal.Signals, workers: str, code: int) -> None:
    everything = in_order() * 10  # so that the command still works when the signal arrives
    Path("list").write_text("\n".join(everything))
    arguments = ["-", "-o", "rows.jsonl", "--part", "4", "--workers", workers]
    with Path("list").open() as paths:
        program = started(*arguments, stdin=paths, stderr=subprocess.PIPE)
    while not finished_parts():
        assert program.poll() is None
        time.sleep(0.01)
    program.send_signal(number)
    _, said = program.communicate(timeout=60)
    assert (program.returncode, said.count("\n")) == (code, 2), said
    assert "--resume" in said
    assert run("-o", "rows.jsonl", "--resume", "--workers", "1").exit_code == 1
    assert names("rows.jsonl") == everything


def test_another_run_is_not_gone_on_with(scans: Path) -> None:
    """Refuse OUT with an interrupted or a complete run, as a file and as a folder."""
    stopped("scans", "-o", "begun.jsonl", "--part", "2", "--workers", "1", parts=1)
    run("scans", "-o", "rows.jsonl", "--part", "9", "--workers", "1")
    run("scans", "-o", "rows", "--format", "csv", "--part", "9", "--workers", "1")
    others = (
        ["scans/0"], ["scans", "--lenient"], ["scans", "-p", "tesseract"], ["scans", "--part", "3"],
        ["scans", "--hidden"], ["-"], ["scans", "--paths-from", "file"], ["--rotate", "90"],
    )  # fmt: skip
    for out in ("begun.jsonl", "rows.jsonl", "rows"):
        for other in others:
            assert run(*other, "-o", out, "--resume", input=b"scans/2.png").exit_code == 6, (out, other)
    assert run("-o", "rows", "--resume", "--format", "jsonl").exit_code == 6
    assert run("-o", "rows", "--resume", "--part", "9").exit_code == 1
    assert run("scans", "-o", "rows.jsonl", "--resume", "-p", "nonsense").exit_code == 2


def test_another_list_is_another_run(scans: Path) -> None:
    listed = "\n".join(in_order()).encode()
    run("-", "-o", "rows.jsonl", "--workers", "1", input=listed)
    assert run("-", "-o", "rows.jsonl", "--resume", input=listed).exit_code == 1
    assert run("-", "-o", "rows.jsonl", "--resume", input=listed[:-1]).exit_code == 6


def test_an_output_that_was_changed_is_not_called_complete(scans: Path) -> None:
    run("scans", "-o", "rows.jsonl", "--workers", "1")
    whole = Path("rows.jsonl").read_bytes()
    Path("rows.jsonl").write_bytes(whole[:-100])
    assert run("scans", "-o", "rows.jsonl", "--resume").exit_code == 6
    Path("rows.jsonl").write_bytes(whole)
    Path(".rows.jsonl.batch").write_bytes(Path(".rows.jsonl.batch").read_bytes()[:-5])
    assert run("scans", "-o", "rows.jsonl", "--resume").exit_code == 6


DAMAGES = (lambda data: b"", lambda data: data[: len(data) // 2])
"""State files: emptied and truncated."""


@pytest.mark.parametrize("state", ["plan.jsonl", "job.json", "unpacked"])
def test_a_damaged_plan_is_named_and_nothing_is_lost(scans: Path, state: str) -> None:
    archived("tar.gz")
    stopped("all.tar.gz", "-o", "rows.jsonl", "--part", "2", "--workers", "1", parts=2)
    file = Path("rows.jsonl.parts/_batch", state)
    whole = file.read_bytes()
    for damage in (*DAMAGES, None):
        if damage is None:
            file.unlink()
        else:
            file.write_bytes(damage(whole))
        done = run("all.tar.gz", "-o", "rows.jsonl", "--part", "2", "--resume", "--workers", "1")
        assert (done.exit_code, done.stderr.count("\n")) == (6, 1), done.stderr
        assert state in done.stderr
        assert not Path("rows.jsonl").exists()


def test_a_damaged_part_is_read_again(scans: Path) -> None:
    run("scans", "-o", "rows", "--part", "2", "--workers", "1")
    for what in ("part-000001.jsonl", "_batch/done/000001.json"):
        for damage in DAMAGES:
            file = Path("rows", what)
            file.write_bytes(damage(file.read_bytes()))
            assert run("-o", "rows", "--resume", "--workers", "1").exit_code == 1
            assert names("rows") == in_order()


def test_failures_are_named(scans: Path) -> None:
    bad = [f"scans/3/{number:02}.png" for number in range(12)]
    Path("scans/3").mkdir()
    for name in bad:
        Path(name).write_bytes(b"x")
    done = run("scans", "-o", "rows.jsonl", "--workers", "2", "--part", "5", "--errors", "failed.txt")
    assert done.exit_code == 1
    assert [name for name in bad if name in done.stderr] == bad[:9], "after scans/2.png, the tenth"
    failed = Path("failed.txt").read_text().splitlines()
    assert [line.split(":")[0] for line in failed] == sorted(["scans/2.png", *bad])
    again = run("-o", "rows.jsonl", "--resume", "--errors", "again.txt")
    assert again.exit_code == 1
    assert Path("again.txt").read_text().splitlines() == failed
    for name in (*bad, "scans/2.png"):
        Path(name).unlink()
    assert run("scans", "-o", "other.jsonl", "--workers", "1", "--errors", "failed.txt").exit_code == 0
    assert Path("failed.txt").read_text() == ""


def test_two_at_once_in_one_place_are_one_too_many(scans: Path) -> None:
    with job.held(Path("rows")):
        done = run("scans", "-o", "rows", "--resume")
    assert done.exit_code == 6


def test_a_spent_budget_stops_it_and_more_money_lets_it_go_on(scans: Path) -> None:
    (scans / "2.png").unlink()
    paid = ["-p", "google", "--emulate", "--ledger", "paid.sqlite", "--part", "4"]
    done = run("scans", "-o", "rows.jsonl", *paid, "--max-cost", "0.0331")  # twenty-two at $0.0015
    assert done.exit_code == 7
    assert "--resume" in done.stderr
    assert not Path("rows.jsonl").exists()
    done = run("scans", "-o", "rows.jsonl", *paid, "--max-cost", "0.0331", "--resume")
    assert done.exit_code == 7, "the budget is that of the run, not of each command"
    last = ["--max-cost", "0.0601", "--resume", "--summary", "sum.json"]
    assert run("scans", "-o", "rows.jsonl", *paid, *last).exit_code == 0
    assert len(rows("rows.jsonl")) == 40
    total = json.loads(Path("sum.json").read_text())
    assert (total["images"], total["replayed"]) == (40, 2), "what was paid for is not paid for again"


@pytest.mark.parametrize(
    ("arguments", "named", "code"),
    [
        (["nothing*.png", "-o", "rows.jsonl"], "nothing*.png", 1),
        (["empty", "-o", "rows.jsonl"], "", 6),
        (["scans.tar.gz", "-o", "rows.jsonl"], "scans.tar.gz", 6),
        (["scans.tar.zst", "-o", "rows.jsonl"], "scans.tar.zst", 6),
        (["broken.zip", "-o", "rows.jsonl"], "broken.zip", 6),
        (["-o", "rows.jsonl"], "INPUT", 2),
        (["scans", "-o", "rows.csv", "--format", "jsonl"], "rows.csv", 2),
        (["scans", "-o", "taken"], "taken", 2),
        (["scans", "-o", "answers.json"], "answers.json", 2),
    ],
)
def test_wrong_arguments_are_errors_that_name_them(
    scans: Path, arguments: list[str], named: str, code: int
) -> None:
    Path("empty").mkdir()
    Path("broken.zip").write_bytes(b"PK\3\4 and no more")
    Path("taken").write_text("something else")
    done = run(*arguments, "--workers", "1")
    assert (done.exit_code, named in done.stderr) == (code, True), done.stderr


def test_a_url_is_one_row_without_its_key(scans: Path) -> None:
    url = "https://user:planted-key@x.example/7.png?key=planted"
    for arguments in (["-"], [url, "scans/0/00.png"]):
        done = run(*arguments, "-o", "rows", "--workers", "1", input=f"{url}\nscans/0/00.png".encode())
        assert done.exit_code == 1
        failed, read = rows("rows/part-000000.jsonl")
        assert failed["error"]["type"] == "ImageError"
        assert read["digit"] == 7
        assert "planted" not in done.stderr
        assert not any(b"planted" in file.read_bytes() for file in Path("rows").rglob("*") if file.is_file())
        shutil.rmtree("rows")


def test_numbers_have_a_row_each_as_from_read(scans: Path) -> None:
    samples = Path(__file__).parents[2] / "samples"
    with zipfile.ZipFile("forms.zip", "w") as archive:
        for name in ("sheet.jpg", "blank-page.jpg", "turned-by-exif.jpg"):
            archive.write(samples / name, name)
        archive.write(scans / "2.png", "2.png")
    names = ["sheet.jpg", "blank-page.jpg", "turned-by-exif.jpg"]
    said = terminal.run("read", *(str(samples / name) for name in names), "-o", "csv")
    expected = list(csv.DictReader(said.stdout.splitlines()))
    done = run("forms.zip", "-o", "parts", "--format", "csv", "--numbers", "--part", "1", "--workers", "1")
    assert (done.exit_code, "numbers" in done.stderr, "no number: 1" in done.stderr) == (1, True, True)
    part = Path("parts/part-000000.csv")  # the parts are in the order of the archive
    whole = part.read_text()
    part.write_text(whole[:300])
    assert run("-o", "parts", "--format", "csv", "--numbers", "--resume").exit_code == 1
    assert part.read_text() == whole
    found = [
        row for file in sorted(Path("parts").glob("part-*.csv"))
        for row in csv.DictReader(file.read_text().splitlines())
    ]  # fmt: skip
    cells = ("text", "value", "row", "column", "left", "bottom", "reason", "number")
    assert [[row[cell] for cell in cells] for row in found[:-1]] == [
        [row[cell] for cell in cells] for row in expected
    ]
    assert found[-1]["source"] == "forms.zip/2.png" and found[-1]["error"].startswith("ImageError")
    other = run("-o", "parts", "--format", "csv", "--numbers", "--digits", "4", "--resume")
    assert other.exit_code != 0 and "digits" in other.stderr
    assert run("forms.zip", "-o", "x.csv", "--digits", "4").exit_code == 2
