"""A command without its extra names the extra in one line and shows no traceback."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from digitrec.cli import COMMANDS
from digitrec.comparison.datasets.mnist import mnist_test

PICTURE = Path(__file__).parents[2] / "samples" / "photo-pen.jpg"
STATS, PLOTS = "scipy sklearn skops threadpoolctl pandas", "matplotlib"
TRAIN = "tensorflow keras h5py pooch tqdm optuna onnx"
OTHERS = "boto3 botocore google azure openai rapidocr onnxruntime requests"
WEB = "fastapi starlette uvicorn h11 prometheus_client python_multipart"

PROGRAM = """
import sys

missing = set(sys.argv[1].split())
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in missing:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Without())
from digitrec.cli import main
for line in sys.stdin.read().splitlines():
    print(chr(30))
    try:
        main(line.split())
    except SystemExit as ended:
        print("->", ended.code or 0)
    except BaseException as error:
        print("->", type(error).__name__, error)
"""

PLAIN = [
    "predict PICTURE", "predict PICTURE -p google", "predict PICTURE -p google --emulate",
    "predict PICTURE --consensus 2 -p local,rapidocr,openai", "predict PICTURE --model net.keras",
    "predict PICTURE --model net.h5", "predict PICTURE --model net.skops", "compare PICTURE",
    "compare PICTURE -p local,aws", "batch PICTURE -o out.jsonl", "benchmark hard.npz", "calibrate hard.npz",
    "benchmark hard.npz --target 0.5", "explain PICTURE", "explore hard.npz", "evaluate --data hard.npz",
    "evaluate", "tune --data hard.npz", "train --arch mlp --data hard.npz",
    "train --arch knn --data hard.npz", "train --data hard.npz", "train --start digitrec --data hard.npz",
    "course --quick", "models list", "models compare --quick", "models export digitrec net.onnx",
    "serve --port 0", "emulate nobody", "providers", "providers check rapidocr", "config", "ledger spend",
    "demo", "read PICTURE", "read PICTURE -p rapidocr", "review out.jsonl",
]  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("extras")
    digits = mnist_test()[:200]
    np.savez(folder / "hard.npz", x=digits.images, y=digits.labels)
    for name in ("net.keras", "net.h5", "net.skops"):
        (folder / name).write_bytes(b"PK\x03\x04")
    return folder


def said(folder: Path, missing: str, lines: list[str]) -> dict[str, str]:
    """Return the end of each digitrec command's output while these modules are missing."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, missing], input="\n".join(lines).replace("PICTURE", str(PICTURE)),
        cwd=folder, text=True, timeout=300, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
    )  # fmt: skip
    parts = done.stdout.split("\x1e")[1:]
    assert len(parts) == len(lines), done.stdout
    return dict(zip(lines, parts, strict=True))


def test_with_no_extra_each_command_works_or_names_one(folder: Path) -> None:
    told_of = said(folder, f"{STATS} {PLOTS} {TRAIN} {OTHERS} {WEB}", PLAIN)
    for told in told_of.values():
        code = told.rsplit("-> ", 1)[1].strip()
        assert "Traceback" not in told
        assert code != "3" or "pip install" in told, told
        assert code in ("0", "2", "3"), told
    assert {line.split()[0] for line in PLAIN} == set(COMMANDS)
    assert "[tune]" in told_of["tune --data hard.npz"]
    assert "'.[stats,plots]'" in told_of["explore hard.npz"]
    assert all("[train]" in told_of[line] for line in ("models compare --quick", "course --quick"))


@pytest.mark.parametrize(("missing", "line", "extra"), [
    *((package, "benchmark hard.npz", "stats") for package in ("scipy", "sklearn")),
    (PLOTS, "evaluate --data hard.npz", "plots"),
])  # fmt: skip
def test_a_missing_package_is_told_before_any_work(folder: Path, missing: str, line: str, extra: str) -> None:
    (told,) = said(folder, missing, [line]).values()
    assert told.endswith("-> 3\n")
    assert f"pip install '.[{extra}]'" in told
    assert "accuracy" not in told
