import pytest
from raw_server import answer

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
def test_another_server_does_not(body, server, monkeypatch):
    monkeypatch.setattr("raw_server.CONTROL_PATH", "")  # so that it answers this request like any other
    server.say = [answer(200, body)]
    assert not is_emulator(server.url)
    assert len(server.arrived) == 1


@pytest.mark.parametrize("endpoint", [
    None, "", "http://127.0.0.1:1", "http://127.0.0.1:port", "https://127.0.0.1", "nonsense",
    "https://vision.googleapis.com", "http://192.0.2.1:9", "http://localhost.example.org",
])  # fmt: skip
def test_nobody_there_or_nobody_of_this_machine(endpoint):
    assert not is_emulator(endpoint, timeout=0.1)
