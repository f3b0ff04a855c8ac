"""A command leaves only the requested files and files in digitrec's own folders."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import ctrl_c
import keras
import numpy as np
import pytest
from pages import loaded
from programs import python, ran

from digitrec.cli import COMMANDS
from digitrec.comparison.datasets.mnist import mnist_test

ROOT = Path(__file__).parents[1]
OURS = (".cache/digitrec", ".config/digitrec", ".local/share/digitrec", ".local/state/digitrec")
"""digitrec's folders below the home without any variable set."""

GROUPS = {
    "clouds": [
        "predict pictures -o csv", "predict pictures -p google --dry-run", "demo",
        "predict pictures --fallback google,aws --below 1 --emulate --ledger out/l.sqlite",
        "predict pictures -p aws --emulate --record out/recorded",
        "read pictures -p aws --emulate --no-ledger", "compare pictures --emulate",
        "benchmark pictures -p local,azure,azure-analysis --emulate --no-ledger --html out/page.html",
        "ledger --ledger out/l.sqlite show", "providers", "config",
    ],
    "batch": [
        "batch pictures -o out/rows.jsonl", "review out/rows.jsonl --below 0.01 --out out/labelled",
        "batch pictures pictures pictures -o out/rows.csv --workers 2",
    ],
    "own model": [
        "train --arch knn --data mnist-test --limit 60 --limit-test 100 --out out/knn.skops",
        f"predict {ROOT}/samples/photo-pen.jpg --model out/knn.skops",
    ],
    "tesseract": ["predict pictures/drawing.png -p tesseract"],
}  # fmt: skip
"""Commands, one process for each group; the tutorial's and those that end by Ctrl-C are below."""
SMALL = {"epochs": 1, "limit": 60, "limit-test": 100, "trials": 1}
"""Values of the tutorial's options for which a command takes seconds."""
ONE_BY_ONE = """
import shlex, sys
from digitrec.cli import main
for line in sys.argv[1:]:
    try:
        main(shlex.split(line))
    except SystemExit as end:
        if end.code:
            sys.exit(f"{line}: exit status {end.code}")
    print("$", line, file=sys.stderr)
    if "tensorflow" in sys.modules:  # a few steps take less time than compiling them
        sys.modules["tensorflow"].config.run_functions_eagerly(True)
"""
SMALLER = """
from digitrec.commands import course
from digitrec.lab.training import compare
course.QUICK, compare.QUICK_DIGITS, compare.QUICK_TEST = 240, 100, 100
"""
"""Code that makes the runs of --quick even shorter."""
SERVICES = ["serve --port 0 --providers local,rapidocr", "emulate"]
CHATTER = re.compile("I0000|absl|INFO: Created TensorFlow Lite")
"""Log lines of TensorFlow and LiteRT."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Create an empty home, an empty temporary folder, and a working folder."""
    world = tmp_path_factory.mktemp("world")
    pictures = world / "work" / "pictures"
    for folder in (world / "home", world / "tmp", world / "work" / "out", pictures):
        folder.mkdir(parents=True)
    shutil.copy(ROOT / "samples" / "drawing-28x28-dark-on-light.png", pictures / "drawing.png")
    (pictures / "labels.csv").write_text("file,label\ndrawing.png,9\n")
    digits = mnist_test()
    labels = digits.labels[:200].copy()
    labels[::10] = (labels[::10] + 1) % 10  # so that there are wrong answers to calibrate with
    np.savez(world / "work" / "hard.npz", x=digits.images[:200], y=labels)
    return world


KEPT = (
    "PATH", "SYSTEMROOT", "LANG", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTEROP_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)  # fmt: skip


