"""A Dask cluster of this machine, what docs/batch.md tells its workers, and what it took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import yaml  # type: ignore[import-untyped]

MANIFEST = Path(__file__).parents[1] / "deploy" / "dask" / "cluster.yaml"


def spent(programs: list[subprocess.Popen[bytes]]) -> float:
    """Processor time of these and of all whom they started and who live, s."""
    mine = [psutil.Process(program.pid) for program in programs]
    times = [it.cpu_times() for one in mine for it in (one, *one.children(recursive=True))]
    return float(sum(it.user + it.system for it in times))


@contextmanager
def cluster(folder: Path, told: dict[str, str]) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler with two workers of one thread each, and their processes.

    Args:
        folder: for what they write.
        told: variables that all of them are given.
    """
    file = folder / "scheduler.json"
    common = ["--no-dashboard", "--scheduler-file", str(file)]
    alone = ["--nworkers", "2", "--nthreads", "1", "--local-directory", str(folder)]
    starts = (["dask_scheduler", "--host", "127.0.0.1", "--port", "0"], ["dask_worker", *alone])
    running: list[subprocess.Popen[bytes]] = []
    try:
        for program, *how in starts:
            command = [sys.executable, "-m", f"distributed.cli.{program}", *common, *how]
            running.append(subprocess.Popen(command, stderr=subprocess.DEVNULL, env=os.environ | told))
        while not file.exists() or not file.read_text():
            time.sleep(0.1)
        yield str(json.loads(file.read_text())["address"]), running
    finally:
        for one in reversed(running):
            one.terminate()
            one.wait()


def settings() -> dict[str, str]:
    """The variables of the workers' container in the manifests."""
    container = yaml.safe_load(MANIFEST.read_text())["spec"]["worker"]["spec"]["containers"][0]
    return {one["name"]: one["value"] for one in container["env"]}
