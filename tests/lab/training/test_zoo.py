"""Architectures by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from digitrec.errors import ModelError
from digitrec.lab.training.zoo import COMPARED, ZOO, find

BEST = {
    "network": {"filters": 4, "depth": 1, "kernel": 3, "dense": 16, "dropout": 0.1},
    "training": {"learning_rate": 0.002, "batch": 16},
}


def test_every_name_is_found_and_the_compared_are_among_them() -> None:
    assert [find(name).name for name in ZOO] == list(ZOO)
    assert set(COMPARED) < set(ZOO)
    assert {find(name).complexity for name in COMPARED} == {"Low", "Medium", "High"}


def test_the_winner_of_a_search_is_an_architecture(tmp_path: Path) -> None:
    file = tmp_path / "best.json"
    file.write_text(json.dumps(BEST))
    kind = find(str(file))
    assert (kind.name, kind.title, kind.origin) == ("best", "Tuned (best)", "our design")
    assert (kind.complexity, kind.family) == ("High", "keras")
    assert (kind.learning_rate, kind.batch) == (0.002, 16)
    assert kind.build().layers[0].filters == 4


@pytest.mark.parametrize("content", ["nothing", "{}", '{"network": {}, "training": {"pace": 1}}', "[]"])
def test_another_file_is_not(tmp_path: Path, content: str) -> None:
    file = tmp_path / "best.json"
    file.write_text(content)
    with pytest.raises(ModelError, match=str(file)):
        find(str(file))


@pytest.mark.parametrize(
    ("name", "says"), [("lenet", "tutorial-cnn, simple-cnn"), ("missing.json", "missing")]
)
def test_an_unknown_name_lists_those_there_are(name: str, says: str) -> None:
    with pytest.raises(ModelError, match=says):
        find(name)
