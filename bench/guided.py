"""Fuzzing guided by coverage, of what we parse ourselves: headers, labels, arrays, recordings, answers.

    pip install atheris; python bench/guided.py [SECONDS]      # for each parser; by default 30

Atheris (libFuzzer for Python) changes the bytes so that they reach more of our branches; the decoders that
Pillow brings are not instrumented, and are for bench/fuzz.py. Each parser runs in a process of its own. It
may raise what it promises and nothing else. Exits 1 when one raises something else, dies, or takes 10 s.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

PARSERS = ("header", "picture", "labels", "npz", "recording", "google")
FOUND = "stat::number_of_executed_units"


def target(name: str, folder: Path) -> tuple[Callable[[bytes], object], tuple[type[Exception], ...], bytes]:
    """What parses bytes, what it may raise, and an example that it takes."""
    import numpy as np
    from PIL import Image

    import digitrec
    from digitrec.datasets import arrayfiles, labels
    from digitrec.errors import DigitrecError
    from digitrec.image.headers import header
    from digitrec.ledger.records import Entry
    from digitrec.providers import google

    file, jpeg = folder / "given", io.BytesIO()
    Image.new("L", (16, 16), 255).save(jpeg, "JPEG", progressive=True)
    said = {"responses": [{"fullTextAnnotation": {"text": "7", "pages": []}}]}

    def in_file(read: Callable[[Path], object]) -> Callable[[bytes], object]:
        def reader(data: bytes) -> None:
            file.write_bytes(data)
            read(file)

        return reader

    arrays = io.BytesIO()
    np.savez(arrays, x_test=np.zeros((2, 28, 28), np.uint8), y_test=np.array([7, 2]))
    parsers: dict[str, tuple[Callable[[bytes], object], tuple[type[Exception], ...], bytes]] = {
        "header": (header, (), jpeg.getvalue()),
        "picture": (digitrec.DigitImage.open, (DigitrecError,), jpeg.getvalue()),
        "labels": (in_file(labels.read), (DigitrecError,), b"file,label\na.png,7\n"),
        "npz": (in_file(arrayfiles.read_npz), (DigitrecError,), arrays.getvalue()),
        "recording": (lambda data: Entry.parse(data.decode("latin-1")), (ValueError,), b"{}"),
        "google": (lambda data: google.parse(_json(data)), (DigitrecError,), json.dumps(said).encode()),
    }
    return parsers[name]


def _json(data: bytes) -> object:
    """A document as it comes off the wire; what is no JSON is refused there."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def fuzz(name: str, seconds: str) -> None:
    """Try one parser for so long, in this process."""
    import atheris

    place = Path(tempfile.mkdtemp())
    with atheris.instrument_imports(include=["digitrec"]):
        parse, promised, example = target(name, place)
    corpus = place / "corpus"
    corpus.mkdir()
    (corpus / "example").write_bytes(example)

    def once(data: bytes) -> None:
        with contextlib.suppress(*promised):
            parse(data)

    how = [f"-max_total_time={seconds}", "-print_final_stats=1", "-timeout=10", "-max_len=4096"]
    atheris.Setup([name, str(corpus), *how, f"-artifact_prefix={place}/"], once)
    atheris.Fuzz()


def main(seconds: str) -> int:
    """Try all, and say what came of each."""
    failed = False
    for name in PARSERS:
        program = [sys.executable, "-W", "ignore", __file__, "--one", name, seconds]
        done = subprocess.run(program, capture_output=True, text=True, errors="replace", check=False)
        tried = re.search(rf"{FOUND}: (\d+)", done.stderr)
        reached = re.findall(r" cov: (\d+)", done.stderr) or ["?"]
        print(f"{name}: {int(tried[1]) if tried else 0:,} inputs, {reached[-1]} branches", flush=True)
        if done.returncode:
            failed = True
            print(done.stdout[-1500:], done.stderr[-1500:], sep="\n")
    return int(failed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        fuzz(sys.argv[2], sys.argv[3])
    else:
        sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "30"))
