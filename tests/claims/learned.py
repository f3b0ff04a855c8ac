"""Of the pages on what else is learned: one's own hand, small networks, the digits that one is like."""

from __future__ import annotations

from digitrec.benchmark.measures import CONFIDENCE_LEVEL, proportion
from digitrec.datasets.mnist import mnist_test
from digitrec.evaluation.change import SOME
from digitrec.training.finetune import FEWEST
from digitrec.training.recovered import AGREED
from digitrec.training.run import FineTuneConfig

OWN = FineTuneConfig()
SHARES = {0.1: "a tenth", 0.2: "a fifth", 0.25: "a quarter"}
ALL_OF_TWENTY = proportion(20, 20)
TESTS = "tests/training/test_backbones.py"
assert ALL_OF_TWENTY.low is not None
assert OWN.new == 0.5  # "the mean of the weights before and after"

CLAIMS = {
    "docs/own-hand.md": [
        f"Fewer than {FEWEST} pictures that can be learned from are refused",
        f"which must answer as the first does, to {AGREED:.0e}".replace("e-0", "e-"),
        f"**{SHARES[OWN.validation].capitalize()} of your pictures**, each digit in its share, is held back",
        f"{SHARES[OWN.own]} of each batch is yours, changed anew each time; the rest are {OWN.written:,} of MNIST's "
        f"training digits, {OWN.made:,} pictures made of them and {OWN.scenes} scenes",
        f"on MNIST's {len(mnist_test()):,} test digits",
        f"up to {SOME} pictures (`--limit-test`)",
        f"the {100 * CONFIDENCE_LEVEL:g} % interval (Wilson)",
        f"all twenty may be right, and the interval then says {100 * ALL_OF_TWENTY.low:.0f} to 100 %",
    ],
    "docs/tutorial.md": [f"kept in the user's cache folder ({60_000 * 192 * 4 / 1e6:.0f} MB)"],
}
QUOTED = [
    ("docs/tutorial.md", "78,426, 147,610 and 51,380 parameters", TESTS, "78_426"),
    ("docs/tutorial.md", "147,610 and 51,380 parameters", TESTS, "147_610"),
    ("docs/tutorial.md", "51,380 parameters", TESTS, "51_380"),
]
