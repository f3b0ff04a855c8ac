"""A long time of ordinary work with faults at 5 %: a server, and runs of batch that are killed and resumed.

    python bench/soak.py [--minutes 60] [--log FILE] [--publish]

An emulated cloud fails one question in twenty (refused, throttled, reset, cut off, silent, a page in place of
an answer). A server offers it beside the local engine; of its clients' requests one in twenty is damaged, cut
off, silent, hung up or too large, and one in ten is for the cloud. Beside it lists of pictures, of which one
in twenty is damaged or missing, go through `digitrec batch`, by the local engine or by the cloud, killed with
-9 at random and resumed.

What must hold, all the time: a good picture has the same digit as at first, every request ends as documented,
each picture of a list is in exactly one row, in order, and nothing that was answered is paid again. A line of
JSON a minute goes to the log. Stopped at any moment, another run with the same log adds to it; with --publish
what the log holds is written into docs/reliability.md. Exits 1 when anything did not hold.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

from figures import publish_rows
from fuzz import damaged
from PIL import Image

from digitrec.datasets.mnist import mnist_test
from digitrec.emulator import Emulator

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reliability.md"
FAULTS = [
    "503:rate=0.01", "429:rate=0.01,after=1", "reset:rate=0.01", "cut-off:rate=0.01", "html:rate=0.005",
    "hang:rate=0.005",
]  # fmt: skip
"""Of the cloud: 5 % together."""
PICTURES = 200
"""In a list of batch."""
REST_S = 10.0
"""Between two lists."""
PAUSE_S = 0.25
"""Between two requests to the server: this is about time, not about load."""
AS_DOCUMENTED = {
    "local": {200, 503, 504}, "google": {200, 502, 503, 504}, "damaged": {200, 422}, "too large": {413, 0},
    "cut off": {0, 400, 408}, "silent": {0, 408}, "hung up": {0},
}  # fmt: skip
"""The status that each kind of request may end with; 0 is none, to those who do not wait for it."""


@dataclass(slots=True)
class Seen:
    """What came of it so far."""

    ends: Counter[str] = field(default_factory=Counter)
    """Requests by kind and status, rows by what they hold, kills and lists."""
    wrong: list[str] = field(default_factory=list)
    """What did not hold."""


@contextmanager
def served(home: Path, endpoint: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """The port and process of a server, as a user starts it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "digitrec", "serve", "--port", str(port), "--log-level", "error"]
    command += ["--providers", "local,google", "--max-cost", "100"]
    with (home / "server.log").open("ab") as log:
        process = subprocess.Popen(command, stderr=log, env=surroundings(home, endpoint))
        try:
            while post(port, "local", b"").status == 0:
                time.sleep(0.1)
            yield port, process
        finally:
            process.terminate()
            process.wait(60)


def surroundings(home: Path, endpoint: str) -> dict[str, str]:
    """The environment of a program that finds the emulated cloud, and a home of its own."""
    mine = {"HOME": str(home), "XDG_DATA_HOME": str(home), "DIGITREC_GOOGLE_ENDPOINT": endpoint}
    return {**os.environ, **mine, "NO_PROXY": "127.0.0.1"}


@dataclass(frozen=True, slots=True)
class Answer:
    """How a request ended."""

    status: int
    """HTTP's; 0 for none."""
    body: bytes = b""


