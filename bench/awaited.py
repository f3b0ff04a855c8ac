"""How long 200 calls of a cloud take that are awaited at once, of which each waits 0.3 s for its answer.

    python bench/awaited.py [ENGINE ...]

Prints for `apredict` (200 awaited together) and `astream` (200 in one): seconds of wall time with
``Options(concurrency=200)``, and how many times as quick as one after the other (60 s) that is. The emulator
runs in a process of its own, and each picture is another one, so nothing comes from the ledger.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

CALLS, WAIT_S = 200, 0.3
KEYS = {
    "google": {"api_key": "test"},
    "aws": {"access_key": "test", "secret_key": "test", "region": "us-east-1"},
    "azure-analysis": {"key": "test"},
    "openai": {"key": "test", "model": "m"},
}


def pictures(seed: int) -> list[np.ndarray]:
    """A seven each, with noise that makes it another picture."""
    seven = np.full((28, 28), 250, np.uint8)
    seven[6, 8:20] = seven[7, 8:20] = 20
    for row in range(8, 22):
        seven[row, 27 - row // 2 - 8 : 30 - row // 2 - 8] = 20
    noise = np.random.default_rng(seed)
    return [seven - noise.integers(0, 5, seven.shape, np.uint8) for _ in range(CALLS)]


async def measured(name: str, endpoint: str) -> None:
    import digitrec

    provider = digitrec.open_provider(name, endpoint=endpoint, **KEYS[name])
    with digitrec.Engine(provider, digitrec.Options(concurrency=CALLS, timeout=60)) as engine:
        await digitrec.apredict(pictures(0)[0], engine)  # the SDK is loaded, the ledger opened
        start, cpu = time.perf_counter(), time.process_time()
        together = await asyncio.gather(*(digitrec.apredict(it, engine) for it in pictures(1)))
        middle = time.perf_counter()
        streamed = [it async for it in digitrec.astream(pictures(2), engine)]
        end = time.perf_counter()
    print(f"{name:15} CPU of both together, emulator apart: {time.process_time() - cpu:.2f} s")
    assert {it.digit for it in (*together, *streamed)} == {7}
    for door, spent in (("apredict", middle - start), ("astream", end - middle)):
        print(f"{name:15} {door:9} {spent:5.2f} s, {CALLS * WAIT_S / spent:4.1f} times as quick as in turn")


def main() -> None:
    folder = tempfile.mkdtemp()
    os.environ.update(HOME=folder, XDG_DATA_HOME=folder, XDG_CONFIG_HOME=folder, NO_PROXY="127.0.0.1")
    script = Path(folder) / "seven.jsonl"
    script.write_text('[{"text": "7", "confidence": 0.98}]\n', "utf-8")
    for port, name in enumerate(sys.argv[1:] or ["aws"], 18700):
        options = ["--engine", f"script:{script}", "--fault", f"slow:seconds={WAIT_S}", "--port", str(port)]
        command = [sys.executable, "-m", "digitrec", "emulate", name, *options]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as emulator:
            assert emulator.stdout is not None
            endpoint = emulator.stdout.readline().partition(": ")[2].strip()
            try:
                asyncio.run(measured(name, endpoint))
            finally:
                emulator.terminate()


if __name__ == "__main__":
    main()
