"""`digitrec train --folds`, on a few digits."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from digitrec.cli import main

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras 3.15


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def train(*options: str) -> Result:
    return CliRunner().invoke(main, ["train", "--data", "mnist-test", *options])


def test_every_digit_is_tested_once_by_what_learned_the_others() -> None:
    done = train("--arch", "knn", "--limit", "100", "--folds", "3")
    assert done.exit_code == 0, done.output
    counts = [int(count) for count in re.findall(r"fold \d: [\d.]+% of (\d+)", done.stdout)]
    assert sum(counts) == 100 and max(counts) - min(counts) <= 1
    mean, every = re.findall(r"(?:mean: |each tested once, )([\d.]+)%", done.stdout)
    assert 40 < float(every) < 99 and abs(float(mean) - float(every)) < 1
    assert not list(Path().iterdir())  # no model is kept


@pytest.mark.parametrize(("options", "says"), [
    (["--folds", "3"], "--folds: for an architecture"),
    (["--arch", "mlp", "--folds", "2", "--test", "mnist-test"], "--test"),
    (["--arch", "mlp", "--folds", "1"], "2<=x<=20"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(options: list[str], says: str) -> None:
    done = train(*options)
    assert done.exit_code == 2 and says in done.stderr
