import subprocess
import sys

import ctrl_c
import pytest
import requests

from digitrec.emulator import VENDORS, Emulator, environment, is_emulator
from digitrec.errors import CannotListen, UnknownProvider
from digitrec.providers import registry

from .clients import TIMEOUT, reads


def status(endpoint: str) -> int:
    return requests.get(endpoint, timeout=TIMEOUT).status_code


def test_each_vendor_has_a_port_of_its_own(digitrec_emulator):
    emulator = digitrec_emulator(engine=reads())
    assert list(emulator.endpoints) == list(VENDORS)
    assert len(set(emulator.endpoints.values())) == len(VENDORS)
    for name, endpoint in emulator.endpoints.items():
        assert not registry.provider_class(name).status(environment(name, endpoint)).missing


def test_ports_follow_the_first(digitrec_emulator):
    # These ports are below those that systems give out; another program may hold one.
    for port in range(21_100, 21_200, 10):
        try:
            emulator = digitrec_emulator(["aws", "google"], engine=reads(), port=port)
        except CannotListen:
            continue
        ports = {"aws": port, "google": port + 1}
        assert emulator.endpoints == {name: f"http://127.0.0.1:{at}" for name, at in ports.items()}
        return
    pytest.fail("not two ports in a row were free in ten places")


@pytest.mark.parametrize("port", ["taken", 70_000])
def test_a_port_that_cannot_be_had_is_named(digitrec_emulator, port):
    if port == "taken":
        port = int(digitrec_emulator(["google"], engine=reads()).endpoints["google"].rpartition(":")[2])
    with pytest.raises(CannotListen, match=f"port {port} of"):
        Emulator(["aws"], engine=reads(), port=port)


@pytest.mark.parametrize("vendors", [["gogle"], []])
def test_an_unknown_vendor(vendors):
    with pytest.raises(UnknownProvider, match="google, aws, aws-textract, azure"):
        Emulator(vendors, engine=reads())


def test_a_fault_meets_every_vendor_to_which_it_applies(digitrec_emulator):
    faults = ["endless-poll:first=1", "503:first=1", "500"]
    emulator = digitrec_emulator(["google", "azure"], engine=reads(), faults=faults)
    assert [status(emulator.endpoints["google"]) for _ in range(2)] == [503, 500]
    assert [status(emulator.endpoints["azure"]) for _ in range(2)] == [200, 503]


def test_an_unknown_fault_is_named():
    with pytest.raises(ValueError, match="418"):
        Emulator(["google"], engine=reads(), faults=["418"])


def test_faults_can_be_changed_and_taken_away(digitrec_emulator):
    emulator = digitrec_emulator(["google"], engine=reads(), faults=["500"])
    emulator.start()  # it was started before
    emulator.set_faults("google", "503:first=1", "429:first=1")
    assert [status(emulator.endpoints["google"]) for _ in range(3)] == [503, 429, 404]
    with pytest.raises(ValueError):
        emulator.set_faults("google", "endless-poll")


@pytest.mark.skipif(sys.platform == "win32", reason="a Ctrl-C cannot be sent to one process on Windows")
def test_serving_until_ctrl_c():
    code = "import sys; from digitrec.emulator import serve; serve(['azure', 'azure-analysis', 'aws'], "
    code += "engine=lambda picture: [], say=lambda line: print(line, flush=True))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = [process.stdout.readline().strip() for _ in range(12)]
        endpoint = said[0].removeprefix("azure: ")
        seen = is_emulator(endpoint)
        rest = ctrl_c.ended(process)
    assert seen
    assert [line.partition("=")[0].removeprefix("export ") for line in said[5:]] == [
        "NO_PROXY", "VISION_ENDPOINT", "VISION_KEY", "AWS_ENDPOINT_URL_REKOGNITION", "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION",
    ]  # fmt: skip
    assert said[6] == f"export VISION_ENDPOINT={endpoint}"
    assert rest == "stopped\n"
    assert process.returncode == 0
