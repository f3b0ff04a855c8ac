"""Of the pages on what else is learned: one's own hand, small networks, the digits that one is like."""

from __future__ import annotations

from digitrec.training.run import FineTuneConfig

OWN = FineTuneConfig()
TESTS = "tests/training/test_backbones.py"

CLAIMS = {
    "docs/own-hand.md": [
        f"the rest are {OWN.written:,} of MNIST's training digits, {OWN.made:,} pictures made of them and {OWN.scenes} scenes",
    ],
    "docs/tutorial.md": [f"kept in the user's cache folder ({60_000 * 192 * 4 / 1e6:.0f} MB)"],
}
QUOTED = [
    ("docs/own-hand.md", "learns your hand from 50 to 500 pictures of it", "docs/own-hand.md", "50 to 500"),
    ("docs/own-hand.md", "up to 300 pictures (`--limit-test`)", "docs/own-hand.md", "`--limit-test`"),
    ("docs/own-hand.md", "all twenty may be right, and the interval then says 84 to 100 %", "docs/own-hand.md", "84 to 100"),
    ("docs/own-hand.md", "the 95 % interval (Wilson)", "docs/own-hand.md", "Wilson"),
    ("docs/tutorial.md", "78,426, 147,610 and 51,380 parameters", TESTS, "78_426"),
    ("docs/tutorial.md", "147,610 and 51,380 parameters", TESTS, "147_610"),
    ("docs/tutorial.md", "51,380 parameters", TESTS, "51_380"),
]
