"""Things beside a digit."""

import numpy as np

from digitrec.lab.handwriting.things import beside, stick


def test_things_lie_beside_the_digit() -> None:
    paper, shown = np.full((200, 260, 3), 220, np.uint8), 0
    for seed in range(12):
        made, again = (
            beside(stick, paper, (100, 60, 150, 140), np.random.default_rng(seed)) for _ in range(2)
        )
        assert np.array_equal(made, again)
        assert np.ptp(made[57:143, 97:153].astype(int)) <= 0.5 * 220  # a shadow at most
        shown += np.ptp(made.astype(int)) > 0
    assert shown >= 10
