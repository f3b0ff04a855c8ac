"""`digitrec train --start`: our own network learns a hand, from the command line."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

from digitrec.cli import main
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import drawn_seven
from digitrec.lab.training import run
from digitrec.lab.training.run import TrainResult
from digitrec.models import store

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras 3.15


def test_a_folder_of_pictures_is_learned_and_told_of(
    trained: TrainResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGITREC_DATA", str(tmp_path))
    few = partial(run.FineTuneConfig, written=30, made=10, scenes=4)
    monkeypatch.setattr(run, "FineTuneConfig", few)
    digits = mnist_test()[400:420]
    for place, (image, label) in enumerate(zip(digits.images, digits.labels, strict=True)):
        file = tmp_path / "hand" / str(label) / f"{place}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(file)
    options = ["--data", "hand", "--epochs", "1", "--batch", "16", "--limit-test", "10"]
    start = ["--start", str(trained.litert_file), "--out", "mine.tflite"]
    done = CliRunner().invoke(main, ["train", *start, *options])
    assert done.exit_code == 0, done.output
    assert "digits of a synthetic hand stand in for MNIST's" in done.stderr
    table = done.stdout.splitlines()
    assert table[0].split() == ["read", "rightly", "before", "after", "95", "%", "interval", "gained", "lost"]
    assert [line.split("  ")[0] for line in table[1:5]] == [
        "your own, held back", "mnist-test", "letters, refused", "scribbles, refused"
    ]  # fmt: skip
    assert "Of your 4 pictures held back" in done.stdout and "learned 16 pictures in" in done.stdout
    assert store.load(Path("mine.tflite")).card["settings"]["batch"] == 16 and Path("mine.md").is_file()
    Image.fromarray(drawn_seven().pixels).save("seven.png")
    assert CliRunner().invoke(main, ["predict", "seven.png", "--model", "mine.tflite"]).exit_code == 0
    listed = CliRunner().invoke(main, ["models", "list", "mine.tflite"])
    assert listed.exit_code == 0 and "MNIST test" in listed.stdout


@pytest.mark.parametrize(("options", "code", "says"), [
    ([], 2, "name your pictures with --data"),
    (["--data", "hand", "--loss", "sparse"], 2, "--loss: for an architecture"),
    (["--data", "hand", "--test", "mnist-test", "--resume"], 2, "--test, --resume: for an architecture"),
    (["--data", "nowhere"], 6, "nowhere"),
    (["--data", "nowhere", "--out", "mine.onnx"], 2, "mine.onnx"),
])  # fmt: skip
def test_what_does_not_fit_is_refused(options: list[str], code: int, says: str) -> None:
    done = CliRunner().invoke(main, ["train", "--start", "digitrec", *options])
    assert done.exit_code == code and says in done.stderr
