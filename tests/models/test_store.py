"""Loading model files of every kind, and asking them."""

import io
import json
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import skops.io
from keras import layers
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.kernel_approximation import AdditiveChi2Sampler
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OutputCodeClassifier
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError, NotInstalled
from digitrec.lab.training.card import description
from digitrec.lab.training.zoo import find
from digitrec.models import store
from digitrec.models.network import PROBE, Floats, LiteRt, ModelInput, scaled
from digitrec.models.network import described as with_description
from digitrec.models.store import to_litert

TEST = mnist_test()


@pytest.fixture(scope="module")
def shipped() -> store.Model:
    return store.load()


@pytest.fixture(scope="module")
def chances(shipped: store.Model) -> Floats:
    """Return the network's probabilities for MNIST's test digits."""
    return shipped.probabilities(TEST.images)


class TestShipped:
    def test_it_reads_mnist_as_its_card_says(self, shipped: store.Model, chances: Floats) -> None:
        right = chances.argmax(axis=1) == TEST.labels
        assert right.sum() >= 9950
        assert abs(int(right.sum()) - shipped.card["test"]["correct"]) <= 2  # processors differ
        page = store.SHIPPED.with_suffix(".md").read_text(encoding="utf-8")
        assert f"{shipped.card['test']['correct']:,} of 10,000" in page
        assert chances.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.002)
        assert shipped.recognises(chances).mean() > 0.997
        assert not shipped.recognises(np.full((1, 10), 0.1, np.float32)).any()

    def test_it_says_what_it_is(self, shipped: store.Model) -> None:
        assert shipped.name == "digitrec-cnn"
        assert shipped.version.startswith("digitrec-cnn-") and len(shipped.version) == 25
        card = shipped.card
        fitted = {name: card[name] for name in ("temperature", "evidence", "doubt")}
        fitted["prepared"] = card.get("prepared", card["temperature"])
        assert shipped.input == ModelInput("mnist", "unit", "softmax", **fitted, assumed=False)

    def test_rows_are_probabilities_and_do_not_depend_on_the_batch(self, shipped: store.Model) -> None:
        together = shipped.probabilities(TEST.images[:130])
        alone = np.concatenate([shipped.probabilities(image[None]) for image in TEST.images[:130]])
        assert together.shape == (130, 10) and together.dtype == np.float32
        assert np.allclose(together.sum(axis=1), 1, atol=1e-5)
        assert np.allclose(together, alone, atol=1e-4)
        assert shipped.probabilities(TEST.images[:0]).shape == (0, 10)

    @pytest.mark.parametrize("batch", [TEST.images[0], TEST.images[:2, :27], TEST.images[:2] / 255])
    def test_other_arrays_are_refused(self, shipped: store.Model, batch: Any) -> None:
        with pytest.raises(ValueError):
            shipped.probabilities(batch)

    def test_many_threads_get_their_own_answers(self, shipped: store.Model) -> None:
        parts = [TEST.images[start : start + 1 + start % 3] for start in range(0, 300, 3)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(shipped.probabilities, parts))
        for part, answer in zip(parts, answers, strict=True):
            assert np.allclose(answer, shipped.probabilities(part), atol=1e-6)


def assert_refused(path: Path, match: str | None = None, **options: str) -> None:
    with pytest.raises(ModelError, match=match):
        store.load(path, **options)


Build = Callable[[keras.Model, str], Path]


@pytest.fixture
def saved(tmp_path: Path) -> Build:
    """Return a function that writes a network without our description."""

    def save(network: keras.Model, ending: str) -> Path:
        path = tmp_path / f"theirs{ending}"
        if ending == ".tflite":
            path.write_bytes(to_litert(network))
        else:
            network.save(path)
        return path

    return save


