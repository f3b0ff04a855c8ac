"""Of the pages on the server."""

from __future__ import annotations

import math
import os

from digitrec.web import collecting, looking, scheduling, server
from digitrec.web.inference import REFUSED
from digitrec.web.problems import RETRY_SOON_S
from digitrec.web.settings import Settings

LIMITS = Settings()
MB = 1_000_000
OVER, EACH, IDLE = 256, 64, 90
"""Megabytes over what an idle server holds, for each thread, and idle: `tests/web/test_malformed.py` holds the
first two, `bench/serve.py` measured the third."""
MOST_THREADS = 4
THREADS = f"(one a core, at most {MOST_THREADS})"
SMALL, MIDDLING = (int(pixels) for pixels, _ in scheduling.LANES[:2])
assert min(MOST_THREADS, os.cpu_count() or 1) == scheduling.THREADS


def enough(threads: int) -> int:
    """Megabytes for so many threads, as machines have them."""
    return math.ceil((IDLE + OVER + threads * EACH) / 128) * 128


CLAIMS = {
    "docs/api.md": [
        "`digitrec serve` listens on http://127.0.0.1:5000.",
        f"{' and '.join(REFUSED)} are refused here (422)",
        f"It asks the network {28 * 28 + 1} times",
        f"so {'one' if looking.EXPLAINED == 1 else looking.EXPLAINED} explanation is made at a time",
        f"a PNG of at most {looking.THUMBNAIL} pixels a side",
        f"(at most {looking.THUMBNAIL} a side, no metadata)",
        f"{collecting.MAX_PICTURES:,} pictures are kept at most; then 507.",
        f"its body fell silent for {LIMITS.upload_grace_s:g} s, or came too slowly",
        f"| one request | {LIMITS.max_body_bytes / MB:g} MB, counted while it arrives, "
        f"{LIMITS.upload_bytes_per_s / 1000:g} kB a second at least after the first {LIMITS.upload_grace_s:g} s, "
        f"never silent for {LIMITS.upload_grace_s:g} s; {LIMITS.max_pictures} pictures; "
        f"each may take {LIMITS.max_decoding_bytes / MB:g} MB to decode, its own bytes among them, told by its header",
        f"; {LIMITS.seconds:g} s from its head to its answer |",
        f"| one client | {LIMITS.rate:g} questions a second (`--rate`), twice that saved up; "
        f"{LIMITS.max_client_bytes / MB:g} MB of bodies in memory; {LIMITS.max_client_uploads} bodies on their way",
        f"| wrong keys | {LIMITS.wrong_keys} from one address at a stretch, then one in "
        f"{1 / LIMITS.wrong_keys_per_s:g} s",
        f"| memory | {OVER} MB over what the idle server holds, and {EACH} MB for each thread {THREADS}",
        f"| the server | {LIMITS.max_requests} requests inside, {LIMITS.max_buffered_bytes / MB:g} MB of bodies in "
        f"memory: whoever comes then gets 503 at once; a request is inside once its body is there; "
        f"{server.MAX_CONNECTIONS} connections",
        f"Pictures above {SMALL:,} pixels, and above {MIDDLING // MB} million, have threads of their own",
    ],
    "docs/deploying.md": [
        f"{collecting.MAX_PICTURES:,} of at most {looking.THUMBNAIL}x{looking.THUMBNAIL} pixels",
        f"Idle it holds some {IDLE} MB. Whatever is sent, it takes no more than {OVER} MB besides, and {EACH} MB for "
        f"each of its threads {THREADS}: {enough(2)} MB are enough for two cores, {enough(4)} MB for four.",
        f"answers those it has, then ends ({math.ceil(LIMITS.seconds) + 1} s at the longest)",
        f"Concurrency {LIMITS.max_requests} is how many requests the server takes inside at once.",
        f"--concurrency {LIMITS.max_requests} ",
        "It runs as a user without rights (10001)",
    ],
    "docs/page.md": ["from 320x568 to a desk, on its side, and at 200 %"],
}
assert LIMITS.burst == 2 * LIMITS.rate
assert RETRY_SOON_S >= 1
