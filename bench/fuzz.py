"""Damaged pictures of every format: each is read, refused or called damaged, within memory and time.

    python bench/fuzz.py [PICTURES]      # by default 100,000; a tenth of those that open goes to the network

A process of its own takes the pictures, 500 at a time, with at most `MEMORY_MB` more of address space than it
had before the first. Where one dies, or takes longer than `HANGS_S` over a picture, that one is named by
format and seed. Exits 1 when there was one, or when anything but an ImageError was raised.
"""

from __future__ import annotations

import io
import json
import random
import resource
import signal
import subprocess
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

from PIL import Image, ImageDraw

MEMORY_MB = 1024
"""Room for the largest picture that is accepted (64 million pixels), its copy, and a decoder's own."""
HANGS_S = 20
ROUND = 500
FORMS: dict[str, dict[str, object]] = {
    "PNG": {}, "JPEG": {"quality": 80}, "JPEG progressive": {"progressive": True}, "GIF": {"save_all": True},
    "BMP": {}, "DIB": {}, "PPM": {}, "TIFF": {}, "TIFF lzw": {"compression": "tiff_lzw"},
    "TIFF deflate": {"compression": "tiff_adobe_deflate"}, "TIFF jpeg": {"compression": "jpeg"},
    "WEBP": {}, "WEBP lossless": {"lossless": True}, "MPO": {"save_all": True}, "AVIF": {}, "HEIF": {},
    "PDF": {},
}  # fmt: skip
TELLING = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Numbers at which lengths and sizes go wrong."""


def good(form: str) -> bytes:
    """A seven in this format, two of them where it holds several."""
    picture = Image.new("RGB", (64, 72), "white")
    ImageDraw.Draw(picture).line([(16, 14), (48, 14), (26, 60)], fill="black", width=6)
    how = dict(FORMS[form])
    if how.get("save_all"):
        how["append_images"] = [picture.rotate(180)]
    kept = io.BytesIO()
    picture.save(kept, form.partition(" ")[0], **how)
    return kept.getvalue()


def damaged(data: bytes, chance: random.Random) -> bytes:
    """The same with one to eight faults: bits, bytes, numbers, pieces lost, doubled or overwritten, a cut."""
    bad = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        if not bad:
            break
        # half of the faults are in the first bytes, where a format says what follows
        place = chance.randrange(min(len(bad), 128) if chance.random() < 0.5 else len(bad))
        end = place + chance.randint(1, 64)
        match chance.randrange(7):
            case 0:
                bad[place] ^= 1 << chance.randrange(8)
            case 1:
                bad[place] = chance.randrange(256)
            case 2:
                number = chance.choice(TELLING).to_bytes(4, chance.choice(("big", "little")))
                size = chance.choice((2, 4))
                bad[place : place + size] = number[:size]
            case 3:
                del bad[place:end]
            case 4:
                bad[place:place] = bad[place:end]
            case 5:
                bad[place:end] = chance.randbytes(end - place)
            case _:
                del bad[place:]
    return bytes(bad)


def some(first: int, count: int, last: Path) -> None:
    """Take pictures from ``first`` on, print as JSON what came of them; ``last`` names the one begun."""
    import digitrec
    from digitrec.errors import ImageError

    warnings.simplefilter("ignore")
    forms = {form: good(form) for form in FORMS if form != "HEIF"} | {"HEIF": _heif()}
    digitrec.predict(forms["PNG"])
    before = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = before + MEMORY_MB * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    ends: Counter[str] = Counter()
    strange, slowest = [], 0.0
    for number in range(first, first + count):
        form = list(forms)[number % len(forms)]
        last.write_text(f"{form}, seed {number}")
        data = damaged(forms[form], random.Random(number))
        signal.alarm(HANGS_S)
        start = time.process_time()
        try:
            picture = digitrec.DigitImage.open(data)
            read = digitrec.predict(picture) if number % 10 == 0 else None
            ends["read by the network" if read else "opened"] += 1
        except ImageError:
            ends["refused as damaged"] += 1
        except BaseException as error:  # what it may be is what is asked here
            strange.append(f"{form}, seed {number}: {error!r}")
        signal.alarm(0)
        slowest = max(slowest, time.process_time() - start)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"ends": ends, "strange": strange, "slowest": slowest, "peak_mb": peak}))


def _heif() -> bytes:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    return good("HEIF")


def main(pictures: int) -> int:
    """Let processes take them, and say what came of it."""
    last = Path(f"/tmp/digitrec-fuzz-{time.time_ns()}")
    ends: Counter[str] = Counter()
    strange: list[str] = []
    slowest = peak = 0.0
    number = 0
    while number < pictures:
        count = min(ROUND, pictures - number)
        command = [sys.executable, __file__, "--some", str(number), str(count), str(last)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            begun = last.read_text() if last.exists() else "?, seed 0"
            strange.append(f"{begun}: ended by {done.returncode}: {done.stderr[-200:]}")
            number = max(int(begun.split()[-1]), number) + 1
            continue
        said = json.loads(done.stdout)
        ends.update(said["ends"])
        strange += said["strange"]
        slowest, peak = max(slowest, said["slowest"]), max(peak, said["peak_mb"])
        number += count
    last.unlink(missing_ok=True)
    print(f"{pictures:,} damaged pictures in {len(FORMS)} forms: {dict(ends)}")
    print(f"slowest {slowest:.2f} s of processor time, largest process {peak:.0f} MB")
    print("\n".join(strange) or "nothing but ImageError was raised, no process died, none hung")
    return int(bool(strange))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--some"]:
        some(int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
