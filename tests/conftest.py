"""Fixtures for every test: a clean environment without the developer's settings."""

from __future__ import annotations

import os
import signal
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from raw_server import RawServer

    from digitrec.lab.training.run import TrainResult

HERE = Path(__file__).parent
OURS = (
    "DIGITREC_", "GOOGLE_", "AWS_", "AZURE_", "VISION_", "COMPUTER_VISION_", "CLOUDSDK_",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_COLOR", "FORCE_COLOR",
)  # fmt: skip

KERAS_WARNS = "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
"""Keras 3.15 warns under NumPy 2.4 at each access to a variable; digitrec cannot prevent it."""
EAGER = "ignore:Even though the .tf.config.experimental_run_functions_eagerly:UserWarning"
"""TensorFlow's warning wherever the fixture `eagerly` is used."""
ASK_KERAS = (
    "models/", "lab/training/", "lab/test_stocks.py", "lab/finding/test_judge.py",
    "lab/reading/test_recipe.py", "commands/test_train.py",
)  # fmt: skip
"""Packages and files whose tests access Keras' variables."""

LONGEST = (
    "test_leaves_nothing.py", "commands/test_batch.py", "lab/training/test_train.py",
    "lab/training/test_fit.py", "test_notebook.py", "web/test_malformed.py",
    "browser/test_page_layout.py", "test_readme.py",
)  # fmt: skip
"""The slowest test files. They start first, so that with -n 2 neither process runs one of them alone at the
end."""

# The threads of numeric libraries wait for each other in a loop, which costs CPU where several tests run.
for variable in (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS",
):  # fmt: skip
    os.environ.setdefault(variable, "1")
os.environ.pop("DIGITREC_DATA", None)  # some tests list their sets while they are collected

settings.register_profile("untimed", deadline=None)  # a slow answer of a busy machine is not a failure
settings.load_profile("untimed")

# A shell without job control starts background jobs with SIGINT ignored, and child processes inherit that;
# tests stop such children by SIGINT, so they would never end.
signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP"):  # nohup leaves SIGHUP ignored
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Remove credentials and proxies, and set an own home: no test touches the developer's files."""
    for name in os.environ:
        if name.upper().startswith(OURS):
            monkeypatch.delenv(name)
    home = str(tmp_path_factory.mktemp("home"))
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
                 "XDG_CACHE_HOME", "XDG_STATE_HOME"):  # fmt: skip
        monkeypatch.setenv(name, home)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def as_nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Work in a folder as a user without root's permissions."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o777)
        monkeypatch.chdir(folder)
        was = os.geteuid()
        if was == 0:
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            os.seteuid(was)


@pytest.fixture
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Name an empty folder in DIGITREC_DATA."""
    monkeypatch.setenv("DIGITREC_DATA", str(tmp_path))
    return tmp_path


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    def file(item: pytest.Item) -> str:
        return item.path.relative_to(HERE).as_posix() if item.path.is_relative_to(HERE) else ""

    for item in items:
        if file(item).startswith(ASK_KERAS):
            item.add_marker(pytest.mark.filterwarnings(KERAS_WARNS))
        if "eagerly" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.filterwarnings(EAGER))
    if hasattr(config, "workerinput"):  # one of several processes
        place = {name: number for number, name in enumerate(LONGEST)}
        items.sort(key=lambda item: place.get(file(item), len(place)))


@pytest.fixture
def no_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the engine's waits between attempts, except waits longer than every deadline."""
    from digitrec.engine import request

    def wait_s(error: Exception, attempt: int) -> float:
        asked_s = request.asked_wait_s(error)
        return asked_s if asked_s > 10 else 0.0

    monkeypatch.setattr(request, "wait_s", wait_s)


@pytest.fixture
def server() -> Iterator[RawServer]:
    """Start a server with scripted replies."""
    from raw_server import raw_server

    with raw_server() as running:
        yield running


@pytest.fixture(scope="module")
def eagerly() -> Iterator[None]:
    """Run TensorFlow's operations one by one: a few steps take less time than compiling them."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def told() -> list[tuple[float, str]]:
    """Return the progress reports of the run that made `trained`."""
    return []


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, told: list[tuple[float, str]]) -> TrainResult:
    """One tiny network, trained once for all the tests that need one."""
    import tensorflow as tf

    from digitrec.comparison.datasets.mnist import mnist_test
    from digitrec.lab.training.run import TrainConfig, given
    from digitrec.lab.training.train import train

    config = TrainConfig(
        name="tiny", widths=(4, 8), networks=1, epochs=2, finishing=0, batch=16, validation=0.2,
        made=0, scenes=0, world=0, fonts=False, second=(),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("tiny")
    tf.config.run_functions_eagerly(True)  # a few steps take less time than compiling them
    try:
        with warnings.catch_warnings(action="ignore"):
            what = given(mnist_test()[:120])
            return train(config, folder, what, on_progress=lambda *seen: told.append(seen))
    finally:
        tf.config.run_functions_eagerly(False)
