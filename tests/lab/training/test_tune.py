"""The search for settings, on a few digits."""

import json
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna import Study
from optuna.trial import FrozenTrial
from sqlalchemy.exc import OperationalError

from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.errors import ModelError
from digitrec.lab.training.tune import BEST, STUDY, tune
from digitrec.lab.training.zoo import find

pytestmark = pytest.mark.usefixtures("eagerly")
DIGITS = mnist_test()[:60]


@pytest.fixture(scope="module")
def told() -> list[FrozenTrial]:
    return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study") / "50%20 of 100?"


@pytest.fixture(scope="module")
def study(eagerly: None, folder: Path, told: list[FrozenTrial]) -> Study:
    """Run two trials, then resume the study for two more."""
    tune(DIGITS, folder, trials=2, epochs=1, on_trial=told.append)
    return tune(DIGITS, folder, trials=2, epochs=1, seed=2**32 - 1, on_trial=told.append)


def test_a_study_goes_on_where_it_stopped(study: Study, told: list[FrozenTrial]) -> None:
    assert [trial.number for trial in study.trials] == [trial.number for trial in told] == [0, 1, 2, 3]
    assert len({tuple(trial.params.values()) for trial in study.trials}) == 4


def test_a_stopped_study_has_its_best_so_far(tmp_path: Path) -> None:
    def stop(trial: FrozenTrial) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tune(DIGITS, tmp_path, trials=2, epochs=1, on_trial=stop)
    assert find(str(tmp_path / BEST)).build()


def test_the_best_is_written_and_can_be_trained(study: Study, folder: Path) -> None:
    assert study.best_value == max(trial.value or 0 for trial in study.trials)
    assert json.loads((folder / BEST).read_text())["network"]["filters"] == study.best_params["filters"]
    kind = find(str(folder / BEST))
    assert kind.batch == study.best_params["batch"]
    assert kind.build().layers[0].filters == study.best_params["filters"]
    assert sorted(file.name for file in folder.iterdir()) == [BEST, STUDY]


CORRECTED = Digits(DIGITS.images, DIGITS.labels[::-1].copy())


@pytest.mark.parametrize(("digits", "epochs"), [(DIGITS[:59], 1), (CORRECTED, 1), (DIGITS, 2)])
@pytest.mark.usefixtures("study")
def test_a_study_of_other_digits_is_not_mixed(folder: Path, digits: Digits, epochs: int) -> None:
    with pytest.raises(ModelError, match="other digits or --epochs"):
        tune(digits, folder, trials=1, epochs=epochs)


def test_a_changed_file_is_an_error(tmp_path: Path) -> None:
    training = '{"learning_rate": 1, "batch": 8}'
    (tmp_path / BEST).write_text(f'{{"network": {{"filters": 8}}, "training": {training}}}')
    with pytest.raises(ModelError, match=r"best cannot be built .*depth"):
        find(str(tmp_path / BEST)).build()


def test_a_study_of_another_process_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    create, failures = optuna.create_study, [OperationalError("CREATE TABLE studies", None, Exception())] * 4

    def at_once(**options: Any) -> Study:
        if failures:
            raise failures.pop()
        return create(**options)

    monkeypatch.setattr(optuna, "create_study", at_once)
    assert len(tune(DIGITS, tmp_path, trials=1, epochs=1).trials) == 1


def test_another_database_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / STUDY).write_bytes(b"something else entirely, and longer than a header of SQLite")
    with pytest.raises(ModelError, match="another folder"):
        tune(DIGITS, tmp_path, trials=1, epochs=1)
    assert (tmp_path / STUDY).read_bytes().startswith(b"something else")
