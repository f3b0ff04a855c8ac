"""`digitrec train --folds` and `--tensorboard`, on a few digits."""

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


def test_tensorboard_reads_every_epoch() -> None:
    import tensorflow as tf

    few = ["--arch", "mlp", "--limit", "100", "--epochs", "2", "--limit-test", "50"]
    done = train(*few, "--tensorboard", "tb", "--out", "mlp.keras")
    assert done.exit_code == 0, done.output
    for part in ("train", "validation"):
        (file,) = Path("tb", part).iterdir()
        events = [tf.compat.v1.Event.FromString(one.numpy()) for one in tf.data.TFRecordDataset(str(file))]
        seen = [(event.step, value.tag) for event in events for value in event.summary.value]
        assert seen == [(step, f"epoch_{name}") for step in (1, 2) for name in ("loss", "accuracy")]
        values = [value for event in events for value in event.summary.value]
        assert {value.metadata.plugin_data.plugin_name for value in values} == {"scalars"}


@pytest.mark.parametrize(("options", "says"), [
    (["--folds", "3"], "--folds: for an architecture"),
    (["--arch", "mlp", "--folds", "2", "--test", "mnist-test"], "--test"),
    (["--arch", "mlp", "--folds", "1"], "2<=x<=20"),
    (["--arch", "knn", "--tensorboard", "tb"], "are for networks"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(options: list[str], says: str) -> None:
    done = train(*options)
    assert done.exit_code == 2 and says in done.stderr
