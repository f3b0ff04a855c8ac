"""The schemas of msgspec, which several threads may use first."""

import subprocess
import sys

THREADS = """
import sys, threading
import msgspec
from digitrec.errors.schemas import built

def new():
    class Word(msgspec.Struct):
        text: str
    return msgspec.defstruct("Page", [("words", list[Word])])

def convert(kind, start):
    start.wait()
    msgspec.convert({"words": [{"text": "7"}]}, built(kind))

sys.setswitchinterval(1e-6)
for _ in range(60):
    kind, start = new(), threading.Barrier(8)
    threads = [threading.Thread(target=convert, args=(kind, start)) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


def test_threads_may_use_a_type_for_the_first_time_together() -> None:
    done = subprocess.run([sys.executable, "-c", THREADS], check=False, timeout=60)
    assert done.returncode == 0, "msgspec crashes without `built`"
