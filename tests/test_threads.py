"""First use from many threads, forked and spawned processes, and an event loop does not hang."""

import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image
from programs import python

import digitrec
from digitrec import recognise
from digitrec.emulator.kit import FakeProvider, drawn_seven
from digitrec.providers import registry

PICTURE = Path(__file__).parents[1] / "samples" / "photo-pen.jpg"
HANGS_S = 120


def ran(code: str) -> str:
    """Return the stdout of a fresh process; fail if it hangs."""
    return python("-W", "ignore::DeprecationWarning", "-c", code, PICTURE, timeout=HANGS_S).stdout


@pytest.mark.parametrize("process", range(2))
def test_first_use_from_16_threads_in_a_fresh_process(process: int) -> None:
    code = (
        "import sys, threading, digitrec\nfrom concurrent.futures import ThreadPoolExecutor\n"
        "together = threading.Barrier(16)\n"
        "def first(path): together.wait(); return digitrec.predict(path).digit\n"
        "with ThreadPoolExecutor(16) as pool: print(list(pool.map(first, sys.argv[1:] * 16)))"
    )
    assert ran(code) == f"{[7] * 16}\n"


def test_a_library_leaves_the_processs_stderr_where_it_is() -> None:
    """Output of another thread is not delayed while the network loads."""
    code = (
        "import os, sys, threading\nreadable, writable = os.pipe(); os.dup2(writable, 2)\n"
        "seen, stop = set(), threading.Event()\ndef watch():\n"
        "    while not stop.is_set(): seen.add(os.fstat(2).st_ino)\n"
        "watcher = threading.Thread(target=watch); watcher.start(); import digitrec\n"
        "digitrec.predict(sys.argv[1]); stop.set(); watcher.join(); print(len(seen))"
    )
    assert ran(code) == "1\n"


def test_the_shared_engine_is_made_once_whoever_asks_first(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def slowly(name: str) -> FakeProvider:
        made.append(name)
        time.sleep(0.05)
        return FakeProvider(name=name)

    monkeypatch.setattr(recognise, "open_provider", slowly)
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: digitrec.predict(drawn_seven(), "slow"), range(16)))
    assert {answer.digit for answer in answers} == {7}
    assert made == ["slow"]


def test_a_provider_may_ask_another_while_it_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    def asking_another(name: str) -> FakeProvider:
        if name == "one":
            digitrec.predict(drawn_seven(), "other")
        return FakeProvider(name=name)

    monkeypatch.setattr(recognise, "open_provider", asking_another)
    assert digitrec.predict(drawn_seven(), "one").provider == "one"


def test_a_child_forked_while_another_thread_is_in_the_network_reads_numbers() -> None:
    pytest.importorskip("ai_edge_litert")
    code = (
        "import digitrec, multiprocessing, sys, threading, time\n"
        "from ai_edge_litert.interpreter import Interpreter\n"
        "path, inside, invoke = sys.argv[1], threading.Event(), Interpreter.invoke\n"
        "def slow(network):  # the thread holds the network's lock\n"
        "    if threading.current_thread() is other: inside.set(); time.sleep(100)\n"
        "    invoke(network)\n"
        "Interpreter.invoke = slow\n"
        "other = threading.Thread(target=digitrec.read, args=[path], daemon=True)\n"
        "other.start(); inside.wait()\n"
        "def child(): sys.exit(int(digitrec.read(path).numbers[0].value))\n"
        "forked = multiprocessing.get_context('fork').Process(target=child)\n"
        "forked.start(); forked.join(60)\n"
        "print(forked.exitcode); forked.kill()"
    )
    assert ran(code) == "7\n"


def test_spawned_processes_and_an_event_loop_predict() -> None:
    code = (
        "import asyncio, digitrec, multiprocessing, sys\n"
        "async def several(path):\n"
        "    return await asyncio.gather(*(asyncio.to_thread(digitrec.predict, path) for _ in range(8)))\n"
        "path = sys.argv[1]\nif __name__ == '__main__':\n"
        "    print([answer.digit for answer in asyncio.run(several(path))])\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        print([answer.digit for answer in pool.map(digitrec.predict, [path] * 2)])\n"
    )
    assert ran(code) == f"{[7] * 8}\n{[7] * 2}\n"


def test_reading_pictures_in_threads_leaves_the_warning_filters_alone(tmp_path: Path) -> None:
    path = tmp_path / "7.png"
    Image.fromarray(drawn_seven().pixels).resize((600, 600)).save(path)
    before = list(warnings.filters)
    turns = threading.Barrier(8)

    def one(_: int) -> None:
        turns.wait()
        for _ in range(10):
            digitrec.DigitImage.open(path)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(one, range(8)))
    assert warnings.filters == before


def test_a_shared_engine_that_cannot_be_made_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITREC_GOOGLE_ENDPOINT", "nonsense")
    for _ in range(2):
        with pytest.raises(digitrec.DigitrecError):
            digitrec.predict(drawn_seven(), "google")
    assert "google" in registry.found()
