"""The command's help; what it serves is tested in tests/emulator."""

from __future__ import annotations

from click.testing import CliRunner

from digitrec.cli import main
from digitrec.emulator.faults import KINDS, OPTIONS


def test_the_help_lists_every_fault_and_option():
    said = CliRunner().invoke(main, ["emulate", "--help"]).output
    listed = said.partition("Errors:")[2].partition("Examples:")[0].split()
    assert {*KINDS, *OPTIONS} <= set(listed)


def test_a_fault_that_is_none_is_a_usage_error():
    done = CliRunner().invoke(main, ["emulate", "google", "--fault", "429:first=0"])
    assert done.exit_code == 2
    assert "429:first=0" in done.output
