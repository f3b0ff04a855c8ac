"""The model card: what a model is, what it learned from and how well it reads."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable
from contextlib import suppress
from importlib import metadata
from typing import Any

from digitrec.answer.prediction import SURE
from digitrec.comparison.datasets.mnist import SHA256
from digitrec.lab.datasets import fonts, pendigits
from digitrec.lab.datasets.world import SWISS_HOME
from digitrec.lab.handwriting.staging import REFUSED
from digitrec.lab.handwriting.synthetic import BY_HAND, EMPTY, IN_FONTS, NONE, ON_PAPER
from digitrec.lab.training.confidence import SURELY_WRONG, UNCLEAR

_MNIST = (
    "Learned from MNIST (Yann LeCun, Corinna Cortes, Christopher J.C. Burges; from NIST Special Databases 1 "
    "and 3), customarily CC BY-SA 3.0"
)
_WORLD = (
    f'; from "Numbers" ({SWISS_HOME}), (c) 2017 Alex Schroeder, MIT licence; and from Pen-Based Recognition '
    f"of Handwritten Digits (E. Alpaydin, F. Alimoglu, {pendigits.HOME}, doi 10.24432/C5MG6K), CC BY 4.0, "
    "its trajectories scaled and drawn anew"
)
_FONTS = (
    "; and from what was printed in the fonts that `digitrec/lab/datasets/data/fonts.csv` names as learned "
    "({home}; SIL Open Font License 1.1 or Apache License 2.0)"
)
_LICENSED = (
    "The weights are given under digitrec's MIT licence, with {} (LICENCES.txt beside the shipped ones)."
)

MNIST = ("mnist-train", "mnist-test")
"""What MNIST's digits are called among the sources."""
_DOUBTED = """Fifteen of the test set's labels are doubted by human reviewers; nobody honest reads all 10,000.
"""
_MADE = f"""
What was made (`digitrec/lab/handwriting/synthetic.py`) are digits of a synthetic hand ({BY_HAND:.0%}) and of
fonts ({IN_FONTS:.0%}: {{fonts}}), those learned photographed from paper ({ON_PAPER:.0%}) or damaged
({1 - BY_HAND - IN_FONTS - ON_PAPER - NONE - EMPTY:.0%}), and pictures of no digit, which are to leave the
network undecided ({NONE:.0%}: letters by hand and in print, signs, strokes at random, scrawls, digits lying
on their side, two digits that touch or are squeezed together; and what {EMPTY:.0%} of blank or textured
pages leave); all were then prepared as pictures are when they are read. The damages
(`digitrec/lab/handwriting/damage.py`: bands inverted, haze, outlines only, lines and zigzags, specks, spots)
are of the same kinds as some of MNIST-C's corruptions, by other code and with other strengths. So what is
measured on stripe, fog, canny edges, zigzag, dotted line, impulse noise and spatter does not tell how the
network reads through damage of a kind never seen; nor do the letters, scribbles and touching pairs
measured, though by other hands, tell how it takes all that is no digit.
"""
_SCENES = f"""
The scenes (`digitrec/lab/handwriting/staging.py`: cards, brackets, pens, boxes, printed digits, seven
segments and others) come from the generator by which scenes are measured, with other digits, fonts and seeds;
{REFUSED:.0%} of them, crossed out or printed signs, count among the pictures of no digit.
"""


def _abroad(run: dict[str, Any], digits: dict[str, int]) -> str:
    """What was learned of other countries' digits, as an item of the list."""
    if not run.get("world"):
        return ""
    return (
        f"- {digits['world']:,} more, {run['world']} of each digit of 12 Swiss or American writers (scanned, "
        "then photographed anew) and of 24 Turkish ones (pen trajectories, each time by another pen); "
        f"{digits['writers held back']:,} digits of 3 and 6 other writers were held back.\n"
    )


def _made(run: dict[str, Any]) -> str:
    """What was made, where something was."""
    if not run.get("made"):
        return ""
    own = "those that come with Matplotlib"
    if not run.get("fonts"):
        return _MADE.format(fonts=own)
    hands, prints = (
        len([font for font in fonts.listed() if (font.kind, font.part) == (kind, "learned")])
        for kind in ("hand", "print")
    )
    return _MADE.format(fonts=f"{hands} drawn like handwriting, {prints} like print, and {own}")


