"""The accuracy table: its sets, and whether their pictures match their names."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import digitrec
from digitrec.comparison.datasets.loader import Sample
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.engine import Engine
from digitrec.errors import DataError
from digitrec.lab.datasets.digits import keys_of
from digitrec.lab.evaluation import accuracy
from digitrec.lab.evaluation.accuracy import CHANGED, DIGITS, REFUSED, STAGED, fresh_seeds, measured, sets
from digitrec.lab.handwriting.changes import CHANGES
from digitrec.lab.handwriting.corruptions import KINDS
from digitrec.lab.handwriting.strokes import PLAIN
from digitrec.providers.local import Local


def test_a_folder_of_data_adds_its_sets(data_folder: Path) -> None:
    (data_folder / "sets").mkdir()
    test = mnist_test()[:4]
    np.savez(data_folder / "sets" / "hwd1000.npz", x=test.images, y=test.labels)
    (data_folder / "world" / "numbers").mkdir(parents=True)
    (data_folder / "world" / "pendigits-orig.tra").touch()
    found = {one.name: one for one in sets() if one.group == DIGITS}
    assert list(found) == ["mnist-test", "hwd1000", "swiss-dev", "turkish-dev"]
    assert [sample.label for sample in found["hwd1000"].samples(None)] == test.labels.tolist()


def test_fonts_held_back_are_sets_where_their_folder_is(some_fonts: Path) -> None:
    found = {one.name: one for one in sets()}
    assert found["fonts-dev"].group == DIGITS and found["letters of fonts"].group == REFUSED
    assert len(found["fonts-dev"].samples(3)) == 3
    assert {sample.label for sample in found["letters of fonts"].samples(3)} == {None}


@pytest.mark.parametrize("one", [it for it in sets() if it.name not in KINDS[1:]], ids=lambda it: it.name)
def test_each_set_gives_as_many_as_are_wanted(one) -> None:
    samples = one.samples(3)
    assert len(samples) == 3
    assert all((sample.label is None) == (one.group == REFUSED) for sample in samples)


@pytest.mark.parametrize(
    ("limit", "drawn"), [(None, [(7, 0), (7, 1), (8, 0), (8, 1)]), (2, [(7, 0), (8, 0)]), (1, [(7, 0)])]
)
def test_each_seed_draws_its_share_of_the_pictures(limit: int | None, drawn: list[tuple[int, int]]) -> None:
    def make(count: int, seed: int) -> Iterator[Sample]:
        return (Sample(np.array([seed, number]), None) for number in range(count))

    found = accuracy.drawn(make, 5, [7, 8], limit)
    assert [tuple(one.image) for one in found] == drawn
    assert [one.group for one in found] == [str(seed) for seed, _ in drawn]


def test_other_seeds_draw_other_pictures_of_every_generated_set() -> None:
    chosen = ({one.name: one for one in sets([seed])} for seed in (7, 8))
    for one, other in zip(*(each.values() for each in chosen), strict=True):
        if one.group in (STAGED, REFUSED):
            (first,), (second,) = one.samples(1), other.samples(1)
            assert not np.array_equal(first.image, second.image), one.name


def test_seeds_come_from_the_commit_or_the_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert fresh_seeds("net-1") == fresh_seeds("net-1")
    monkeypatch.setattr(digitrec, "__file__", str(tmp_path / "digitrec" / "__init__.py"))
    installed = fresh_seeds("net-1")
    assert len({*installed}) == accuracy.SEEDS and installed == fresh_seeds("net-1") != fresh_seeds("net-2")


def test_learned_digits_are_left_out_of_a_set(data_folder: Path) -> None:
    test = mnist_test()[:6]
    samples = [Sample(image, int(label)) for image, label in zip(test.images, test.labels, strict=True)]
    one = accuracy.Set("x", DIGITS, lambda limit: samples)
    with Engine(Local()) as engine:
        assert measured(engine, one, learned=keys_of(test.images[:4])).found.card.n == 2
    (data_folder / "sets").mkdir()
    np.savez(data_folder / "sets" / "canvas-dev.npz", x=test.images, y=test.labels)
    changed = next(one for one in sets(learned=keys_of(test.images[:4])) if one.group == CHANGED)
    assert len(changed.samples(12)) == 6 + 2, "of plain paper and of the set"


def test_a_measured_set_keeps_its_name_and_goal() -> None:
    chosen = [one for one in sets() if one.name in ("mnist-test", "scale", "letters like digits")]
    with Engine(Local()) as engine:
        found = [measured(engine, one, 12) for one in chosen]
    assert [one.found.data for one in found] == ["mnist-test", "scale", "letters like digits"]
    assert [one.goal for one in found] == [0.997, 0.85, None]
    assert found[0].found.accuracy.share == 1


def test_changes_that_should_change_nothing_change_few_answers() -> None:
    with Engine(Local()) as engine:
        found = [measured(engine, one, 4) for one in sets() if one.group == CHANGED]
    assert sum(one.found.accuracy.hits for one in found) >= 0.9 * 4 * len(CHANGES)


def test_the_writers_held_back_are_sets_to_measure(world_folder: Path) -> None:
    assert [sample.label for sample in accuracy.swiss_dev()] == [1, 3, 5]
    assert [sample.label for sample in accuracy.swiss_dev(2)] != [1, 3]  # drawn from all
    (one,), (again,) = accuracy.turkish_dev(), accuracy.turkish_dev()
    assert one.label == 1
    assert np.array_equal(one.image, again.image) and np.asarray(one.image).max() == 255


def test_the_scans_of_writers_held_back_keep_their_own_size(world_folder: Path) -> None:
    cells = world_folder / "swiss_cells"
    cells.mkdir()
    (cells / "labels.csv").write_text("file,label,writer\na.png,1,0001\nb.png,7,0008\nc.png,2,0017\n")
    found = accuracy.swiss_cells_dev()
    assert [(one.image, one.label) for one in found] == [(cells / "b.png", 7), (cells / "c.png", 2)]
    (cells / "labels.csv").write_text("name\nb.png\n")
    with pytest.raises(DataError, match=r"labels\.csv"):
        accuracy.swiss_cells_dev()


def test_the_fonts_held_back_are_sets_to_measure(some_fonts: Path) -> None:
    digits, letters = accuracy.in_fonts("0123456789" * 2), accuracy.in_fonts("".join(PLAIN))
    assert sorted(sample.label or 0 for sample in digits) == sorted([*range(10), *range(10)])
    assert len(letters) == len(PLAIN) and {sample.label for sample in letters} == {None}
    again = accuracy.in_fonts("0123456789" * 2, 10)
    assert {sample.label for sample in again} == set(range(10))
    assert all(any(np.array_equal(one.image, other.image) for other in digits) for one in again)
    (some_fonts / "apart-latin-400-normal.woff").write_bytes(b"another")
    with pytest.raises(DataError, match="damaged"):
        accuracy.in_fonts("A")
