"""A Dask cluster of this machine: a scheduler and workers, each a process that can be killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent


class Cluster:
    """A scheduler, and the workers that were started."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "scheduler.json"
        self._programs: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start("dask_scheduler", "--host", "127.0.0.1", "--port", "0")
        end = time.monotonic() + 240
        while not self._file.exists() or not self._file.read_text():
            assert time.monotonic() < end
            time.sleep(0.05)
        self.address: str = json.loads(self._file.read_text())["address"]

    def worker(self) -> subprocess.Popen[bytes]:
        """One more, in a folder of its own: no relative name of the command's is found there."""
        own = self._folder / f"worker-{len(self._programs)}"
        own.mkdir()
        return self._start("dask_worker", "--nthreads", "1", "--no-nanny", "--local-directory", ".", own=own)

    def _start(self, program: str, *arguments: str, own: Path | None = None) -> subprocess.Popen[bytes]:
        paths = [str(HERE.parent), str(HERE), os.environ.get("PYTHONPATH", "")]
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--no-dashboard"]
        with (self._folder / f"{program}-{len(self._programs)}.log").open("wb") as log:
            started = subprocess.Popen(
                [*command, "--scheduler-file", str(self._file), *arguments],
                cwd=own or self._folder, stdout=log, stderr=log,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            )  # fmt: skip
        self._programs.append(started)
        return started

    def stop(self) -> None:
        """Kill them all, the workers first."""
        for program in reversed(self._programs):
            program.send_signal(signal.SIGKILL)
            program.wait()


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """Start a cluster without a worker."""
    folder.mkdir()
    running = Cluster(folder)
    try:
        yield running
    finally:
        running.stop()
