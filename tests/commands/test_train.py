"""`digitrec train`: its options reach the training, and its files predict."""

import zipfile
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from terminal import run

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import drawn_seven
from digitrec.lab.training import run as runs
from digitrec.lab.training.run import TrainResult
from digitrec.lab.training.zoo import find
from digitrec.models import store

pytestmark = pytest.mark.usefixtures("here", "eagerly")
FEW = ["--data", "mnist-test", "--limit", "100", "--epochs", "1", "--limit-test", "200"]


def test_the_tutorials_run_in_one_line_and_another_learns_on_from_its_file() -> None:
    learning = ["--arch", "mlp", "--loss", "sparse", "--validation-split", "0.3"]
    done = run("train", *learning, "--scale", "l2", *FEW, "--out", "mlp.keras", code=0)
    assert "of 200 digits of mnist-test; 100 learned digits excluded), test loss " in done.stdout
    assert "--batch" in done.stdout  # one epoch of 70 digits teaches little, and the command prints that
    assert np.asarray(Image.open("mlp-curves.png")).shape[1] > 500
    card = store.load(Path("mlp.keras")).card
    expected = {"loss": "sparse", "scale": "l2", "validation": 0.3, "epochs": 1}
    assert card["settings"] | expected == card["settings"]
    Image.fromarray(drawn_seven().pixels).save("seven.png")
    run("predict", "seven.png", "--model", "mlp.keras", code=0)
    more = ["--arch", "mlp", "--start", "mlp.keras", "--scale", "l2", "--learning-rate", "0.0001"]
    run("train", *more, *FEW, "--out", "mine.h5", code=0)
    assert store.load(Path("mine.h5")).card["settings"]["learning_rate"] == 0.0001
    run("models", "export", "mine.h5", "fast.keras", code=0)
    run("models", "export", Path("mine.h5").resolve(), "mine.tflite", code=0)
    run("models", "export", "mine.h5", "mine.keras", code=0)  # beside the other export
    assert Path("fast-run/learned.npy").read_bytes() == Path("mine-run/learned.npy").read_bytes()
    learned = Path("mlp-run/learned.npy").read_bytes()
    assert "belongs to" in run("models", "export", "mine.h5", "mlp.tflite", code=2).stderr
    done = run("train", "--arch", "mlp", *FEW, "--out", "mlp.h5", code=2)
    assert "mlp-run belongs to mlp.keras" in done.stderr
    assert Path("mlp-run/learned.npy").read_bytes() == learned and not Path("mlp.h5").exists()


def test_a_start_is_checked_before_digits_are_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITREC_DATA", "nowhere")
    network = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10)])
    network.save("other.keras")
    for ending in (".keras", ".h5"):  # it learned nothing that we know, so its exports may share a folder
        run("models", "export", "other.keras", f"copy{ending}", code=0)
        assert store.load(Path(f"copy{ending}")).input.assumed  # an untrained network reads at no scale
    zipfile.ZipFile("empty.keras", "w").close()
    mlp = ["--arch", "mlp"]
    *layers, last = find("mlp").build().layers
    keras.Sequential([keras.Input((28, 28, 1)), *layers, keras.layers.Dense(10)]).save("logits.keras")
    keras.Sequential([keras.Input((784,)), *layers[1:], last]).save("flat.keras")
    starts = (("other", mlp, 5), ("empty", mlp, 5), ("logits", mlp, 5), ("flat", mlp, 5), ("other", [], 2))
    for start, arch, code in starts:
        more = ["--start", f"{start}.keras", *arch, "--data", "mnist-train"]
        assert f"{start}.keras" in run("train", *more, code=code).stderr


def test_scikit_learn_goes_to_skops_in_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    few = mnist_test()[:70]
    np.savez("knn.npz", x=few.images, y=few.labels)
    Path("models").mkdir()
    np.savez("models/knn.npz", x=few.images, y=few.labels)
    done = run("train", "--arch", "knn", "--data", "mnist-test", "--limit", "100", "--out", "models", code=0)
    assert store.load(Path("models/knn.skops")).name == "knn"
    assert "of 9,900 digits of mnist-test; 100 learned" in done.stdout
    assert "MNIST test (100 learned digits excluded) " in run("models", "list", "models/knn.skops").stdout
    monkeypatch.setenv("DIGITREC_MODEL", "models/knn.skops")
    for model in (["--model", "models/knn.skops"], []):
        done = run("evaluate", "--data", "mnist-test", "--limit", "20", *model, code=0)
        assert done.stderr == "digitrec: mnist-test: left out 100 that models/knn.skops has learned\n"
        assert " of 20, 95 %" in done.stdout
    monkeypatch.delenv("DIGITREC_MODEL")
    Path("moved.skops").write_bytes(Path("models/knn.skops").read_bytes())
    assert "are not left out" in run("evaluate", "--data", "knn.npz", "--model", "moved.skops", code=0).stderr
    table = ["--table", "digits", "--limit", "1"]
    assert "are not left out" in run("evaluate", *table, "--model", "moved.skops", code=0).stderr
    two = ["--data", "models/knn.npz", "--data", "knn.npz", "--limit-test", "100"]
    run("train", "--arch", "knn", *two, "--out", "m.skops", code=0)
    assert store.load(Path("m.skops")).card["learned_from"] == {"knn.npz": 140}
    done = run("evaluate", "--model", "models/knn.skops", code=6)
    assert "has learned 100 of MNIST's test digits" in done.stderr


