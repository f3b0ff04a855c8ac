"""What came of learning one person's hand: the table of gains and losses, and the model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from digitrec.comparison.benchmark.measures import Proportion
from digitrec.errors.text import count, percent
from digitrec.lab.evaluation.change import WHOLE, Change
from digitrec.lab.training import card

HEADER = ("read rightly", "before", "after", "95 % interval", "gained", "lost")
"""Heads of the columns of `rows`."""
FEW = 100
"""Of fewer pictures held back the interval is told in words, too: they say little."""


def rows(own: Change | None, others: Sequence[Change]) -> list[tuple[str, ...]]:
    """A row for each set: its share before and after, the interval of that, and the pictures that changed."""
    return [_row(one) for one in ([] if own is None else [own]) + list(others)]


def _row(one: Change) -> tuple[str, ...]:
    name = f"{one.data}, refused" if one.refusing else one.data
    before = f"{percent(one.before.share, 2)} of {one.before.n:,}"
    return name, before, percent(one.after.share, 2), _interval(one.after), str(one.gained), str(one.lost)


def _interval(share: Proportion) -> str:
    return f"{percent(share.low, 2)} to {percent(share.high, 2)}" if share.n else ""


def verdict(own: Change | None, others: Sequence[Change]) -> list[str]:
    """What the table says, in sentences."""
    return [_of_own(own), _of_others(others)]


def _of_own(own: Change | None) -> str:
    if own is None or not own.after.n:
        return "None of your own pictures was held back, so what was gained on your hand is not known."
    after = own.after
    said = (
        f"Of your {count(after.n, 'picture')} held back, {own.before.hits:,} were read rightly before and "
        f"{after.hits:,} are now."
    )
    if after.n >= FEW:
        return said
    return (
        f"{said} So few say little: of all that you will write, it may be anything from "
        f"{percent(after.low, 0)} to {percent(after.high, 0)}."
    )


def _of_others(others: Sequence[Change]) -> str:
    """Whether anything was forgotten: where clearly more was lost than gained."""
    worse = [one for one in others if one.lost - one.gained > 2 * (one.lost + one.gained) ** 0.5]
    if not worse:
        return "Nothing else is read worse by more than chance."
    names = ", ".join(one.data for one in worse)
    return f"Read worse now, by more than chance: {names}. A lower --learning-rate forgets less."


def measures(own: Change | None, others: Sequence[Change]) -> dict[str, Any]:
    """The same for the description inside the model file; `test` is what `models list` shows."""
    all_of_them = ([] if own is None else [own]) + list(others)
    found: dict[str, Any] = {"changes": [asdict(one) for one in all_of_them]}
    for one in others:
        if one.data == WHOLE:
            left_out = {"left_out": one.left_out} if one.left_out else {}
            found["test"] = card.measured(one.after.hits, one.after.n) | {"on": WHOLE, **left_out}
    return found


def markdown(name: str, facts: dict[str, Any], own: Change | None, others: Sequence[Change]) -> str:
    """The card as a page, from the facts that `finetune.fine_tune` gathers."""
    run, where = facts["settings"], facts["environment"]
    ((source, learned),) = facts["learned_from"].items()
    rehearsed = " and ".join(
        f"{count:,} {_REHEARSED.get(kind, kind)}" for kind, count in facts["rehearsed"].items()
    )
    versions = ", ".join(f"{library} {version}" for library, version in where["versions"].items())
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows(own, others))
    left_out = sum(one.left_out for one in (*others, *([] if own is None else [own])))
    return f"""# {name}

Reads one handwritten digit from a 28x28 image in MNIST's form: digitrec's own network, which learned on from
{learned:,} pictures of one hand. Made by `digitrec train --start`, which also measured every figure below.

| {" | ".join(HEADER)} |
|---|---:|---:|---|---:|---:|
{table}
{" ".join(verdict(own, others))} Gained and lost are single pictures. A refusal counts as wrong where there is
a digit.{f" {count(left_out, 'picture')} that it learned are not measured with." if left_out else ""}

## How it was trained

- From {facts["start"]}: its weights, out of int8, with the batch normalisation inside the convolutions.
- {learned:,} pictures of `{source}` learned, each changed anew every time it is seen \
(`digitrec/lab/handwriting/augment.py`); they are {run["own"]:.0%} of each batch of {run["batch"]}.
- The rest of each batch is {rehearsed}, to which it was to go on answering as before (Learning without
  Forgetting).
- {count(run["epochs"], "epoch")}; Adam, at most {run["learning_rate"]}, along a cosine to nothing; the labels
  of the {learned:,} smoothed by {run["label_smoothing"]}; seed {run["seed"]}.
- The weights written are {run["new"]:.0%} those that it came to, and the rest those that it began with.
- How sure it may be, and when it says that something is no digit, is as in the file that it began with.
- {facts["training_seconds"]:.0f} seconds on {where["cores"]} cores, {where["date"]}; {versions}.

| | |
|---|---|
| network | {facts["architecture"]} |
| parameters | {facts["parameters"]:,} |
| file | LiteRT, weights in int8 (dynamic range), {facts["kilobytes"]:,.0f} kB |

## Data and licence

What it began with learned from MNIST and others, as the card of digitrec's own network says, whose
attributions go on to hold. What may be done with the pictures of `{source}`, and with a network that has
learned them, is known to those who gave them.

## What it is not for

Everybody: it was made for one hand. Text: it knows ten digits and no letter.
"""


_REHEARSED = {
    "mnist-train": "of MNIST's training digits",
    "drawn": "digits of a synthetic hand (MNIST's could not be had)",
    "made": "made of them (`digitrec/lab/handwriting/synthetic.py`, `staging.py`)",
    "no digit": "of no digit",
}
"""How what is rehearsed is called in words."""
