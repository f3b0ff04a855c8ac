"""A real Dask cluster of two workers: one is killed, one joins late, and each picture is in one row."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from dask_cluster import Cluster, cluster
from PIL import Image

from digitrec.bulk.cluster import cluster as connected
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.engine.ledger import Ledger
from digitrec.engine.ledger.queries import recent
from digitrec.errors import DigitrecError

pytest.importorskip("distributed", reason="the extra batch is not installed")

DIGITS = mnist_test()[:100]
HERE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def dask() -> Iterator[Cluster]:
    """Start a scheduler with two workers."""
    with tempfile.TemporaryDirectory() as folder, cluster(Path(folder) / "dask") as running:
        running.worker()
        running.worker()
        yield running


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Write a hundred digits with relative names, which do not exist in the workers' folders."""
    monkeypatch.chdir(tmp_path)
    Path("scans").mkdir()
    names = [f"scans/{number:02}.png" for number in range(100)]
    for name, image in zip(names, DIGITS.images, strict=True):
        Image.fromarray(image).save(name)
    return names


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "digitrec", "batch", *arguments]


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, check=False, env=with_tests(), **options
    )


def with_tests() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE.parent), str(HERE)])}


def rows(file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(file).read_text().splitlines()]


def names(file: str) -> list[str]:
    return [row["image"]["source"] for row in rows(file)]


def test_the_cluster_writes_what_this_machine_would(scans: list[str], dask: Cluster) -> None:
    Path("list").write_text("\n".join([*scans, "missing.png"]))
    for out, how in (("theirs.jsonl", ["--scheduler", dask.address]), ("ours.jsonl", ["--workers", "1"])):
        with Path("list").open() as listed:
            done = run("-", "-o", out, "--part", "9", *how, stdin=listed)
        assert done.returncode == 1, done.stderr
        assert "101 images, 100 digits, 1 failed (ImageError: 1)" in done.stderr
    assert names("theirs.jsonl") == [*scans, "missing.png"]
    for theirs, ours in zip(rows("theirs.jsonl"), rows("ours.jsonl"), strict=True):
        assert theirs["image"] == ours["image"]
        assert theirs.get("digit") == ours.get("digit")
        assert theirs.get("error") == ours.get("error")


def test_one_is_killed_and_one_joins_late(scans: list[str], tmp_path: Path) -> None:
    """Each row once, in order: parts of the dead are read by the living."""
    Path("list").write_text("\n".join(scans * 4))
    with cluster(tmp_path / "dask") as own:
        first, second = own.worker(), own.worker()
        with Path("list").open() as listed:
            program = subprocess.Popen(
                command("-", "-o", "rows", "--part", "2", "--scheduler", own.address),
                stdin=listed, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        wait_for_parts(program, 5)
        first.send_signal(signal.SIGKILL)
        late = own.worker()
        wait_for_parts(program, 30)
        second.send_signal(signal.SIGKILL)  # now the late one is alone
        _, said = program.communicate(timeout=280)
        assert late.poll() is None
    assert program.returncode == 0, said
    assert "400 images, " in said
    found = [name for file in sorted(Path("rows").glob("part-*")) for name in names(str(file))]
    assert found == scans * 4
    assert not [path for path in Path("rows").rglob("*") if ".unfinished" in path.name]


def wait_for_parts(program: subprocess.Popen[str], count: int) -> None:
    while len(list(Path("rows").glob("_batch/done/*.json"))) < count:
        assert program.poll() is None
        time.sleep(0.01)


PAID = ["-p", "google", "--emulate", "--ledger", "paid.sqlite", "--part", "5"]


def test_the_budget_is_one_for_the_whole_cluster(scans: list[str], dask: Cluster) -> None:
    for name in scans[40:]:
        Path(name).unlink()
    arguments = ["-o", "rows.jsonl", *PAID, "--scheduler", dask.address]
    done = run("scans", *arguments, "--max-cost", "0.0241")  # sixteen at $0.0015
    assert done.returncode == 7, done.stderr
    assert "of the $0.0241 for this command" in done.stderr
    with closing(Ledger(Path("paid.sqlite"))) as ledger:
        assert len(recent(ledger, limit=1000)) == 16
    done = run("scans", *arguments, "--resume", "--max-cost", "1", "--summary", "sum.json")
    assert done.returncode == 0, done.stderr
    assert names("rows.jsonl") == scans[:40]
    with closing(Ledger(Path("paid.sqlite"))) as ledger:
        asked = [call.image_sha256 for call in recent(ledger, limit=1000)]
    assert len(asked) == len(set(asked)) == 40, "nothing was paid for twice"


FROM_PYTHON = """
import sys
from bulk_readers import Open
from distributed import Client
import digitrec
with Client(sys.argv[1]) as client:
    batch = digitrec.batch(sys.argv[2:], executor=client.get_executor(), part=7)
    print([outcome.digit for outcome in batch] == [o.digit for o in digitrec.batch(sys.argv[2:])])
    print(batch.summary.images, batch.summary.digits)
    print(client.submit(lambda names: [o.digit for o in digitrec.batch(names)], sys.argv[2:4]).result())
    frame = digitrec.batch(sys.argv[2:], lambda: "local", executor=client.get_executor()).frame()
    print(len(frame))
"""


def test_from_python_with_the_clients_executor_and_inside_a_task(scans: list[str], dask: Cluster) -> None:
    absolute = [str(Path(name).absolute()) for name in scans[:40]]
    done = subprocess.run(
        [sys.executable, "-c", FROM_PYTHON, dask.address, *absolute],
        capture_output=True, text=True, check=False, env=with_tests(),
    )  # fmt: skip
    assert done.stdout.splitlines() == ["True", "40 40", "[7, 2]", "40"], done.stderr


def test_a_scheduler_that_is_not_there_is_told_in_a_line(scans: list[str]) -> None:
    for address in ("tcp://127.0.0.1:1", "nonsense://x", "tls://127.0.0.1:1"):
        done = run("scans", "-o", "rows.jsonl", "--scheduler", address, "--resume")
        assert (done.returncode, done.stderr.count("no Dask scheduler answers there")) == (4, 1), done.stderr
        assert "Traceback" not in done.stderr
    assert run("scans", "-o", "new.jsonl", "--scheduler", "tcp://x:1", "--workers", "2").returncode == 2


def test_a_scheduler_that_dies_is_one_line_and_the_run_resumes(scans: list[str], tmp_path: Path) -> None:
    Path("list").write_text("\n".join(scans * 4))
    with cluster(tmp_path / "dask") as own:
        own.worker()
        with Path("list").open() as listed:
            program = subprocess.Popen(
                command("-", "-o", "rows", "--part", "2", "--scheduler", own.address),
                stdin=listed, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        wait_for_parts(program, 3)
        own.scheduler.kill()
        _, said = program.communicate(timeout=280)
    assert (program.returncode, said.count("\n")) == (1, 1), said
    assert own.address in said
    assert "--resume" in said
    assert run("-o", "rows", "--part", "2", "--resume", "--workers", "1").returncode == 0
    found = [name for file in sorted(Path("rows").glob("part-*")) for name in names(str(file))]
    assert found == scans * 4


def test_a_scheduler_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("digitrec.bulk.cluster.ANSWER_S", 2)
    with cluster(tmp_path / "dask") as own, connected(own.address) as found:
        assert found.workers()
        own.scheduler.send_signal(signal.SIGSTOP)
        with pytest.raises(DigitrecError, match=own.address):
            found.workers()
