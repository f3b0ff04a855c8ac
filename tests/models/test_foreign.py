"""scikit-learn's classifiers written without pickle and read again."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.lab.training.card import description
from digitrec.lab.training.zoo import find
from digitrec.models import foreign, store
from digitrec.models.network import scaled

LEARNED, OTHERS = mnist_test()[:300], mnist_test()[300:400]


@pytest.mark.parametrize("arch", ["knn", "random-forest", "svm"])
def test_a_saved_classifier_answers_as_it_did(tmp_path: Path, arch: str) -> None:
    classifier = find(arch).build()
    pixels = scaled(LEARNED.images, "unit").reshape(-1, 784)
    classifier.fit(pixels, LEARNED.labels)
    file = tmp_path / "model.skops"
    about = description("model", {"note": 1}, output=foreign.output_of(classifier))
    foreign.save_skops(classifier, file, about)
    model = store.load(file)
    chances = model.probabilities(OTHERS.images)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    said = classifier.predict(scaled(OTHERS.images, "unit").reshape(-1, 784))
    assert (chances.argmax(axis=1) == said).mean() > 0.97
    assert (said == OTHERS.labels).mean() > 0.7
    assert model.name == "model" and model.card == {"note": 1}


def test_a_foreign_file_is_read_and_its_kind_of_answer_seen(tmp_path: Path) -> None:
    file = tmp_path / "foreign.skops"
    pixels = LEARNED.images.reshape(-1, 784) / 255.0
    skops.io.dump(KNeighborsClassifier(1).fit(pixels, LEARNED.labels), file)
    model = store.load(file)
    assert (model.input.output, model.input.scale, model.input.assumed) == ("softmax", "unit", False)
    assert (model.probabilities(LEARNED.images).argmax(axis=1) == LEARNED.labels).all()


@pytest.mark.parametrize("other", [
    skops.io.dumps(LogisticRegression().fit(np.eye(4), [0, 1, 2, 3])),
    skops.io.dumps(KNeighborsClassifier(1, algorithm="brute").fit(np.eye(10), range(10))),
    skops.io.dumps({"not": "a classifier"}), b"no archive",
])  # fmt: skip
def test_what_has_not_learned_ten_digits_is_refused(tmp_path: Path, other: bytes) -> None:
    file = tmp_path / "other.skops"
    file.write_bytes(other)
    with pytest.raises(ModelError, match=r"other\.skops"):
        store.load(file)


def test_code_in_a_file_is_never_run(tmp_path: Path) -> None:
    content = io.BytesIO(skops.io.dumps(LogisticRegression()))
    with zipfile.ZipFile(content) as archive:
        schema = json.loads(archive.read("schema.json"))
    schema |= {"__class__": "system", "__module__": "os", "__loader__": "TypeNode"}
    file = tmp_path / "evil.skops"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    with pytest.raises(ModelError, match="safely"):
        store.load(file)