def environment(world: Path) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name in KEPT} | {
        "HOME": str(world / "home"), "TMPDIR": str(world / "tmp"), "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip


def left(world: Path) -> list[str]:
    """Return the files left where they should not be."""
    found = (path.relative_to(world).as_posix() for path in world.rglob("*") if path.is_file())
    allowed = ("work/out/", "work/pictures/", "work/hard.npz", *(f"home/{folder}/" for folder in OURS))
    return [path for path in found if not path.startswith(allowed)]


def digitrec(line: str) -> list[str]:
    return [sys.executable, "-m", "digitrec", *line.split()]


@pytest.mark.skipif(sys.platform != "linux", reason="the folders are Linux's")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("group", GROUPS)
def test_commands_leave_nothing(world: Path, group: str) -> None:
    if group == "tesseract" and shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed")
    done = python("-c", ONE_BY_ONE, *GROUPS[group], cwd=world / "work", env=environment(world))
    assert not CHATTER.search(done.stderr)
    assert left(world) == []


FIRST = "models list theirs.keras"
"""A command that loads TensorFlow, before the tutorial's."""
AFTERWARDS = ["calibrate ../../hard.npz", "course --quick --arch mlp --epochs 1 --out all"]
"""Commands in the tutorial's folder, after its own."""


def tutorial() -> list[str]:
    run = loaded(ROOT / "docs" / "course" / "run.py")
    steps = [step.text for step in run.steps(ROOT / "docs" / "tutorial.md") if step.language == "sh"]
    ours = [step.removeprefix("digitrec ") for step in steps if step.startswith("digitrec ")]
    ours = [re.sub("^train (?!.*--limit-test)", "train --limit-test 100 ", step) for step in ours]
    return [re.sub(r"--(\S+) (\d+)", _small, step) for step in ours if not step.startswith("course")]


def _small(option: re.Match[str]) -> str:
    return f"--{option[1]} {SMALL.get(option[1], option[2])}"


@pytest.mark.skipif(sys.platform != "linux", reason="the folders are Linux's")
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras 3.15
def test_the_tutorials_commands_run_in_their_order_and_leave_nothing_elsewhere(world: Path) -> None:
    folder = world / "work" / "out" / "tutorial"
    folder.mkdir()
    (folder / "samples").symlink_to(ROOT / "samples")
    untrained = [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10)]
    keras.Sequential(untrained).save(folder / "theirs.keras")
    lines = [FIRST, *tutorial(), *AFTERWARDS]
    done = python("-c", SMALLER + ONE_BY_ONE, *lines, cwd=folder, env=environment(world))
    assert not CHATTER.search(done.stderr)
    said, _, _ = done.stderr.partition(f"$ {FIRST}\n")
    assert said.count("\n") == 1 and "theirs.keras" in said  # its scale is unknown; TensorFlow says nothing
    assert left(world) == []
    for name in (
        "digitrec-exploration/embedding.png", "digitrec-explanation/photo-shadow.png",
        "mnist_cnn_model-curves.png", "digitrec-evaluation/mnist-test-mistakes.png",
        "digitrec-models/images/models-accuracy.png", "all/data/embedding.png", "all/model-curves.png",
        "all/evaluation/mnist-test-mistakes.png", "all/digit.png",
    ):  # fmt: skip
        assert (folder / name).is_file()
    assert re.findall(r"^\$ digitrec (\w+)", done.stdout, re.MULTILINE) == [
        "explore", "train", "evaluate", "predict"
    ]  # fmt: skip


@pytest.mark.skipif(sys.platform != "linux", reason="the folders are Linux's")
@pytest.mark.parametrize("line", SERVICES)
def test_a_service_leaves_nothing(world: Path, line: str) -> None:
    service = subprocess.Popen(
        digitrec(line), cwd=world / "work", env=environment(world),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert service.stdout is not None
    until = time.monotonic() + 120
    while "http://127.0.0.1:" not in (line := service.stdout.readline()):
        assert not CHATTER.search(line)
        assert time.monotonic() < until
        assert service.poll() is None
    ctrl_c.ended(service)
    assert left(world) == []


def test_no_command_is_left_out() -> None:
    lines = [*SERVICES, *tutorial(), *AFTERWARDS, *(line for group in GROUPS.values() for line in group)]
    assert {line.split()[0] for line in lines} == set(COMMANDS)


def test_the_users_folder_stays_but_not_the_backend_of_a_notebook(tmp_path: Path) -> None:
    env = os.environ | {"MPLCONFIGDIR": str(tmp_path / "mine"), "MPLBACKEND": "mine", "PYTHONPATH": str(ROOT)}
    ran(*digitrec(f"explain {ROOT / 'samples' / 'blank-page.jpg'} --out {tmp_path / 'why'}"), env=env)
    assert list((tmp_path / "mine").glob("fontlist*"))
