"""digitrec recommend: the cheapest way, and whether it is shown to be good enough."""

from __future__ import annotations

from click.testing import CliRunner, Result

from digitrec.cli import main


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["recommend", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_what_is_shown_is_said_to_be_reached() -> None:
    said = run("mnist-test", "--limit", 200, "--accuracy", 0.8).stdout
    assert said.startswith("local reaches 80%: ")
    assert "on the 100 pictures it was not chosen on, free for 1,000" in said


def test_what_is_not_shown_is_not_claimed_and_how_much_it_takes_is_said() -> None:
    said = run("mnist-test", "--limit", 60, "--accuracy", 0.9).stdout
    assert said.startswith("90% is not shown on this much data; it would take about ")


def test_an_emulated_engine_is_called_so() -> None:
    arguments = ("-p", "local,aws", "--emulate", "--no-ledger", "--limit", 20, "--accuracy", 0.5)
    assert "aws was emulated" in run("samples", *arguments).stdout


def test_too_few_pictures_are_told() -> None:
    assert "too few" in run("mnist-test", "--limit", 5, "--accuracy", 0.9, code=6).stderr


def test_emulated_engines_alone_are_not_recommended() -> None:
    arguments = ("-p", "aws", "--emulate", "--no-ledger", "--limit", 20, "--accuracy", 0.5)
    said = run("samples", *arguments).stdout
    assert said.startswith("Nothing is recommended: every engine was emulated.\n")
    assert "aws reaches" not in said
