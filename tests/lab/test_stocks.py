"""The training loop of the finder and the number reader."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from digitrec.lab import stocks
from digitrec.lab.reading.train import network


def run(folder: Path, steps: int) -> stocks.Run:
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    return stocks.Run(folder, net, steps, rate=0.1, last=0.1, warmup=1, decay=0.0, clip=1.0, momentum=0.9)


def batches() -> Iterator[tuple[Any, Any]]:
    """Yield the same numbers and their doubles without end."""
    numbers = np.array([[1.0], [2.0]], np.float32)
    while True:
        yield numbers, 2 * numbers


def losses(answers: Any, truth: Any) -> dict[str, Any]:
    return {"squared": keras.ops.mean((answers - truth) ** 2)}


def test_a_run_resumes_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog) -> None:
    monkeypatch.setattr(stocks, "EVERY", 10)
    caplog.set_level("INFO")
    first = run(tmp_path, 10)
    first.learn(batches(), losses, [next(batches())])
    again = run(tmp_path, 40)
    assert (first.done, again.done) == (10, 10)
    again.learn(batches(), losses, [next(batches())])
    told = [record.getMessage() for record in caplog.records if record.name == stocks.__name__]
    assert [int(line.partition(":")[0]) for line in told] == [10, 20, 30, 40]
    assert all("held squared" in line for line in told)
    assert abs(float(again.net.get_weights()[0].item()) - 2) < 1


def test_the_mean_of_trainings_is_that_of_their_averaged_weights(tmp_path: Path) -> None:
    long, short = run(tmp_path / "long", 20), run(tmp_path / "short", 2)
    for one in (long, short):
        one.learn(batches(), losses, [])
    slopes = [one.weights[0].item() for one in (long, short)]
    assert slopes[0] > slopes[1] + 0.1
    assert stocks.mean([long, short])[0].item() == pytest.approx(sum(slopes) / 2)


def test_an_error_while_the_weights_are_averaged_leaves_the_networks_own(tmp_path: Path) -> None:
    one = run(tmp_path, 5)
    one.learn(batches(), losses, [])
    own = one.net.get_weights()[0].item()
    with pytest.raises(KeyError), stocks.averaged(one.net, one.optimizer):
        assert one.net.get_weights()[0].item() != own
        raise KeyError
    assert one.net.get_weights()[0].item() == own


def test_a_network_with_its_own_precision_leaves_that_of_others() -> None:
    answers = network((2, 2, 2, 2, 2), policy="mixed_bfloat16")(np.zeros((1, 32, 64, 1), np.float32))
    assert answers.dtype == "float32" and answers.shape == (1, 16, 15)
    assert keras.config.dtype_policy().name == "float32"


def test_stocks_are_filled_once_and_read_in_pairs(tmp_path: Path) -> None:
    made: list[int] = []

    def make(number: int) -> stocks.Stock:
        made.append(number)
        return {"numbers": np.full(3, number)}

    stocks.fill(tmp_path, 2, make)
    stocks.fill(tmp_path, 3, make)
    assert made == [0, 1, 2, 3]
    assert stocks.held(tmp_path, 2)["numbers"].tolist() == [0, 0]
    pair = next(stocks.pairs(tmp_path, np.random.default_rng(0)))["numbers"]
    assert len(pair) == 6 and 0 not in pair
