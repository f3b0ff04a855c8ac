"""The finder's scenes and network."""

import numpy as np

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.datasets.world import Paths, People, Scans
from digitrec.lab.finding.scenes import GROUPS, SIDE, Painter
from digitrec.lab.finding.train import MAPS, digits, network, others
from digitrec.models.network import runner
from digitrec.models.store import to_litert
from digitrec.prepare.finder import WEIGHTS

LINE = [np.array([[0.0, 0.0], [40.0, 100.0]])]
DIGITS, WRITER = mnist_test()[:50], np.array(["a"])
SCANS = Scans(DIGITS.images, DIGITS.labels, WRITER.repeat(50))
HANDS = People(DIGITS, SCANS, Paths([LINE], np.ones(1, np.uint8), WRITER))


def painter() -> Painter:
    return Painter(list(digits(HANDS, 20, 1)), list(others(20, 1)), np.random.default_rng(2))


def test_a_scene_labels_the_pixels_of_its_marks() -> None:
    one, again = painter(), painter()
    marks = kinds_seen = 0
    for _ in range(30):
        picture, owners, groups = one.scene()
        assert picture.shape == (SIDE, SIDE, 3) and picture.dtype == np.uint8
        writing = (owners > 0) & (owners < GROUPS)
        assert owners.shape == (SIDE, SIDE) and owners[writing].max(initial=0) <= len(groups)
        assert all(0 <= group.missing <= 1 for group in groups)
        assert np.array_equal(picture, again.scene()[0])
        marks += len(groups)
        kinds = owners == 0, writing, owners == GROUPS
        kinds_seen |= sum(1 << at for at, kind in enumerate(kinds) if kind.any())
    assert marks > 30 and kinds_seen == 7


def test_the_network_becomes_a_small_file_for_pictures_of_any_size() -> None:
    content = to_litert(network())
    assert max(len(content), WEIGHTS.stat().st_size) < 600_000
    for sides in ((48, 64), (160, 160)):
        maps, kinds = runner(content).run(np.zeros((1, *sides, 3), np.float32))
        assert kinds.shape == (1, *sides, 3)
        assert maps.shape == (1, sides[0] // 2, sides[1] // 2, MAPS)
