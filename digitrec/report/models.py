"""The comparison of the models of the zoo in words: for the terminal, and as the page models.md."""

from __future__ import annotations

from collections.abc import Sequence

from digitrec.errors.text import duration, percent
from digitrec.lab.training import zoo
from digitrec.lab.training.compare import TIMED, Contestant, equals, ranked, winner
from digitrec.report.table import Table, markdown_table, measured_with


def table(contestants: Sequence[Contestant], digits: int) -> Table:
    """The comparison in words, the most accurate first."""
    rows = [
        (
            one.title, percent(one.accuracy.share, 2), one.accuracy.interval(2), duration(one.training_s),
            duration(one.prediction_s), f"{one.size_bytes / 1000:,.0f} kB", one.complexity,
            f"`{one.file.name}`",
        )
        for one in ranked(contestants)
    ]  # fmt: skip
    note = (
        f"All learned from the same {digits:,} digits; networks see each changed a little in every epoch"
        f"{_unchanged(contestants)} and hold a tenth of them back. Accuracy is that of the saved file, the "
        f"interval Wilson's; one digit is timed in a batch of {TIMED}."
    )
    header = (
        "model", "test accuracy", "95 % interval", "training", "one digit", "size", "complexity", "file",
    )  # fmt: skip
    return Table(header, rows, range(1, 6), "Models compared", note)


def _unchanged(contestants: Sequence[Contestant]) -> str:
    """Which networks see the digits as they are, in words."""
    kinds = [zoo.find(one.arch) for one in contestants]
    names = [one.title for one in kinds if one.family == "keras" and not one.augmented]
    return f" (but for {', '.join(names)})" if names else ""


def verdict(contestants: Sequence[Contestant]) -> str:
    """Which model wins, and by which rule."""
    first, *others = equals(contestants)
    won = winner(contestants)
    if not others:
        return f"The winner: {won.title}, more accurate than every other by more than chance."
    names = ", ".join(one.title for one in (first, *others))
    return (
        f"The winner: {won.title}. {names} are as accurate as each other within chance (their 95 % intervals "
        f"reach {percent(first.accuracy.share, 2)}); of these it is the quickest on one digit."
    )


def markdown(contestants: Sequence[Contestant], digits: int, pictures: Sequence[tuple[str, str]]) -> str:
    """The page; `pictures` are titles and paths relative to it."""
    found = table(contestants, digits)
    tested = f"{contestants[0].accuracy.n:,} test digits of MNIST"
    parts = [
        f"# {found.title}",
        "Written by `digitrec models compare`; do not edit.",
        found.note,
        markdown_table(found),
        verdict(contestants),
        *(f"![{title}]({path})" for title, path in pictures),
        measured_with(tested, "; networks predict on one, scikit-learn on all"),
    ]
    return "\n\n".join(parts) + "\n"