def post(port: int, provider: str, picture: bytes) -> Answer:
    """Ask about a picture."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", f"/predict?provider={provider}", picture)
        answer = connection.getresponse()
        return Answer(answer.status, answer.read())
    except (OSError, http.client.HTTPException):
        return Answer(0)
    finally:
        connection.close()


def raw(port: int, sent: bytes, length: int, wait_s: float) -> Answer:
    """Send less than was promised, and leave after a while."""
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n".encode()
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=wait_s) as client:
            client.sendall(head + sent)
            found = client.recv(100)
            return Answer(int(found.split()[1]) if found else 0)
    except OSError:
        return Answer(0)


def fresh(chance: random.Random) -> bytes:
    """A digit as a PNG, of a kind that no ledger has seen."""
    picture = chance.choice(mnist_test().images).copy()
    picture[0, :16] = list(chance.randbytes(16))
    picture[0] //= 80
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG")
    return data.getvalue()


def ask(port: int, chance: random.Random, pictures: list[bytes], first: dict[bytes, Any], seen: Seen) -> None:
    """One request, good or bad."""
    picture, dice = chance.choice(pictures), chance.random()
    kind = "local" if dice < 0.85 else "google" if dice < 0.95 else chance.choice(list(AS_DOCUMENTED)[2:])
    if kind == "local":
        answer = post(port, kind, picture)
    elif kind == "google":
        answer = post(port, kind, fresh(chance))
    elif kind == "damaged":
        answer = post(port, "local", damaged(picture, chance))
    elif kind == "too large":
        answer = raw(port, b"", 20_000_000, 10)
    else:
        wait_s = {"silent": 20.0, "cut off": 8.0, "hung up": 0.01}[kind]
        answer = raw(port, picture[: len(picture) // 2], len(picture), wait_s)
    seen.ends[f"{kind}: {answer.status or 'none'}"] += 1
    if answer.status not in AS_DOCUMENTED[kind]:
        seen.wrong.append(f"a {kind} request ended with {answer.status}: {answer.body[:200]!r}")
    if kind == "local" and answer.status == 200:
        said = json.loads(answer.body)
        digit = said["prediction"], said["reason"]
        if first.setdefault(picture, digit) != digit:
            seen.wrong.append(f"{digit} where there was {first[picture]}")


def written(folder: Path, chance: random.Random) -> tuple[Path, list[str]]:
    """A list of new pictures, one in twenty damaged or missing: its file, and their names."""
    names = [str(folder / f"{at:03}.png") for at in range(PICTURES)]
    for name in names:
        dice, data = chance.random(), fresh(chance)
        if dice > 0.01:
            Path(name).write_bytes(damaged(data, chance) if dice < 0.05 else data)
    table = folder / "list.csv"
    table.write_text("file\n" + "\n".join(names) + "\n")
    return table, names


def run_batch(provider: str, home: Path, endpoint: str, chance: random.Random, seen: Seen) -> None:
    """A list through batch, killed and resumed, and what must hold of its rows; by the cloud then again."""
    with tempfile.TemporaryDirectory(dir=home) as name:
        folder = Path(name)
        table, names = written(folder, chance)
        command = [sys.executable, "-m", "digitrec", "batch", str(table), "--paths-from", "file", "--resume"]
        command += ["-p", provider, "--ledger", str(home / "ledger.sqlite"), "--workers", "1", "--part", "16"]
        tries = []
        for out in (folder / "rows.jsonl", folder / "again.jsonl")[: 1 + (provider == "google")]:
            run = [*command, "-o", str(out)]
            tries.append(_to_its_end(run, out, surroundings(home, endpoint), chance, seen))
        seen.ends[f"batch: lists of {PICTURES} by {provider}"] += 1
        for rows in tries:
            if [row["image"]["source"] for row in rows] != names:
                seen.wrong.append(
                    f"batch -p {provider}: not one row for each of {len(names)} pictures, in order"
                )
    for row in tries[0]:
        error = row.get("error")
        seen.ends[f"row by {provider}: {error['type'] if error else 'answered'}"] += 1
    for row, again in zip(tries[0], tries[-1], strict=True):
        if provider == "google" and row["attempts"] and not row.get("error") and not again["replayed"]:
            seen.wrong.append(f"{row} was paid again: {again}")


def _to_its_end(
    command: list[str], out: Path, environment: dict[str, str], chance: random.Random, seen: Seen
) -> list[dict[str, Any]]:
    """The rows of a run that is killed on its way, and gone on with until it is through."""
    while not out.exists():
        program = subprocess.Popen(command, stderr=subprocess.PIPE, env=environment)
        try:
            patience = chance.uniform(2, 40) if chance.random() < 0.5 else 600
            said = program.communicate(timeout=patience)[1]
        except subprocess.TimeoutExpired:
            program.kill()
            said = program.communicate()[1]
        seen.ends[f"batch: ended by {program.returncode}"] += 1
        if b"Traceback" in said:
            seen.wrong.append(f"{' '.join(command)}: {said[-500:]!r}")
    return [json.loads(line) for line in out.read_text().splitlines()]


def megabytes(pid: int) -> float:
    """Resident memory of a process, MB; 0 when it is over."""
    held = Path(f"/proc/{pid}/status").read_text().partition("VmRSS:")[2]
    return int(held.split()[0]) / 1024 if held else 0.0


def soak(minutes: float, log: Path) -> list[str]:
    """All of it, for so long; what did not hold."""
    seen, ended, begun, started = Seen(), Event(), time.monotonic(), time.strftime("%Y-%m-%d %H:%M:%S")
    chance, first = random.Random(started), dict[bytes, Any]()
    pictures = [file.read_bytes() for file in sorted((ROOT / "samples").glob("*.[jp][pn]g"))]
    with (
        tempfile.TemporaryDirectory() as name,
        Emulator(["google"], faults=FAULTS) as emulator,
        served(Path(name), emulator.endpoints["google"]) as (port, server),
    ):
        endpoint = emulator.endpoints["google"]

        def again_and_again(step: Callable[[random.Random], None], rest_s: float) -> None:
            mine = random.Random(chance.random())
            while not ended.is_set():
                try:
                    step(mine)
                except Exception as error:  # what is not foreseen is what is looked for
                    seen.wrong.append(repr(error))
                ended.wait(rest_s)

        def visit(mine: random.Random) -> None:
            ask(port, mine, pictures, first, seen)

        def work(mine: random.Random) -> None:
            run_batch(mine.choice(("local", "google")), Path(name), endpoint, mine, seen)

        threads = [Thread(target=again_and_again, args=it) for it in ((visit, PAUSE_S), (work, REST_S))]

        def write_down() -> None:
            line = {
                "run": started, "minutes": round((time.monotonic() - begun) / 60, 1),
                "server_mb": round(megabytes(server.pid), 1), "calls": emulator.calls("google"),
                "ends": dict(seen.ends), "wrong": list(seen.wrong),
            }  # fmt: skip
            with log.open("a") as file:
                file.write(json.dumps(line) + "\n")

        for thread in threads:
            thread.start()
        try:
            while time.monotonic() < begun + 60 * minutes and server.poll() is None:
                time.sleep(min(60.0, 60 * minutes))
                write_down()
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        if server.poll() is not None:
            seen.wrong.append(f"the server ended with {server.returncode}")
        write_down()
    return seen.wrong


def told(log: Path) -> list[str]:
    """What the log holds, as the lines of a table."""
    runs = {line["run"]: line for line in map(json.loads, log.read_text().splitlines())}.values()
    ends, sizes = (
        Counter[str](),
        [line["server_mb"] for line in map(json.loads, log.read_text().splitlines())],
    )
    for run in runs:
        ends.update(run["ends"])
    third = max(1, len(sizes) // 3)
    wrong = Counter(it.partition(":")[0] for run in runs for it in run["wrong"])
    rows = [
        ("time", f"{sum(run['minutes'] for run in runs):.0f} minutes in {len(runs)} run(s)"),
        ("what did not hold", "; ".join(f"{count} x {it}" for it, count in wrong.items()) or "nothing"),
        ("questions to the emulated cloud", f"{sum(run['calls'] for run in runs):,}, 5 % failed"),
        (
            "the server's memory at first, in the last third",
            f"{sizes[0]:.0f} MB, {max(sizes[-third:]):.0f} MB",
        ),
        *((what, f"{count:,}") for what, count in sorted(ends.items())),
    ]
    return ["| what | |", "|---|---:|", *(f"| {what} | {found} |" for what, found in rows)]


def main() -> None:
    """Soak for so long, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--log", type=Path, default=Path("soak.jsonl"))
    parser.add_argument("--publish", action="store_true", help="write what the log holds into the docs")
    given = parser.parse_args()
    wrong = soak(given.minutes, given.log) if given.minutes else []
    rows = told(given.log)
    if given.publish:
        publish_rows("A soak", rows, PAGE)
    else:
        print("\n".join(rows))
    sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
