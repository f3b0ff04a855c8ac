"""Loading model files of every kind, and asking them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import ModelError
from digitrec.lab.training import export
from digitrec.lab.training.run import TrainResult
from digitrec.models import store
from digitrec.models.description import ModelInput
from digitrec.models.kerasfile import to_litert

TEST = mnist_test()


@pytest.fixture(scope="module")
def shipped() -> store.Model:
    return store.load()


def right(model: store.Model, count: int = 10_000) -> int:
    return int((model.probabilities(TEST.images[:count]).argmax(axis=1) == TEST.labels[:count]).sum())


class TestShipped:
    def test_it_reads_mnist_as_its_card_says(self, shipped: store.Model) -> None:
        correct = right(shipped)
        assert correct >= 9950
        assert abs(correct - shipped.card["test"]["correct"]) <= 2  # another processor may round otherwise
        page = store.SHIPPED.with_suffix(".md").read_text(encoding="utf-8")
        assert f"{shipped.card['test']['correct']:,} of 10,000" in page

    def test_it_says_what_it_is(self, shipped: store.Model) -> None:
        assert shipped.name == "digitrec-cnn"
        assert shipped.version.startswith("digitrec-cnn-") and len(shipped.version) == 25
        card = shipped.card
        fitted = {name: card[name] for name in ("temperature", "evidence", "doubt")}
        fitted["prepared"] = card.get("prepared", card["temperature"])
        assert shipped.input == ModelInput("mnist", "unit", "softmax", **fitted, assumed=False)

    def test_it_is_as_sure_as_it_is_right(self, shipped: store.Model) -> None:
        chances = shipped.probabilities(TEST.images)
        right = chances.argmax(axis=1) == TEST.labels
        assert chances.max(axis=1).mean() == pytest.approx(right.mean(), abs=0.002)

    def test_it_recognises_nearly_all_digits_and_no_blank(self, shipped: store.Model) -> None:
        assert shipped.recognises(shipped.probabilities(TEST.images)).mean() > 0.997
        assert not shipped.recognises(np.full((1, 10), 0.1, np.float32)).any()

    def test_rows_are_probabilities_and_do_not_depend_on_the_batch(self, shipped: store.Model) -> None:
        together = shipped.probabilities(TEST.images[:130])
        alone = np.concatenate([shipped.probabilities(image[None]) for image in TEST.images[:130]])
        assert together.shape == (130, 10) and together.dtype == np.float32
        assert np.allclose(together.sum(axis=1), 1, atol=1e-5)
        assert np.allclose(together, alone, atol=1e-4)

    def test_no_image_is_an_empty_answer(self, shipped: store.Model) -> None:
        assert shipped.probabilities(TEST.images[:0]).shape == (0, 10)

    @pytest.mark.parametrize("batch", [TEST.images[0], TEST.images[:2, :27], TEST.images[:2] / 255])
    def test_other_arrays_are_refused(self, shipped: store.Model, batch: Any) -> None:
        with pytest.raises(ValueError, match=r"uint8 of shape \(N, 28, 28\)"):
            shipped.probabilities(batch)

    def test_many_threads_get_their_own_answers(self, shipped: store.Model) -> None:
        parts = [TEST.images[start : start + 1 + start % 3] for start in range(0, 300, 3)]
        with ThreadPoolExecutor(4) as pool:
            answers = list(pool.map(shipped.probabilities, parts))
        for part, answer in zip(parts, answers, strict=True):
            assert np.allclose(answer, shipped.probabilities(part), atol=1e-6)

    def test_loading_says_nothing_of_ours_and_imports_nothing_heavy(self) -> None:
        code = (
            "import sys; from digitrec.models import store; m = store.load()\n"
            "import numpy; m.probabilities(numpy.zeros((1, 28, 28), numpy.uint8))\n"
            "heavy = {'tensorflow', 'keras', 'scipy', 'h5py', 'pooch', 'matplotlib'}\n"
            "print(heavy & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout == "set()\n"
        told = done.stderr.splitlines()
        assert all(line.startswith("INFO: Created TensorFlow Lite XNNPACK delegate") for line in told)


Build = Callable[[keras.Model, str], Path]


@pytest.fixture
def saved(tmp_path: Path) -> Build:
    """Writes a network as a stranger would, without our description."""

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
    def test_usual_shapes_are_taken(self, saved: Build, ending: str, shape: tuple[int, ...]) -> None:
        network = dense(shape)
        model = store.load(saved(network, ending))
        assert model.input == ModelInput(assumed=True)
        assert model.name == "theirs" and model.version.startswith("theirs-")
        expected = network.predict(TEST.images[:70].reshape(-1, *shape) / np.float32(255), verbose=0)
        assert np.allclose(model.probabilities(TEST.images[:70]), expected, atol=0.02)

    def test_a_batch_of_one_is_asked_one_by_one(self, saved: Build, ending: str) -> None:
        network = dense((28, 28, 1), batch=1)
        model = store.load(saved(network, ending))
        images = TEST.images[:5]
        expected = np.concatenate([network(image[None, ..., None] / np.float32(255)) for image in images])
        assert np.allclose(model.probabilities(images), expected, atol=0.02)

    def test_logits_are_noticed_and_become_probabilities(self, saved: Build, ending: str) -> None:
        network = dense((28, 28), activation="linear")
        model = store.load(saved(network, ending))
        assert model.input.output == "logits"
        logits = network.predict(TEST.images[:9] / np.float32(255), verbose=0)
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        expected = powers / powers.sum(axis=1, keepdims=True)
        assert np.allclose(model.probabilities(TEST.images[:9]), expected, atol=0.02)

    @pytest.mark.parametrize(
        ("shape", "outputs", "said"),
        [
            ((32, 32, 1), 10, r"takes \(N, 32, 32, 1\)"),
            ((28, 28, 3), 10, r"takes \(N, 28, 28, 3\)"),
            ((28, 28), 26, r"gives \(N, 26\)"),
        ],
    )
    def test_other_shapes_are_refused(
        self, saved: Build, ending: str, shape: tuple[int, ...], outputs: int, said: str
    ) -> None:
        with pytest.raises(ModelError, match=said):
            store.load(saved(dense(shape, outputs), ending))

    def test_a_file_that_is_no_model_is_refused(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / f"notes{ending}"
        for content in (b"", b"just some text", store.SHIPPED.read_bytes()[:5000]):
            path.write_bytes(content)
            with pytest.raises(ModelError, match=f"notes{ending}"):
                store.load(path)


def test_a_missing_file_and_an_unknown_ending_are_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.tflite: cannot be read \(No such file"):
        store.load(tmp_path / "none.tflite")
    (tmp_path / "model.onnx").write_bytes(b"onnx")
    with pytest.raises(
        ModelError, match=r"model\.onnx: a model file ends in \.tflite, \.keras, \.h5 or \.skops"
    ):
        store.load(tmp_path / "model.onnx")


def shipped_as(tmp_path: Path, about: Any) -> Path:
    """The shipped network under another description."""
    bare = store.SHIPPED.read_bytes()
    bare = bare[: bare.index(b"PK\x03\x04")]
    path = tmp_path / "other.tflite"
    path.write_bytes(export.described(bare, about))
    return path


def test_the_preparation_in_the_file_is_applied(tmp_path: Path) -> None:
    blinded = store.load(shipped_as(tmp_path, export.description("other", {}, scale="byte")))
    assert blinded.input.scale == "byte"
    dim = TEST.images[:100] // 255  # as bytes of 0 and 1, the network sees hard-edged ink of full strength
    full = dim * np.uint8(255)
    plain = store.load(shipped_as(tmp_path, export.description("other", {})))
    assert np.allclose(blinded.probabilities(dim), plain.probabilities(full), atol=1e-3)


def test_a_temperature_makes_it_less_sure_and_changes_no_digit(tmp_path: Path) -> None:
    cool = store.load(shipped_as(tmp_path, export.description("other", {})))
    warm = store.load(shipped_as(tmp_path, export.description("other", {}, temperature=2.0)))
    before, after = (model.probabilities(TEST.images[:500]) for model in (cool, warm))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    assert after.max(axis=1).mean() < before.max(axis=1).mean()
    assert np.allclose(after.sum(axis=1), 1, atol=1e-5)
    expected = np.sqrt(before) / np.sqrt(before).sum(axis=1, keepdims=True)
    assert np.allclose(after, expected, atol=1e-4)


def test_pictures_that_were_prepared_have_their_own_temperature(tmp_path: Path) -> None:
    about = export.description("other", {}, temperature=2.0, prepared=3.0)
    model = store.load(shipped_as(tmp_path, about))
    same = store.load(shipped_as(tmp_path, export.description("other", {}, temperature=3.0)))
    images = TEST.images[:9]
    prepared = np.arange(9) % 2 == 1
    mixed = model.probabilities(images, prepared)
    assert np.array_equal(mixed[~prepared], model.probabilities(images)[~prepared])
    assert np.allclose(mixed[prepared], same.probabilities(images)[prepared], atol=1e-6)
    assert not np.allclose(mixed[prepared], model.probabilities(images)[prepared], atol=1e-6)


def test_what_it_doubts_is_read_again_from_aside(tmp_path: Path) -> None:
    certain = store.load(shipped_as(tmp_path, export.description("other", {}, temperature=0.8, prepared=0.9)))
    looking = store.load(
        shipped_as(tmp_path, export.description("other", {}, temperature=0.8, prepared=0.9, doubt=0.95))
    )
    images, prepared = TEST.images[:300], np.arange(300) % 2 == 1
    first, second = (model.probabilities(images, prepared) for model in (certain, looking))
    doubted = first.max(axis=1) < 0.95
    assert 5 < doubted.sum() < 295 and doubted[prepared].any() and doubted[~prepared].any()
    np.testing.assert_allclose(second[~doubted], first[~doubted], atol=1e-6)
    moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
    views = [np.roll(images, move, (1, 2)) for move in moves]  # MNIST's digits end four pixels from the edge
    scores = np.mean([np.log(certain.probabilities(view, prepared)) for view in views], axis=0)
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(second[doubted], expected[doubted], atol=1e-4)


def test_what_is_moved_out_of_a_picture_does_not_come_in_on_its_other_side(tmp_path: Path) -> None:
    model = store.load(shipped_as(tmp_path, export.description("other", {}, doubt=1.0)))
    bare = store.load(shipped_as(tmp_path, export.description("other", {})))
    edge = np.zeros((1, 28, 28), np.uint8)
    edge[0, 0, 4:20] = edge[0, :20, 27] = 255
    views = np.zeros((5, 28, 28), np.uint8)
    views[0], views[1, 1:], views[2, :-1] = edge[0], edge[0, :-1], edge[0, 1:]
    views[3, :, 1:], views[4, :, :-1] = edge[0, :, :-1], edge[0, :, 1:]
    scores = np.log(bare.probabilities(views)).mean(axis=0)
    expected = np.exp(scores) / np.exp(scores).sum()
    np.testing.assert_allclose(model.probabilities(edge)[0], expected, atol=1e-4)


def test_a_file_of_one_temperature_has_it_for_every_picture(tmp_path: Path) -> None:
    about = export.description("other", {}, temperature=2.0)
    assert "prepared" not in about  # as in files before there were two
    model = store.load(shipped_as(tmp_path, about))
    images = TEST.images[:9]
    assert np.array_equal(model.probabilities(images, [True] * 9), model.probabilities(images))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"format": 2}, "something unknown"),
        ({"output": "sigmoid"}, "something unknown"),
        ({"input": {"form": "mnist", "scale": "l7"}}, "something unknown"),
        ({"temperature": 0}, "something unknown"),
        ({"prepared": -1}, "something unknown"),
        ({"prepared": float("nan")}, "something unknown"),
        ({"prepared": "cold"}, "damaged"),
        ({"temperature": "warm"}, "damaged"),
        ({"evidence": "much"}, "damaged"),
        ({"doubt": 1.01}, "something unknown"),
        ({"doubt": float("nan")}, "something unknown"),
        ({"doubt": None}, "damaged"),
        ({"input": None}, "damaged"),
    ],
)
def test_a_description_without_sense_is_refused(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        store.load(shipped_as(tmp_path, export.description("other", {}) | change))


def test_a_file_cut_off_in_its_description_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "cut.tflite"
    path.write_bytes(store.SHIPPED.read_bytes()[:-30])
    with pytest.raises(ModelError, match="damaged"):
        store.load(path)


def test_a_file_with_someone_elses_archive_is_foreign(tmp_path: Path) -> None:
    path = shipped_as(tmp_path, {})
    path.write_bytes(path.read_bytes().replace(b"digitrec.json", b"metadata.json"))
    assert store.load(path).input == ModelInput(assumed=True)


def test_code_in_a_keras_file_does_not_run(tmp_path: Path) -> None:
    image = keras.Input((28, 28))
    network = keras.Model(image, layers.Dense(10)(layers.Flatten()(layers.Lambda(lambda x: x * 2)(image))))
    for ending in (".keras", ".h5"):
        path = tmp_path / f"sly{ending}"
        network.save(path)
        with pytest.raises(ModelError, match="cannot load it safely"):
            store.load(path)


def test_a_keras_file_without_tensorflow_names_the_extra(trained: TrainResult) -> None:
    code = (
        "import sys; from pathlib import Path; sys.modules['keras'] = None\n"
        "from digitrec.errors import NotInstalled; from digitrec.models import store\n"
        f"try: store.load(Path({json.dumps(str(trained.keras_file))}))\n"
        "except NotInstalled as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "pip install '.[train]'" in done.stdout


@pytest.mark.parametrize("ending", [".keras", ".missing.keras"])
def test_of_a_keras_file_only_an_error_is_told(trained: TrainResult, ending: str) -> None:
    path = trained.keras_file.with_suffix(ending)
    command = [sys.executable, "-m", "digitrec", "models", "list", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    told = done.stderr.splitlines()
    assert told == [] if path.exists() else len(told) == 1 and path.name in told[0]


class TestScale:
    """A foreign network that tells from its input how it was scaled: it answers with the brightest pixel."""

    @pytest.fixture
    def foreign(self, tmp_path: Path) -> Path:
        image = keras.Input((28, 28, 1))
        flat = layers.Reshape((784,))(image)
        brightest = layers.GlobalMaxPooling1D()(layers.Reshape((784, 1))(flat))
        network = keras.Model(
            image, layers.Concatenate()([brightest] + [layers.Rescaling(0.0)(brightest)] * 9)
        )
        network.save(tmp_path / "foreign.keras")
        return tmp_path / "foreign.keras"

    @pytest.mark.parametrize(
        ("scale", "brightest"), [(None, 1.0), ("unit", 1.0), ("byte", 255.0), ("l2", 0.8)]
    )
    def test_pixels_are_scaled_as_it_is_named(
        self, foreign: Path, scale: str | None, brightest: float
    ) -> None:
        images = np.zeros((1, 28, 28), np.uint8)
        images[0, 5:7, 3] = 255, 191  # a column of length 318.6; 255 of it is 0.8
        model = store.load(foreign, scale=scale)
        assert model.input.output == "logits" and model.input.assumed == (scale is None)
        chances = model.probabilities(images)[0]
        assert np.log(chances[0] / max(chances[1], 1e-38)) == pytest.approx(min(brightest, 87), rel=0.01)

    def test_a_file_that_says_its_scale_is_believed(self, trained: TrainResult) -> None:
        assert store.load(trained.litert_file, scale="unit").input.scale == "unit"
        with pytest.raises(ModelError, match="says itself"):
            store.load(trained.litert_file, scale="l2")


class TestInside:
    """The feature maps of each layer, and the filters of the first."""

    SEVEN = TEST.images[0]

    def test_the_filters_are_those_that_make_the_first_maps(self, shipped: store.Model) -> None:
        stages, ink = dict(shipped.inside.stages(self.SEVEN)), self.SEVEN / np.float32(255)
        filters = dict(shipped.inside.filters())
        assert list(filters) == ["network_1/filters", "network_2/filters"]
        windows = np.lib.stride_tricks.sliding_window_view(ink, (3, 3))
        for network in ("network_1", "network_2"):
            found = np.einsum("xyhw,hwc->xyc", windows, filters[f"{network}/filters"])
            maps = stages[f"{network}/relu_1a"]
            strong = [channel for channel in range(24) if maps[..., channel].max() > 0.3]
            assert len(strong) > 8
            for one, ours in ((maps[..., channel], found[..., channel]) for channel in strong):
                bias = np.median((one - ours)[one > 0.05])
                assert np.abs(np.maximum(ours + bias, 0) - one).max() < 0.05  # it reckons in int8

    def test_of_a_keras_file_the_filters_are_its_own(self, tmp_path: Path) -> None:
        network = keras.Sequential([
            keras.Input((28, 28, 1)), keras.layers.Conv2D(5, 3), keras.layers.Conv2D(2, 3),
            keras.layers.Flatten(), keras.layers.Dense(10),
        ])  # fmt: skip
        network.save(tmp_path / "own.keras")
        ((name, kernels),) = store.load(tmp_path / "own.keras").inside.filters()
        assert name == "filters"
        assert np.array_equal(kernels, network.layers[0].get_weights()[0][:, :, 0])

    def test_both_networks_of_the_shipped_file_are_shown_layer_by_layer(self, shipped: store.Model) -> None:
        stages = shipped.inside.stages(self.SEVEN)
        layers_of_one = [
            "relu_1a",
            "relu_1b",
            "halve_1",
            "relu_2a",
            "relu_2b",
            "halve_2",
            "relu_3a",
            "relu_3b",
        ]
        names = [f"network_{number}/{layer}" for number in (1, 2) for layer in layers_of_one]
        assert [name for name, _ in stages] == names
        sides = [(26, 24), (24, 24), (12, 24), (12, 80), (12, 80), (6, 80), (6, 192), (6, 192)]
        assert [maps.shape for _, maps in stages] == 2 * [(side, side, count) for side, count in sides]

    def test_one_layer_follows_from_another(self, shipped: store.Model) -> None:
        """What is halved is the largest of each four places: no map is of another picture or layer."""
        for picture in TEST.images[:5]:
            stages = dict(shipped.inside.stages(picture))
            for network in ("network_1", "network_2"):
                whole, half = stages[f"{network}/relu_1b"], stages[f"{network}/halve_1"]
                largest = whole.reshape(12, 2, 12, 2, -1).max(axis=(1, 3))
                assert np.allclose(half, largest, atol=1e-5) and half.any()

    def test_looking_changes_no_answer_and_many_may_look(self, shipped: store.Model) -> None:
        before = shipped.probabilities(TEST.images[:4])
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(shipped.inside.stages, TEST.images[:8]))
        assert np.array_equal(shipped.probabilities(TEST.images[:4]), before)
        for picture, found in zip(TEST.images[:8], together, strict=True):
            assert all(
                np.array_equal(a, b)
                for (_, a), (_, b) in zip(found, shipped.inside.stages(picture), strict=True)
            )

    @pytest.mark.parametrize("batch", [None, 1])
    def test_a_strangers_maps_are_what_keras_computes(self, saved: Build, batch: int | None) -> None:
        image = keras.Input((28, 28, 1), batch_size=batch)
        first = layers.Conv2D(5, 3, strides=2, activation="relu", name="edges")(image)
        deep = layers.DepthwiseConv2D(3, name="each")(first)  # weights of (1, 3, 3, 5), as maps might be
        ten = layers.Dense(10, activation="softmax")(layers.Flatten()(deep))
        stages = dict(store.load(saved(keras.Model(image, ten), ".tflite")).inside.stages(self.SEVEN))
        assert list(stages) == ["edges", "each"]
        ink = self.SEVEN[None, :, :, None].astype(np.float32) / 255
        for name, wanted in (("edges", first), ("each", deep)):
            theirs = np.asarray(keras.Model(image, wanted)(ink))[0]
            assert np.allclose(stages[name], theirs, atol=1e-4)

    def test_without_maps_there_is_nothing_to_show(self, saved: Build) -> None:
        for path in (saved(dense((28, 28, 1)), ".tflite"), saved(dense((784,)), ".keras")):
            assert store.load(path).inside.stages(self.SEVEN) == []
