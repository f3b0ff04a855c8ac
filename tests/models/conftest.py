"""One tiny network, trained once for all the tests that need one."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitrec.models.data import mnist_test
from digitrec.models.run import Progress, TrainConfig, TrainResult
from digitrec.models.train import train

KERAS_WARNS = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
"""Keras 3.15 under NumPy 2.4, in every look at a variable; nothing that we could do otherwise."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings(KERAS_WARNS))


@pytest.fixture(scope="session")
def told() -> list[Progress]:
    """What the run that made `trained` told on its way."""
    return []


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, told: list[Progress]) -> TrainResult:
    config = TrainConfig(
        name="tiny", widths=(4, 8), networks=1, epochs=2, finishing=0, batch=16, validation=0.2, made=0
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tiny")
    return train(config, folder, digits=mnist_test()[:120], on_progress=told.append)