def dense(
    shape: tuple[int, ...], outputs: int = 10, *, activation: str = "softmax", batch: int | None = None
) -> keras.Model:
    image = keras.Input(shape, batch_size=batch)
    return keras.Model(image, layers.Dense(outputs, activation=activation)(layers.Flatten()(image)))


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("ending", [".tflite", ".keras", ".h5"])
class TestForeign:
    @pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (784,)])
    @pytest.mark.parametrize(
        ("batch", "output"), [(None, "softmax"), (None, "sigmoid"), (1, "logits"), (32, "logits")]
    )
    def test_networks_of_the_usual_shapes_answer_as_in_keras(
        self, saved: Build, ending: str, shape: tuple[int, ...], batch: int | None, output: str
    ) -> None:
        network = dense(shape, activation="linear" if output == "logits" else output, batch=batch)
        model = store.load(saved(network, ending))
        assert model.input == ModelInput(output=output.replace("sigmoid", "softmax"), assumed=True)
        assert model.name == "theirs" and model.version.startswith("theirs-")
        ink = TEST.images[:5].reshape(5, 1, *shape) / np.float32(255)
        expected = np.concatenate([np.asarray(network(one)) for one in ink])
        if output == "logits":
            expected = np.exp(expected - expected.max(axis=1, keepdims=True))
        expected = expected / expected.sum(axis=1, keepdims=True)
        assert np.allclose(model.probabilities(TEST.images[:5]), expected, atol=0.02)

    @pytest.mark.parametrize(("shape", "outputs", "named"), [
        ((32, 32, 1), 10, r"\(N, 32, 32, 1\)"), ((28, 28, 3), 10, r"\(N, 28, 28, 3\)"),
        ((28, 28), 26, r"\(N, 26\)"),
    ])  # fmt: skip
    def test_other_shapes_are_refused(
        self, saved: Build, ending: str, shape: tuple[int, ...], outputs: int, named: str
    ) -> None:
        assert_refused(saved(dense(shape, outputs), ending), named)

    def test_a_file_that_is_no_model_is_refused(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / f"notes{ending}"
        shipped = store.SHIPPED.read_bytes()
        for content in (b"", b"just some text", shipped[:5000], shipped[:-30]):
            path.write_bytes(content)
            assert_refused(path, f"notes{ending}")


@pytest.mark.parametrize("name", ["none.tflite", "model.onnx"])
def test_a_missing_file_and_an_unknown_ending_are_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    assert_refused(tmp_path / name, name.replace(".", r"\."))


def shipped_as(tmp_path: Path, about: Any) -> Path:
    """Write the shipped network with another description."""
    path = tmp_path / "other.tflite"
    path.write_bytes(with_description(bare(), about))
    return path


def bare() -> bytes:
    """Return the shipped network without its description and its second network."""
    whole = store.SHIPPED.read_bytes()
    return whole[: whole.index(b"PK\x03\x04")]


def described(tmp_path: Path, **about: Any) -> store.Model:
    return store.load(shipped_as(tmp_path, description("other", {}, **about)))


def test_the_preparation_in_the_file_is_applied(tmp_path: Path) -> None:
    blinded, plain = described(tmp_path, scale="byte"), described(tmp_path)
    assert blinded.input.scale == "byte"
    dim = TEST.images[:100] // 255  # as bytes of 0 and 1, the network sees hard-edged ink of full strength
    assert np.allclose(blinded.probabilities(dim), plain.probabilities(dim * np.uint8(255)), atol=1e-3)


def test_a_temperature_makes_it_less_sure_and_changes_no_digit(tmp_path: Path) -> None:
    images, cool, warm = TEST.images[:500], described(tmp_path), described(tmp_path, temperature=2.0)
    before, after = cool.probabilities(images), warm.probabilities(images)
    assert np.allclose(after, np.sqrt(before) / np.sqrt(before).sum(axis=1, keepdims=True), atol=1e-4)
    assert np.array_equal(warm.probabilities(images, [True] * 500), after)  # the file names no other


def test_pictures_that_were_prepared_have_their_own_temperature(tmp_path: Path) -> None:
    model = described(tmp_path, temperature=2.0, prepared=3.0)
    same = described(tmp_path, temperature=3.0)
    images, prepared = TEST.images[:9], np.arange(9) % 2 == 1
    mixed = model.probabilities(images, prepared)
    assert np.array_equal(mixed[~prepared], model.probabilities(images)[~prepared])
    assert np.allclose(mixed[prepared], same.probabilities(images)[prepared], atol=1e-6)
    assert not np.allclose(mixed[prepared], model.probabilities(images)[prepared], atol=1e-6)


def test_a_second_network_answers_too_if_a_picture_comes_in_mnists_form(tmp_path: Path) -> None:
    first = described(tmp_path, temperature=2.0, prepared=3.0)
    inner = LiteRt(to_litert(dense((28, 28))), tmp_path)
    file = tmp_path / "both.tflite"
    file.write_bytes(with_description(bare(), description("both", {}, temperature=2.0, prepared=3.0), inner))
    images, prepared = TEST.images[:150], np.arange(150) % 3 == 1
    both = store.load(file).probabilities(images, prepared)
    assert np.array_equal(both[prepared], first.probabilities(images, prepared)[prepared])
    ink = scaled(images[~prepared], "unit")
    scores = (np.log(first.forward(ink)) + np.log(inner(ink))) / 2 / 2.0
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(both[~prepared], expected, atol=1e-5)
    file.write_bytes(file.read_bytes().replace(inner.as_litert()[:99], b"0" * 99))
    assert_refused(file, "in-form.tflite is damaged")


def test_what_it_doubts_is_read_again_from_aside(tmp_path: Path) -> None:
    certain = described(tmp_path, temperature=0.8, prepared=0.9)
    looking = described(tmp_path, temperature=0.8, prepared=0.9, doubt=0.95)
    edge = np.zeros((1, 28, 28), np.uint8)  # what moves out of the picture must not come in on its other side
    edge[0, 0, 4:20] = edge[0, :20, 27] = 255
    images, prepared = np.concatenate([edge, TEST.images[:299]]), np.arange(300) % 2 == 1
    first, second = (model.probabilities(images, prepared) for model in (certain, looking))
    doubted = first.max(axis=1) < 0.95
    assert doubted[0] and 5 < doubted.sum() < 295 and doubted[prepared].any() and doubted[~prepared].any()
    np.testing.assert_allclose(second[~doubted], first[~doubted], atol=1e-6)
    wide = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    views = [wide[:, y : y + 28, x : x + 28] for y, x in ((1, 1), (2, 1), (0, 1), (1, 2), (1, 0))]
    scores = np.mean([np.log(certain.probabilities(view, prepared)) for view in views], axis=0)
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(second[doubted], expected[doubted], atol=1e-4)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize("change", [
    {"format": 2}, {"output": "sigmoid"}, {"input": {"form": "mnist", "scale": "l7"}}, {"input": None},
    {"temperature": 1e-300}, {"temperature": "warm"}, {"prepared": INF}, {"prepared": "cold"},
    {"prepared": NAN}, {"evidence": "much"}, {"doubt": 1.01}, {"doubt": NAN}, {"doubt": None}, {"card": [1]},
])  # fmt: skip
def test_a_description_without_sense_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    assert_refused(shipped_as(tmp_path, description("other", {}) | change))


@pytest.mark.parametrize("content", [[1, 2], None, 7])
def test_a_description_that_is_no_object_is_damage(tmp_path: Path, content: object) -> None:
    assert_refused(shipped_as(tmp_path, content), "is damaged")


def test_a_packed_description_that_is_damaged_is_told(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("digitrec.json", json.dumps({"name": "7" * 90}))
    path = tmp_path / "packed.tflite"
    path.write_bytes(packed.getvalue()[:45] + b"\xff" + packed.getvalue()[46:])
    assert_refused(path, "is damaged")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("digitrec.json", " " * 9999 + "{}")  # far longer than the file
    assert_refused(path, "is damaged")


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
def test_a_keras_network_may_name_its_output_but_has_inputs_and_finite_answers(saved: Build) -> None:
    without_inputs = keras.Sequential([layers.Flatten(), layers.Dense(10)])
    assert_refused(saved(without_inputs, ".keras"), "no defined inputs")
    network = dense((28, 28))
    named = keras.Model(network.input, {"digit": network.output})
    assert store.load(saved(named, ".keras")).probabilities(TEST.images[:2]).shape == (2, 10)
    network.set_weights([np.full_like(one, np.nan) for one in network.get_weights()])
    assert_refused(saved(network, ".keras"), "not finite")
    fixed = [keras.Input(batch_shape=(32, 28, 28)), layers.LSTM(4, stateful=True), layers.Dense(10)]
    assert_refused(saved(keras.Sequential(fixed), ".keras"), "the network fails")


def test_a_file_with_someone_elses_archive_is_foreign(tmp_path: Path) -> None:
    path = shipped_as(tmp_path, {})
    path.write_bytes(path.read_bytes().replace(b"digitrec.json", b"metadata.json"))
    assert store.load(path).input == ModelInput(assumed=False)


def test_code_in_a_keras_file_does_not_run(saved: Build) -> None:
    image = keras.Input((28, 28))
    network = keras.Model(image, layers.Dense(10)(layers.Flatten()(layers.Lambda(lambda x: x * 2)(image))))
    for ending in (".keras", ".h5"):
        assert_refused(saved(network, ending))


def test_without_tensorflow_keras_files_name_extras(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.keras").write_bytes(b"not looked at")
    monkeypatch.setitem(sys.modules, "keras", None)
    with pytest.raises(NotInstalled, match=r"\[train\]"):
        store.load(tmp_path / "a.keras")


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file")
@pytest.mark.parametrize("scale", ["unit", "byte", "signed", "l2"])
def test_the_scale_of_a_foreign_network_is_found_by_trying(saved: Build, scale: str) -> None:
    """The network scales pixels in a layer of its own ("byte") or expects scaled pixels."""
    keras.utils.set_random_seed(3)
    with np.load(PROBE) as probe:  # a network that reads all these digits must not be made surer
        images = scaled(np.concatenate([TEST.images[1000:2000], *[probe["images"]] * 8]), scale)
        labels = np.concatenate([TEST.labels[1000:2000], *[probe["labels"]] * 8])
    image = keras.Input((28, 28))
    flat = layers.Flatten()(layers.Rescaling(1 / 255)(image) if scale == "byte" else image)
    network = keras.Model(image, layers.Dense(10, activation="softmax")(flat))
    network.compile(keras.optimizers.Adam(0.05 if scale == "l2" else 0.01), "sparse_categorical_crossentropy")
    network.fit(images, labels, epochs=8, verbose=0)
    for ending in (".tflite", ".keras", ".h5"):
        model = store.load(saved(network, ending))
        assert (model.input.scale, model.input.assumed) == (scale, False)
        assert (model.probabilities(TEST.images[:200]).argmax(axis=1) == TEST.labels[:200]).mean() > 0.7


class TestScale:
    """A foreign network that returns its brightest pixel, which shows the scale of its input."""

    @pytest.mark.parametrize(
        ("scale", "brightest"), [(None, 1.0), ("unit", 1.0), ("byte", 255.0), ("signed", 1.0), ("l2", 0.8)]
    )
    def test_pixels_are_scaled_as_named(self, saved: Build, scale: str | None, brightest: float) -> None:
        image = keras.Input((28, 28, 1))
        peak = layers.GlobalMaxPooling1D()(layers.Reshape((784, 1))(layers.Reshape((784,))(image)))
        network = keras.Model(image, layers.Concatenate()([peak] + [layers.Rescaling(0.0)(peak)] * 9))
        images = np.zeros((1, 28, 28), np.uint8)
        images[0, 5:7, 3] = 255, 191  # a column of length 318.6; 255 of it is 0.8
        model = store.load(saved(network, ".keras"), scale=scale)
        assert model.input.output == "logits" and model.input.assumed == (scale is None)
        assert model.version[19:] == (f"-{scale}" if scale else "")  # another scale, other calibrations
        chances = model.probabilities(images)[0]
        assert np.log(chances[0] / max(chances[1], 1e-38)) == pytest.approx(min(brightest, 87), rel=0.01)

    def test_a_file_that_says_its_scale_is_believed(self) -> None:
        assert store.load(store.SHIPPED, scale="unit").input.scale == "unit"
        assert_refused(store.SHIPPED, scale="l2")


LEARNED, OTHERS = mnist_test()[:300], mnist_test()[300:400]


@pytest.mark.parametrize("arch", ["knn", "random-forest", "svm"])
def test_a_saved_classifier_answers_as_it_did(tmp_path: Path, arch: str) -> None:
    classifier = find(arch).build()
    classifier.fit(scaled(LEARNED.images, "unit").reshape(-1, 784), LEARNED.labels)
    file = tmp_path / "model.skops"
    about = description("model", {"note": 1}, output=store.output_of(classifier))
    file.write_bytes(with_description(store.to_skops(classifier), about))
    model = store.load(file)
    chances = model.probabilities(OTHERS.images)
    np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-5)
    said = classifier.predict(scaled(OTHERS.images, "unit").reshape(-1, 784))
    assert (chances.argmax(axis=1) == said).mean() > 0.97
    assert (said == OTHERS.labels).mean() > 0.7
    assert model.name == "model" and model.card == {"note": 1}


@pytest.mark.parametrize("kind", [
    KNeighborsClassifier(1), MLPClassifier(tol=0.001, random_state=0), ExtraTreesClassifier(random_state=0),
    make_pipeline(AdditiveChi2Sampler(), LogisticRegression(C=10)),  # raises a ValueError below 0
])  # fmt: skip
@pytest.mark.parametrize("label", [str, float])  # as in OpenML's MNIST, and as loadtxt reads a CSV file
def test_a_foreign_file_is_read_and_its_kind_of_answer_seen(tmp_path: Path, kind: Any, label: type) -> None:
    file = tmp_path / "foreign.skops"
    skops.io.dump(kind.fit(LEARNED.images.reshape(-1, 784) / 255.0, LEARNED.labels.astype(label)), file)
    model = store.load(file)
    assert (model.input.output, model.input.scale, model.input.assumed) == ("softmax", "unit", False)
    assert (model.probabilities(LEARNED.images).argmax(axis=1) == LEARNED.labels).all()


def test_a_model_that_learned_another_scale_warns(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    standard = (LEARNED.images.reshape(-1, 784) / 255 - 0.1307) / 0.3081
    file = tmp_path / "standard.skops"
    skops.io.dump(ExtraTreesClassifier(random_state=0).fit(standard, LEARNED.labels), file)
    model = store.load(file)
    assert not model.input.assumed and "standard.skops: reads only 8" in caplog.text
    assert f"of the pixels, and is read at {model.input.scale}; " in caplog.text


@pytest.mark.parametrize("other", [
    skops.io.dumps(LogisticRegression().fit(np.eye(4), [0, 1, 2, 3])),
    skops.io.dumps(KNeighborsClassifier(1, algorithm="brute").fit(np.eye(10), range(10))),
    skops.io.dumps({"not": "a classifier"}), b"no archive",
    skops.io.dumps(KNeighborsClassifier(1).fit(np.eye(784)[:10], np.arange(20).reshape(10, 2) % 10)),
    skops.io.dumps(SVC(decision_function_shape="ovo").fit(np.eye(784)[:20], np.arange(20) % 10)),
    skops.io.dumps(OutputCodeClassifier(LogisticRegression()).fit(np.eye(784)[:10], range(10))),
    skops.io.dumps(RadiusNeighborsClassifier(0.5).fit(np.eye(784)[:10], range(10))),  # raises a ValueError
])  # fmt: skip
def test_what_has_not_learned_ten_digits_is_refused(tmp_path: Path, other: bytes) -> None:
    file = tmp_path / "other.skops"
    file.write_bytes(other)
    assert_refused(file, r"other\.skops")


def test_a_search_is_refused_with_its_best_classifier_named(tmp_path: Path) -> None:
    search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1]}, cv=2)
    search.fit(LEARNED.images[:100].reshape(-1, 784), LEARNED.labels[:100])
    skops.io.dump(search, tmp_path / "search.skops")
    assert_refused(tmp_path / "search.skops", "best_estimator_")


def test_code_in_a_file_is_never_run(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps(LogisticRegression()))) as archive:
        schema = json.loads(archive.read("schema.json"))
    schema |= {"__class__": "system", "__module__": "os", "__loader__": "TypeNode"}
    file = tmp_path / "evil.skops"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
    assert_refused(file, "safely")
