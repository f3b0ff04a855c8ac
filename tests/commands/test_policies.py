"""--fallback and --consensus on predict: who may be asked, and what is wrong usage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digitrec.cli import main


def run(*arguments: object, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["predict", *map(str, arguments)])
    assert result.exit_code == code, result.output
    return result


def test_the_next_engine_is_asked_when_the_first_is_unsure(seven: Path) -> None:
    arguments = (seven, "--fallback", "google", "--below", 1, "--emulate", "--no-ledger", "-o", "json")
    (found,) = json.loads(run(*arguments).stdout)
    assert (found["provider"], found["digit"], found["emulated"]) == ("local>google@1", 7, True)
    assert [said["provider"] for said in found["asked"]] == ["local", "google"]


def test_what_a_policy_warns_of_is_told_as_every_message_is(seven: Path) -> None:
    for _ in range(2):  # the second run of one process tells it once as well
        (told,) = run(seven, "--fallback", "google", "--emulate", "--no-ledger").stderr.splitlines()
        assert told.startswith("digitrec: local is not calibrated: ")


def test_what_is_told_is_not_told_again_by_a_root_logger_that_a_library_set_up(
    seven: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert "not calibrated" in run(seven, "--fallback", "google", "--emulate", "--no-ledger").stderr
    assert "not calibrated" not in caplog.text


def test_so_many_must_agree(seven: Path) -> None:
    arguments = (seven, "-p", "google,aws", "--consensus", 2, "--emulate", "--no-ledger", "-o", "json")
    (found,) = json.loads(run(*arguments).stdout)
    assert (found["provider"], found["digit"], found["emulated"]) == ("2 of google+aws", 7, True)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-p", "local,rapidocr"), "digitrec compare"),
        (("--fallback", "rapidocr", "--consensus", 2), "exclude each other"),
        (("--fallback", "local"), "named twice"),
        (("--consensus", 2), "needs that many engines"),
        (("-p", "local,rapidocr", "--consensus", 1), "2 at least"),
    ],
)
def test_wrong_usage(seven: Path, arguments: tuple[object, ...], said: str) -> None:
    assert said in run(seven, *arguments, code=2).stderr
