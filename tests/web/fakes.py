"""Scripted engines and a server in front of them, without a network."""

import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import httpx
from comparison.engines import Emulated
from fastapi.testclient import TestClient
from pictures import encoded
from PIL import Image, ImageDraw

from digitrec.answer import Answer, Candidate
from digitrec.emulator.kit import FakeProvider, Line
from digitrec.engine import Engine, Options
from digitrec.image import InputSpec
from digitrec.providers.base import Price
from digitrec.recognise import Reader, calibration
from digitrec.recognise.calibration import Calibration, Key
from digitrec.web.server import create_app, server
from digitrec.web.settings import Settings

SURE = 0.91
SEVEN = Answer((Candidate("7", SURE),), tuple(SURE if digit == 7 else 0.01 for digit in range(10)))
UNLIMITED = Settings(rate=1e6, burst=1_000_000)
GATED = InputSpec(encoding="mnist", preparation="mnist", gated=True)


def local(*script: Line) -> Engine:
    """Return a network on this machine that reads a 7 unless scripted otherwise."""
    provider = FakeProvider(script or (SEVEN,), wants=GATED, name="local")
    provider.batch = 256  # pictures as for our own network
    return Engine(provider)


def paid(*script: Line, max_cost: float = 1.0, usd: float = 0.01) -> Engine:
    """Return a cloud that costs ``usd`` a picture."""
    price = Price(usd, "made up")
    provider = FakeProvider(script or ("7",), price=price, endpoint="https://cloud.example", name="cloud")
    return Engine(provider, Options(max_cost=max_cost, ledger="none", attempts=1))


def held_up(engine: Engine) -> tuple[Engine, threading.Event, threading.Semaphore]:
    """Return the engine, an event that blocks it while cleared, and the count of its pictures."""
    go, entered = threading.Event(), threading.Semaphore(0)
    go.set()

    def read(image: object, *, timeout: float) -> Answer:
        entered.release()
        go.wait(20)
        return SEVEN

    engine.provider.read = read  # type: ignore[method-assign, assignment]
    return engine, go, entered


def emulated(name: str, line: Line) -> Engine:
    """Return an engine with an emulator behind it."""
    return Emulated(FakeProvider([line], name=name))


def calibrated(chance: float) -> None:
    """Calibrate every answer of `local` to this chance from now on."""
    calibration.save(Calibration(Key("local", "mnist", None, emulated=False), (0.0, 1.0), (chance, chance),
                                 "isotonic", 50, 25, 0.2, 0.1, "data", "00", "now", "0"))  # fmt: skip


@contextmanager
def serving(*engines: Reader, settings: Settings = Settings()) -> Iterator[TestClient]:
    """Return a client of a server with these engines; an error in the server is a response."""
    app = create_app(engines or [local()], settings)
    with TestClient(app, raise_server_exceptions=False, client=("127.0.0.1", 50_000)) as client:
        yield client


@contextmanager
def listening(*engines: Reader, settings: Settings = Settings()) -> Iterator[str]:
    """Start a real server on this machine; yield its address."""
    made = server(engines or [local()], settings)
    thread = threading.Thread(target=made.run)
    thread.start()
    while not made.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{made.servers[0].sockets[0].getsockname()[1]}"
    finally:
        made.should_exit = True
        thread.join(30)


def connect(url: str) -> socket.socket:
    """Return a connection to a server."""
    address = urlsplit(url)
    return socket.create_connection((address.hostname, address.port), timeout=30)


def everything(connection: socket.socket) -> bytes:
    """Return what arrives until the server closes."""
    received = b""
    with suppress(ConnectionResetError):
        while piece := connection.recv(65536):
            received += piece
    return received


def until_at_work(url: str, count: int) -> None:
    """Wait until this many requests are at the server, with complete or partial bodies."""
    figure = re.compile(r"^digitrec_http_requests_in_flight (\S+)$", re.MULTILINE)
    while True:
        found = figure.search(httpx.get(f"{url}/metrics", timeout=60).text)
        assert found
        if float(found[1]) >= count + 1:  # this one is counted, too
            return
        time.sleep(0.05)


def png(size: tuple[int, int] = (64, 64), *, blank: bool = False) -> bytes:
    """Return a 7 in black on white, as an encoded picture."""
    picture = Image.new("L", size, 255)
    if not blank:
        line = [(x * size[0], y * size[1]) for x, y in [(0.3, 0.2), (0.7, 0.2), (0.45, 0.85)]]
        ImageDraw.Draw(picture).line(line, fill=0, width=max(2, size[0] // 14))
    return encoded(picture, "PNG")


@contextmanager
def started(*options: str, **environment: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Start ``digitrec serve`` as a user does; yield its address and process."""
    command = [sys.executable, "-m", "digitrec", "serve", "--port", "0", "--rate", "100000"]
    command += ["--log-level", "error", *options]  # else the log fills its pipe
    env = os.environ | environment
    process = subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True, errors="replace")
    try:
        url = _address(process)
        assert httpx.get(f"{url}/health", timeout=60).status_code == 200
        yield url, process
    finally:
        process.terminate()
        process.communicate(timeout=60)


def _address(process: subprocess.Popen[str]) -> str:
    """Return the address that the server printed; it already listens there."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"digitrec is at (http://\S+) ", line):
            return found[1]
    raise AssertionError("digitrec serve ended by itself")
