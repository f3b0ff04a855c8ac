"""digitrec calibrate: from labelled pictures to a chance in every prediction."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import terminal

run = partial(terminal.run, code=0)


def partly_mislabelled(path: Path, count: int, noise: float) -> Path:
    """MNIST test digits with this noise, each eighth with a wrong label."""
    from digitrec.comparison.datasets.loader import read_samples

    samples = read_samples("mnist-test", count)
    rng = np.random.default_rng(0)
    clean = np.stack([np.asarray(sample.image) for sample in samples])
    noisy = np.clip(clean + rng.normal(0, noise, clean.shape), 0, 255).astype(np.uint8)
    labels = np.array([sample.label for sample in samples], np.uint8)
    labels[::8] = (labels[::8] + 1) % 10
    np.savez(path, x=noisy, y=labels)
    return path


def test_every_command_shows_the_calibrated_chance(tmp_path: Path, seven: Path) -> None:
    before = run("predict", seven).stdout
    told = run("calibrate", partly_mislabelled(tmp_path / "digits.npz", 200, 60)).stdout
    assert "local (mnist, model " in told
    clean = run("benchmark", "mnist-test", "--limit", 3, "-o", "json").stdout
    answers = [row["answers"]["local"] for row in json.loads(clean)["answers"]]
    assert all(0 < answer["calibrated"] < 1 for answer in answers)
    (chance,) = [row["calibrated"] for row in json.loads(run("predict", seven, "-o", "json").stdout)]
    _, row, legend = run("predict", seven).stdout.splitlines()
    assert f"{chance:.1%}*" in row
    assert f"{chance:.1%}*" not in before
    assert legend.startswith("* calibrated: the chance of being right")
    assert f"calibrated {chance:.1%}" in run("compare", seven, "-p", "local").stdout


def test_the_calibration_of_an_emulator_is_marked(tmp_path: Path) -> None:
    data = partly_mislabelled(tmp_path / "digits.npz", 60, 0)
    said = run("calibrate", data, "-p", "aws", "--emulate", "--no-ledger").stdout
    assert ", emulated): " in said
    assert said.endswith(" aws.\n")
    assert "*" not in run("predict", "samples/photo-pen.jpg").stdout


def test_pictures_without_errors_cannot_calibrate() -> None:
    assert "give more or harder pictures" in run("calibrate", "mnist-test", "--limit", 60, code=6).stderr
