"""`digitrec.batch` from Python: finds pictures by name, yields `stream`'s outcomes and counts them."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import digitrec
from digitrec import errors
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import FakeProvider

DIGITS = mnist_test()[:40]


@pytest.fixture
def scans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Forty digits by relative names."""
    monkeypatch.chdir(tmp_path)
    Path("scans").mkdir()
    names = [f"scans/{number:02}.png" for number in range(40)]
    for name, image in zip(names, DIGITS.images, strict=True):
        Image.fromarray(image).save(name)
    return names


def test_outcomes_are_those_of_predict_many_and_are_counted(scans: list[str]) -> None:
    import digitrec.commands.batch  # importing the package `batch` must not replace the function

    batch = digitrec.batch([*scans, "missing.png"])
    said = [(outcome.image.source, getattr(outcome, "digit", None)) for outcome in batch]
    expected = digitrec.predict_many([*scans, "missing.png"])
    assert said == [(outcome.image.source, getattr(outcome, "digit", None)) for outcome in expected]
    assert (batch.summary.images, batch.summary.digits) == (41, 40)
    assert batch.summary.failures == {"ImageError": 1}


@pytest.mark.parametrize("name", [Path("scans"), "scans/*.png", "all.tar", "scans/00.png"], ids=str)
def test_a_name_is_what_the_command_takes(scans: list[str], name: str | Path) -> None:
    with tarfile.open("all.tar", "w") as tar:
        tar.add("scans")
    expected = [7] if name == scans[0] else sorted(DIGITS.labels.tolist())
    assert sorted(outcome.digit for outcome in digitrec.batch(name)) == expected


def test_only_what_is_worked_on_is_taken(scans: list[str]) -> None:
    taken = []

    def endless() -> Iterator[str]:
        while True:
            taken.append(1)
            yield scans[0]

    assert next(digitrec.batch(endless())).digit == 7
    assert len(taken) < 1000


@pytest.mark.parametrize("error", [errors.Unreachable, errors.AuthFailed, errors.LedgerError])
def test_what_stops_all_is_raised_after_the_earlier_outcomes(scans: list[str], error: type) -> None:
    batch = digitrec.batch(scans, FakeProvider(["7", error("it stopped")]))
    assert next(batch).digit == 7
    with pytest.raises(error):
        next(batch)


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ({"provider": "guess"}, errors.UnknownProvider),
        ({"at_least": 2}, ValueError),
        ({"rotate": 45}, ValueError),
        ({"images": b"x"}, TypeError),
    ],
)
def test_wrong_arguments_are_refused_by_the_call(arguments: dict[str, Any], kind: type) -> None:
    with pytest.raises(kind):
        digitrec.batch(**{"images": [], **arguments})
