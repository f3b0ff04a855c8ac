"""What a picture reminds a network of."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import platformdirs
import pytest

from digitrec.comparison.datasets.mnist import Digits, mnist_test
from digitrec.errors import ModelError
from digitrec.lab.evaluation.nearest import Memory, directions, memory
from digitrec.providers.base import Provider
from digitrec.providers.local import Local

SET = mnist_test()[:200]


@pytest.fixture(scope="module")
def network() -> Local:
    return Local()


def embeddings(network: Local, digits: Digits = SET) -> int:
    """How many digits had to be embedded."""
    told: list[int] = []
    memory(network, digits, "some", lambda done, _: told.append(done))
    return max(told, default=0)


def test_a_digit_reminds_of_itself_first_and_then_of_its_kind(network: Local) -> None:
    found = memory(network, SET, "some")
    others = mnist_test()[200:260]
    for image, label in zip(SET.images[:5], SET.labels[:5], strict=True):
        first, *_ = found.nearest(directions(network, image[None])[0], 3)
        assert first.likeness == pytest.approx(1, abs=1e-3) and first.label == label
        assert np.array_equal(SET.images[first.place], image)
    alike = [found.nearest(one, 1)[0].label for one in directions(network, others.images)]
    assert np.mean(np.array(alike) == others.labels) > 0.95


def test_the_most_alike_come_first_and_strength_does_not_count() -> None:
    known = np.array([[0, 1], [1, 0], [0.8, 0.6], [0.6, 0.8]], np.float16)
    four = Memory(mnist_test()[:4], known)
    found = four.nearest(np.array([1, 0], np.float32), 3)
    assert [one.place for one in found] == [1, 2, 3]
    assert [round(one.likeness, 2) for one in found] == [1.0, 0.8, 0.6]
    assert [one.label for one in found] == mnist_test().labels[[1, 2, 3]].tolist()


@pytest.mark.parametrize("spoilt", ["", "cut", "other", "pickle", "empty"])
def test_they_are_embedded_once_for_each_network_and_again_if_the_file_does_not_fit(
    network: Local, spoilt: str
) -> None:
    assert embeddings(network) == len(SET)
    (file,) = (platformdirs.user_cache_path("digitrec") / "features").iterdir()
    assert file.name == f"some-{network.features_of}.npy"
    whole = file.read_bytes()
    if spoilt == "other":
        np.save(file, np.roll(np.load(file), 1, axis=0))
    elif spoilt == "pickle":
        np.save(file, np.array([{"not": "numbers"}]), allow_pickle=True)
    elif spoilt:
        file.write_bytes(whole[: len(whole) // 2] if spoilt == "cut" else b"")
    assert embeddings(network) == (len(SET) if spoilt else 0)
    assert file.read_bytes() == whole
    assert embeddings(network, mnist_test()[:100]) == 100  # another set of that name


def test_a_folder_that_cannot_be_written_costs_only_the_time(
    network: Local, caplog: pytest.LogCaptureFixture
) -> None:
    folder = platformdirs.user_cache_path("digitrec")
    folder.mkdir(parents=True)
    (folder / "features").write_text("a file where the folder should be")
    assert embeddings(network) == len(SET)
    assert "cannot be kept" in caplog.text


def test_an_engine_that_shows_no_features_is_refused() -> None:
    closed = SimpleNamespace(name="closed")
    with pytest.raises(ModelError, match="closed"):
        memory(cast(Provider, closed), SET, "some")
