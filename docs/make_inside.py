"""Draws docs/images/explain.png, nearest.png and map.png, as `digitrec explain --nearest` and `--map` do.

Run from the repository's root, with the extras `plots`, `stats` and `train`. MNIST's training set is fetched,
or taken from DIGITREC_DATA.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
SHOWN = "photo-shadow"
"""The sample that is explained."""
WIDTH = 1000
"""Of a picture in the docs, px at most."""


def main() -> None:
    """Draw them and make them small."""
    with tempfile.TemporaryDirectory() as folder:
        explain(f"samples/{SHOWN}.jpg", "--nearest", "--out", folder)
        explain("samples", "--map", "--out", folder)
        for made, kept in ((SHOWN, "explain"), (f"{SHOWN}-nearest", "nearest"), ("map", "map")):
            keep(Path(folder, f"{made}.png"), IMAGES / f"{kept}.png")


def explain(*arguments: str) -> None:
    """`digitrec explain`."""
    subprocess.run([sys.executable, "-m", "digitrec", "explain", *arguments], cwd=ROOT, check=True)


def keep(made: Path, at: Path) -> None:
    """Smaller and with fewer colours."""
    with Image.open(made) as picture:
        small = picture.convert("RGB")
    small.thumbnail((WIDTH, 2 * WIDTH), Image.Resampling.LANCZOS)
    small.quantize(256, Image.Quantize.MAXCOVERAGE).save(at, optimize=True)


if __name__ == "__main__":
    main()
