"""docs/output.md lists every column and field that the commands print."""

import re
from dataclasses import fields
from pathlib import Path

from terminal import text_of

from digitrec.answer import Failure
from digitrec.commands.cost import Cost
from digitrec.comparison import Comparison
from digitrec.comparison.benchmark import KEPT
from digitrec.errors import ImageError
from digitrec.image import ImageRef
from digitrec.report import predictions

OUTPUT = (Path(__file__).parents[1] / "docs" / "output.md").read_text("utf-8")


def documented(heading: str) -> list[str]:
    """Return the names in the first columns of the tables below a heading of docs/output.md."""
    section = OUTPUT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*)\|", section, re.MULTILINE)
    return [name for cell in cells for name in re.findall(r"`(\w+)`", cell)]


def test_every_column_and_field_is_documented() -> None:
    image = ImageRef("7.png", None)
    failure = Failure(image, "local", ImageError("x"))
    table = text_of(predictions.write_comparisons, [Comparison(image, ("local",), (failure,))], "csv")
    assert documented("predict") == predictions.COLUMNS
    assert documented("compare") == [name.removeprefix("local.") for name in table.splitlines()[0].split(",")]
    assert documented("benchmark") == ["source", "sha256", "label", *KEPT, "error"]
    assert documented("--dry-run") == [item.name for item in fields(Cost)]
    marked = re.findall(r"^\| `(\w+)` \\\*", OUTPUT, re.MULTILINE)
    assert {*marked} == {"source", "sha256", *(item.name for item in fields(Failure))} - {"image"}
