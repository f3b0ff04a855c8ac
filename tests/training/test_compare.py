"""Several kinds of models on the same digits."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitrec.datasets.mnist import mnist_test
from digitrec.models import store
from digitrec.training.compare import Contestant, compare, markdown, ranked, table

DIGITS, TEST = mnist_test()[:200], mnist_test()[200:260]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> list[Contestant]:
    folder = tmp_path_factory.mktemp("compared")
    return list(compare(["mlp", "knn"], DIGITS, TEST, folder, epochs=1, batch=50))


def test_each_is_measured_through_a_file_that_predicts(found: list[Contestant]) -> None:
    assert [one.file.name for one in found] == ["mlp.tflite", "knn.skops"]
    for one in found:
        said = store.load(one.file).probabilities(TEST.images).argmax(axis=1)
        assert (one.accuracy.hits, one.accuracy.n) == ((said == TEST.labels).sum(), 60)
        assert one.size_bytes == one.file.stat().st_size
        assert one.training_s > 0 and one.prediction_s > 0


def test_the_table_begins_with_the_most_accurate(found: list[Contestant]) -> None:
    rows = table(found, 200).rows
    assert [row[0] for row in rows] == [one.title for one in ranked(found)]
    assert rows[0][1] == f"{max(one.accuracy.hits for one in found) / 60:.2%}"


def test_the_page_names_pictures_data_and_machine(found: list[Contestant]) -> None:
    page = markdown(found, 200, [("Test accuracy", "images/accuracy.png")])
    assert "the same 200 digits" in page
    assert "![Test accuracy](images/accuracy.png)" in page
    assert "60 test digits" in page and "cores" in page


def test_progress_names_the_model(tmp_path: Path) -> None:
    told = []
    list(compare(["mlp"], DIGITS, TEST, tmp_path, epochs=1, batch=60,
                 on_progress=lambda name, at: told.append((name, at.done))))  # fmt: skip
    assert told == [("MLP", pytest.approx(1 / 3)), ("MLP", pytest.approx(2 / 3)), ("MLP", 1.0)]
