"""Several kinds of models on the same digits."""

from pathlib import Path

import pytest

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.lab.training.compare import compare, ranked
from digitrec.models import store

DIGITS, TEST = mnist_test()[:200], mnist_test()[200:260]


@pytest.mark.usefixtures("eagerly")
def test_each_is_measured_through_a_file_that_predicts(tmp_path: Path) -> None:
    told: list[tuple[str, float]] = []
    found = list(compare(["mlp", "knn"], DIGITS, TEST, tmp_path, epochs=1, batch=60,
                         on_progress=lambda name, at, _: told.append((name, at))))  # fmt: skip
    assert told == [("MLP", pytest.approx(1 / 3)), ("MLP", pytest.approx(2 / 3)), ("MLP", 1.0)]
    assert [one.file.name for one in found] == ["mlp.tflite", "knn.skops"]
    for one in found:
        said = store.load(one.file).probabilities(TEST.images).argmax(axis=1)
        assert (one.accuracy.hits, one.accuracy.n) == ((said == TEST.labels).sum(), 60)
        assert one.size_bytes == one.file.stat().st_size
        assert one.training_s > 0 and one.prediction_s > 0
    hits = [one.accuracy.hits for one in ranked(found)]
    assert hits == sorted((one.accuracy.hits for one in found), reverse=True)


@pytest.mark.parametrize("names", [["knn", "lenet"], ["knn", "knn"]])
def test_names_are_checked_before_the_first_is_trained(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(ModelError):
        next(compare(names, DIGITS, TEST, tmp_path))
    assert not any(tmp_path.iterdir())