def of_mnist(sources: Iterable[str]) -> bool:
    """Whether digits of MNIST were among those learned."""
    return any(name in MNIST for name in sources)


def _sources(card: dict[str, Any]) -> dict[str, int]:
    """Where the digits learned are from, and how many from each."""
    sources: dict[str, int] = card.get("learned_from", {"mnist-train": 60_000})
    return sources


def _whose(card: dict[str, Any]) -> str:
    """Whose digits were learned, in words."""
    sources = _sources(card)
    if sources == {"mnist-train": 60_000}:
        return "of MNIST's 60,000"
    return "from " + " and ".join(f"{name} ({count:,})" for name, count in sources.items())


def _tested(test: dict[str, Any]) -> str:
    """On what its accuracy was measured, as the head of a row."""
    name = test.get("on", "mnist-test")
    whole = "MNIST test set" if name == "mnist-test" else name
    left_out = test.get("left_out", 0)
    return f"{whole}, but for {left_out:,} that it learned" if left_out else whole


def _looked(test: dict[str, Any]) -> str:
    """How the test digits were used."""
    left_out = test.get("left_out", 0)
    first = (
        f"{left_out:,} test digits are among those learned, and were not measured with. " if left_out else ""
    )
    return f"{first}This run looked at the test digits once, after training, and chose nothing by them."


def _finishing(run: dict[str, Any]) -> str:
    """What happened after the epochs, as an item of the list."""
    if not run["finishing"]:
        return ""
    others = f" and {run['finishing_seen']:.0%} of the others" if run["world"] else ""
    return (
        f"- Then {_epochs(run['finishing'])} with all the digits first named{others}, changed "
        f"{run['finishing_changes']:.0%} as far, without what was made, from a rate of "
        f"{run['finishing_rate']}; the weights shipped are the mean of those before and after.\n"
    )


def _seen(run: dict[str, Any]) -> str:
    """How much of what is from other countries an epoch sees."""
    return f", each with {run['seen']:.0%} of other countries' digits" if run["world"] else ""


def _epochs(count: int) -> str:
    return f"{count} epoch" if count == 1 else f"{count} epochs"


def _staged(run: dict[str, Any]) -> str:
    """How many of the pictures that were made are scenes, about."""
    share = run["scenes"] / (run["made"] + run["scenes"])
    return f" ({share:.0%} of them in scenes)" if share else ""


def _for_all(run: dict[str, Any]) -> str:
    """Whose the pictures are that were made."""
    return f" (each of the {run['networks']} networks its own share)" if run["networks"] > 1 else ""


def _joined(run: dict[str, Any]) -> str:
    """That several networks learned, as an item of the list."""
    networks = run["networks"]
    if networks == 1:
        return ""
    seeds = ", ".join(str(run["seed"] * networks + number) for number in range(networks))
    return (
        f"- {networks} networks learned so, one after the other, each for itself, with the seeds {seeds}; "
        "what is shipped gives the mean of their scores.\n"
    )


def _writers(card: dict[str, Any]) -> str:
    """How the writers held back are read, as a row of the table."""
    count = card["digits"].get("writers held back")
    if not count:
        return ""
    return f"| writers held back, Swiss and Turkish | {100 * card['writers_accuracy']:.2f} % of {count:,} |\n"


def _licence(card: dict[str, Any]) -> str:
    """From whose digits it learned."""
    run, sources = card["settings"], _sources(card)
    others = [name for name in sources if name not in MNIST]
    if others:
        first = f"{_MNIST}, and from" if of_mnist(sources) else "Learned from"
        return f"{first} {', '.join(others)}: what may be done with them is known to those who gave them."
    printed = _FONTS.format(home=fonts.HOME) if run.get("fonts") and run.get("made") else ""
    if not run.get("world"):
        return f"{_MNIST}{printed}. {_LICENSED.format('that attribution')}"
    return f"{_MNIST}{_WORLD}{printed}. {_LICENSED.format('these attributions')}"


def _checksums(card: dict[str, Any]) -> str:
    """MNIST's files, as a table, where it learned from them."""
    if not of_mnist(_sources(card)):
        return ""
    rows = "".join(f"| `{file}` | `{digest}` |\n" for file, digest in SHA256.items())
    return f"\n| file | SHA-256 |\n|---|---|\n{rows}"


