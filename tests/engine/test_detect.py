import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from digitrec.emulator import Emulator, is_emulator


@pytest.fixture(scope="module")
def emulator():
    with Emulator(engine=lambda picture: [], faults=["hang"]) as emulator:
        yield emulator


def test_an_emulator_says_so(emulator):
    for endpoint in emulator.endpoints.values():
        assert is_emulator(endpoint)
        assert is_emulator(endpoint + "/")
        assert is_emulator(endpoint.replace("127.0.0.1", "localhost"))
        assert is_emulator(endpoint.removeprefix("http://"))
    assert {emulator.calls(name) for name in emulator.endpoints} == {0}


def test_only_addresses_of_this_machine_are_asked(emulator):
    endpoint = emulator.endpoints["google"]
    assert not is_emulator(endpoint.replace("127.0.0.1", "0.0.0.0"))  # also leads there on some systems
    assert not is_emulator(endpoint.replace("http:", "https:"))


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"emulator": "other"}', b"<html>", b""])
def test_another_server_does_not(body):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.handle_request).start()
        assert not is_emulator(f"http://127.0.0.1:{server.server_address[1]}")


@pytest.mark.parametrize(
    "endpoint",
    [None, "", "http://127.0.0.1:1", "http://127.0.0.1:port", "https://127.0.0.1", "https://vision.googleapis.com",
     "http://192.0.2.1:9", "http://localhost.example.org", "nonsense"],
)  # fmt: skip
def test_nobody_there_or_nobody_of_this_machine(endpoint):
    assert not is_emulator(endpoint, timeout=0.1)
