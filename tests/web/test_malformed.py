"""Thousands of damaged, lying or exploding uploads: no 5xx, no memory growth, still alive."""

import gzip
import json
import random
import struct
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from pictures import encoded, png_that_says, zipped
from PIL import Image

from digitrec.web.inference import THREADS

from .fakes import png, started

ROUNDS = 8
GROWTH = 48_000_000
"""Allowed growth, in bytes. A picture of the maximum size takes more than this while it is decoded, and
without our settings glibc would keep more than this in each thread's heap."""
MOST = 256_000_000 + THREADS * 64_000_000
"""Bytes above an idle server's memory for reading digits; docs/api.md promises more, for numbers."""


NOISE = Image.effect_noise((60, 50), 90).convert("RGB")
WHOLE = [encoded(NOISE, form) for form in ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "PPM")] + [png()]


ARCHIVE = zipped({"7.png": WHOLE[0]})
BOMBS = [
    png_that_says(60_000, 60_000, b""), png_that_says(2**31 - 1, 1, b""), png_that_says(0, 0, b""),
    png_that_says(10, 10, b"\0" * 20_000_000), png_that_says(3900, 3900, b"\0" * (3900 * 3901 * 3)),
    b"P6\n50000 50000\n255\n", b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\0\0\0;",
    gzip.compress(b"\0" * 5_000_000),
]  # fmt: skip
STRANGERS = [
    b"", b"\0", b"7", "sieben \U0001f600".encode(), b"<svg xmlns='http://www.w3.org/2000/svg'/>", ARCHIVE,
    b"%PDF-1.7\n1 0 obj\n", b"\x7fELF" + bytes(100), b"<!doctype html><script>alert(1)</script>",
    b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", bytes(range(256)) * 40,
]  # fmt: skip
POLYGLOTS = [WHOLE[0] + ARCHIVE, WHOLE[2] + b"<script>", b"\xff\xd8\xff" + WHOLE[0], ARCHIVE + WHOLE[1]]
JSONS = [
    b"", b"{", b"null", b"[]", b"7", b'{"image": 7}', b'{"image": null}', b'{"images": []}',
    b'{"image": "data:image/png;base64,"}', b'{"image": "data:,7"}', b'{"image": "***"}', b'{"images": [""]}',
    b'{"image": "\\ud800"}',
    b"\xff\xfe{}", b"[" * 100_000, b'{"image":' * 20_000, b'{"image": "' + b"A" * 9_000_000,
    json.dumps({"images": ["QUJD"] * 1000}).encode(), b'{"image": "QUJD", "more": 1}', b"9" * 100_000,
]  # fmt: skip
PART = b"--a\r\nContent-Disposition: form-data"
FORMS = [
    ("multipart/form-data", b"x"), ("multipart/form-data; boundary=", b"--\r\n"),
    ("multipart/form-data; boundary=a", b""), ("multipart/form-data; boundary=a", b"--a\r\n"),
    ("multipart/form-data; boundary=a", PART + b"\r\n\r\nx\r\n--a--"),
    ("multipart/form-data; boundary=a", PART + b'; name="file"\r\n\r\nx\r\n--a--'),
    ("multipart/form-data; boundary=a", b"--a\r\n" + b"X: y\r\n" * 50_000 + b"\r\n\r\n--a--"),
    ("multipart/form-data; boundary=" + "a" * 5000, b"--a\r\n"),
    ("multipart/form-data; boundary=a; charset=nonsense", b"--a\r\nContent-Disposition: \xff\r\n\r\n--a--"),
    ("multipart/form-data; boundary=a", PART + b'; name="file"; filename="../../x"\r\n\r\n' + bytes(10**6)),
]  # fmt: skip


def damaged(chance: random.Random) -> bytes:
    """Cut off a good picture, change bytes, or take a piece out."""
    data = bytearray(chance.choice(WHOLE))
    what = chance.randrange(3)
    if what == 0:
        return bytes(data[: chance.randrange(len(data))])
    if what == 1:
        for _ in range(chance.randint(1, 20)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        return bytes(data)
    start = chance.randrange(len(data))
    del data[start : start + chance.randint(1, 40)]
    return bytes(data)


def requests(chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """One round: a few of everything, as content type and body."""
    for _ in range(40):
        yield "image/png", damaged(chance)
    for body in chance.sample(BOMBS, 2) + chance.sample(STRANGERS, 3) + chance.sample(POLYGLOTS, 1):
        yield chance.choice(["image/png", "application/octet-stream", "text/plain", ""]), body
    for body in chance.sample(JSONS, 3):
        yield "application/json", body
    yield from chance.sample(FORMS, 2)


def flat(form: str, mode: str, side: int, **options: object) -> bytes:
    """Small files with many pixels."""
    return encoded(Image.new(mode, (side, side)), form, **options)


def huge() -> list[bytes]:
    """Return the picture of each format that needs most memory: 400 MB if every step copied all of it."""
    return [
        flat("PNG", "RGBA", 4000), flat("TIFF", "F", 4000, compression="tiff_adobe_deflate"),
        flat("JPEG", "CMYK", 4000, progressive=True, subsampling=0),
        flat("WEBP", "RGB", 3600, quality=1, method=0), flat("PNG", "RGB", 7000),
    ]  # fmt: skip


def memory(pid: int, what: str = "VmRSS") -> int:
    """Return the memory that a process holds, or its maximum so far (VmHWM), in bytes."""
    return 1024 * int(Path(f"/proc/{pid}/status").read_text().partition(f"{what}:")[2].split()[0])


@pytest.mark.skipif(sys.platform != "linux", reason="tells memory from /proc, which only Linux has")
def test_nothing_that_is_sent_brings_it_down() -> None:
    chance = random.Random(7)
    with started() as (url, process), httpx.Client(base_url=url, timeout=60) as client:
        held = []
        for _ in range(ROUNDS):
            for kind, body in requests(chance):
                answer = client.post("/predict", content=body, headers={"content-type": kind} if kind else {})
                # A busy machine may be too late.
                assert answer.status_code < 500 or answer.status_code == 504, (kind, body[:200], answer.text)
                if answer.status_code != 200:
                    assert answer.headers["content-type"] == "application/problem+json"
            held.append(memory(process.pid))
        assert client.post("/predict", content=png()).json()["prediction"] == 7
        settled = ROUNDS // 2  # by then every network has been loaded
        assert max(held[settled:]) - max(held[:settled]) < GROWTH, held


@pytest.mark.skipif(sys.platform != "linux", reason="tells memory from /proc, which only Linux has")
def test_huge_pictures_of_every_format_at_once_stay_within_the_bound() -> None:
    middling = flat("WEBP", "RGB", 1400, quality=1, method=0)
    with started() as (url, process), httpx.Client(base_url=url, timeout=120) as client:
        for picture in (png(), png((280, 280))):
            assert client.post("/predict", content=picture).status_code == 200
        idle = memory(process.pid)

        def post(picture: bytes) -> int:
            return httpx.post(f"{url}/predict", files=[("file", picture)] * 2, timeout=120).status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = {*pool.map(post, [*huge(), middling, middling])}
        assert statuses <= {200, 504}  # too late, on a busy machine
        assert memory(process.pid, "VmHWM") - idle < MOST