def environment() -> dict[str, Any]:
    """The machine and the library versions that a result belongs to."""
    versions = {}
    for name in ("tensorflow", "keras", "ai-edge-litert", "numpy"):
        with suppress(metadata.PackageNotFoundError):  # scikit-learn's models need none of Keras
            versions[name] = metadata.version(name)
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version()} | versions,
    }


def measured(correct: int, count: int) -> dict[str, Any]:
    """Return an accuracy in percent with its 95 % Wilson interval, for at least one picture."""
    from digitrec.comparison.benchmark.measures import proportion

    share = proportion(correct, count)
    return {
        "correct": correct,
        "count": count,
        "percent": round(100 * correct / count, 2),
        "interval": [round(100 * (end or 0.0), 2) for end in (share.low, share.high)],
    }


def markdown(name: str, card: dict[str, Any]) -> str:
    """The card as a page, from the facts that `train.train` gathers."""
    test, run, where, digits = card["test"], card["settings"], card["environment"], card["digits"]
    low, high = test["interval"]
    versions = ", ".join(f"{library} {version}" for library, version in where["versions"].items())
    changes = ", ".join(f"{key} {value}" for key, value in run["augmentation"].items())
    made = (
        f" and {digits['made']:,} made as described below{_staged(run)}, with {digits['no digit']:,} "
        f"pictures of no digit{_for_all(run)}"
        if digits["made"]
        else ""
    )
    return f"""# {name}

Reads one handwritten digit from a 28x28 image in MNIST's form.
Made by `digitrec train`, which also measured every figure below.

| | |
|---|---|
| {_tested(test)}, through this file | {test["percent"]:.2f} % ({test["correct"]:,} of {test["count"]:,}) |
| its 95 % interval (Wilson) | {low:.2f} to {high:.2f} % |
| digits held back from training | {100 * card["validation_accuracy"]:.2f} % of {digits["held back"]:,} |
{_writers(card)}\
| network | {card["architecture"]} |
| parameters | {card["parameters"]:,} |
| file | LiteRT, weights in int8 (dynamic range), {card["kilobytes"]:,.0f} kB |
| input | (N, 28, 28, 1) float32, ink 1, paper 0 |
| output | (N, 10) probabilities |

## How it was trained

- {digits["learned"]:,} digits {_whose(card)}{made}; {run["epochs"]} epochs{_seen(run)}; \
batches of {run["batch"]}; seed {run["seed"]}.
{_abroad(run, digits)}\
{_joined(run)}\
- AdamW; the learning rate rises to {run["learning_rate"]} over the first {run["warm_up"]:.0%} of the steps \
and falls along a cosine; weight decay {run["weight_decay"]}; labels smoothed by {run["label_smoothing"]}.
- The weights are a running average over {run["averaging"]:.0%} of the steps, with the batch normalisation \
measured again.
- The scores are divided by a temperature before the softmax, so that its probabilities are chances of \
being right: {card["temperature"]} for a picture in MNIST's form, fitted on the digits held back; \
{card["prepared"]} for one that was brought into it, fitted on the \
{"writers" if run.get("world") else "same"} held back, and raised by up to a fifth so that of their answers \
of {SURE:.0%} and more {SURELY_WRONG:.1%} are wrong at most.
- A picture that was cut out by digitrec is "not clearly a digit" where its scores, so divided, differ by \
less than {card["evidence"]} (standard deviation); all but {UNCLEAR:.2%} of the digits held back show more.
- A picture of which it is less than {card["doubt"]:.0%} sure is read again, moved by a pixel to each side; \
the mean of the five scores counts.
{_finishing(run)}\
- Every digit is changed anew in each epoch (`digitrec/lab/handwriting/augment.py`), within: {changes}.
- {card["training_seconds"] / 60:.0f} minutes on {where["cores"]} cores, {where["date"]}; {versions}.
{_made(run)}{_SCENES if run.get("scenes") else ""}
{_looked(test)}

## Data and licence

{_licence(card)}
{_checksums(card)}
## What it is not for

Text: it knows ten digits and no letter. Whether there is anything at all, or more than one digit, is decided
before it is asked; of letters and scribbles it refuses some, and reads the others as digits.
{_DOUBTED if test.get("on", "mnist-test") == "mnist-test" else ""}"""
