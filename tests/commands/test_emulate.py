"""The command's help; tests/emulator tests the server."""

from terminal import run

from digitrec.commands.engines import Asking


def test_an_invalid_fault_is_a_usage_error():
    assert "429:first=0" in run("emulate", "google", "--fault", "429:first=0", code=2).output


def test_a_port_that_does_not_exist_has_the_exit_code_of_ports():
    assert "port 65536" in run("emulate", "google", "aws", "--port", "65535", code=18).output


def test_only_the_emulated_engines_keep_no_answers():
    with Asking(emulate=True).engines(["google", "local"]) as (cloud, own):
        assert (cloud.options.ledger, own.options.ledger) == ("none", "default")