def test_training_on_every_test_digit_is_refused() -> None:
    done = run("train", "--arch", "knn", "--data", "mnist-test", "--out", "knn.skops", code=6)
    assert "all 10,000 test digits" in done.stderr
    assert not Path("knn.skops").exists()


def test_unavailable_imagenet_weights_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(**options: object) -> None:
        assert options["weights"] == "imagenet"
        raise Exception("URL fetch failure on https://example.org/b0.h5")

    monkeypatch.setattr(keras.applications, "EfficientNetB0", unreachable)
    done = run("train", "--arch", "efficientnet", "--pretrained", *FEW, "--out", "b0.keras", code=6)
    assert "example.org/b0.h5" in done.stderr
    assert "Traceback" not in done.output and not Path("b0.keras").exists()


def test_fine_tuning_on_a_folder_reports_before_and_after(
    trained: TrainResult, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "FineTuneConfig", partial(runs.FineTuneConfig, written=30, made=10, scenes=4))
    digits = mnist_test()[400:420]
    for place, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        file = data_folder / "hand" / str(label) / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    options = ["--data", "hand", "--epochs", "1", "--batch", "16", "--limit-test", "10"]
    done = run("train", "--start", str(trained.litert_file), "--out", "mine.tflite", *options, code=0)
    assert "synthetic" in done.stderr
    table = done.stdout.splitlines()
    assert table[0].split() == ["correct", "before", "after", "95", "%", "interval", "gained", "lost"]
    assert [line.split("  ")[0] for line in table[1:5]] == [
        "your own, held back", "mnist-test", "letters, refused", "scribbles, refused"
    ]  # fmt: skip
    assert "learned 16 pictures in" in done.stdout
    assert store.load(Path("mine.tflite")).card["settings"]["batch"] == 16
    Image.fromarray(drawn_seven().pixels).save("seven.png")
    run("predict", "seven.png", "--model", "mine.tflite", code=0)
    assert "MNIST test" in run("models", "list", "mine.tflite", code=0).stdout


@pytest.mark.parametrize(("options", "code", "says"), [
    (["--loss", "sparse"], 2, "--arch"), (["--side", "64"], 2, "--arch"),
    (["--side", "31", "--arch", "efficientnet"], 2, "32"),
    (["--arch", "mlp", "--freeze", *FEW], 2, "--start or --pretrained"),
    (["--arch", "knn", "--freeze"], 2, "--start or --pretrained"),
    (["--arch", "mlp", "--pretrained", *FEW], 2, "--arch efficientnet"),
    (["--batch", "200", "--data", "mnist-test", "--limit", "150"], 6, "one batch of 200"),
    (["--validation-split", "0", "--data", "mnist-test", "--limit", "150"], 6, "held-out digits"),
    (["--arch", "mlp", "--learning-rate", "1e30", "--optimizer", "sgd", *FEW], 5, "--learning-rate"),
    (["--arch", "svm", "--no-augment"], 2, "for networks"),
    (["--arch", "knn", "--epochs", "3", "--loss", "sparse"], 2, "--epochs, --loss: for networks"),
    (["--arch", "mlp", "--optimizer", "lion"], 2, "rmsprop"), (["--arch", "lenet"], 5, "tutorial-cnn"),
    (["--arch", "mlp", "--out", "mlp.onnx"], 2, "mlp.onnx"), (["--out", "ours.onnx"], 2, "ours.onnx"),
    (["--arch", "mlp", "--data", "nowhere"], 6, "nowhere"), (["--validation-split", "1.5"], 2, "0.9"),
    (["--arch", "mlp", "--start", "missing.keras"], 2, "missing.keras"),
    (["--start", "digitrec"], 2, "--data"),
    (["--start", "digitrec", "--data", "hand", "--loss", "sparse"], 2, "--loss: for an architecture"),
    (["--start", "digitrec", "--data", "hand", "--test", "hand"], 2, "--test"),
    (["--start", "digitrec", "--data", "nowhere", "--out", "mine.onnx"], 2, "mine.onnx"),
])  # fmt: skip
def test_options_that_do_not_fit_are_refused(options: list[str], code: int, says: str) -> None:
    assert says in run("train", *options, code=code).stderr
