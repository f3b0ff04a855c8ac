"""Model cards: what a model is, what it learned from and how well it reads."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib import metadata, resources
from typing import Any

from digitrec.answer.prediction import SURE
from digitrec.comparison.benchmark.measures import Proportion
from digitrec.comparison.datasets.mnist import SHA256
from digitrec.errors.text import count
from digitrec.lab.datasets import fonts
from digitrec.lab.handwriting.synthetic import BY_HAND, EMPTY, IN_FONTS, NONE, ON_PAPER, REFUSED_SHARE
from digitrec.lab.training.confidence import SURELY_WRONG, UNCLEAR

MNIST = ("mnist-train", "mnist-test")
"""Names of MNIST's digits among the sources."""

_SECTIONS = (resources.files("digitrec.lab.training") / "card.txt").read_text("utf-8").split("%% ")[1:]
_TEXTS = dict(section.split("\n", 1) for section in _SECTIONS)


def text(section: str, **facts: Any) -> str:
    """Return a section of card.txt with these facts in it."""
    return _TEXTS[section].format(**facts)


def of_mnist(sources: Iterable[str]) -> bool:
    """Return whether digits of MNIST were among those learned."""
    return any(name in MNIST for name in sources)


def environment() -> dict[str, Any]:
    """Return the date, the machine and the library versions that a result belongs to."""
    versions = {}
    for name in ("tensorflow", "keras", "ai-edge-litert", "numpy"):
        with suppress(metadata.PackageNotFoundError):  # scikit-learn's models do not need Keras
            versions[name] = metadata.version(name)
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "cores": os.cpu_count(),
        "versions": {"python": platform.python_version()} | versions,
    }


def measured(share: Proportion, on: str, left_out: int) -> dict[str, Any]:
    """Return an accuracy in percent with its interval; `on` names its set, without `left_out` pictures."""
    found = {
        "correct": share.hits,
        "count": share.n,
        "percent": round(100 * share.hits / share.n, 2),
        "interval": [round(100 * (end or 0.0), 2) for end in (share.low, share.high)],
        "on": on,
    }
    return found | ({"left_out": left_out} if left_out else {})


def markdown(name: str, card: Mapping[str, Any]) -> str:
    """Return the card of a network trained by the recipe, from the facts that `train.train` gathers."""
    test, digits, run, sources = card["test"], card["digits"], card["settings"], card["learned_from"]
    low, high = test["interval"]
    rows = {
        f"{_tested(test)}, through this file": _share(test["percent"], f"{test['correct']:,}", test["count"]),
        "its 95 % interval (Wilson)": f"{low:.2f} to {high:.2f} %",
        "digits held back from training": _share(100 * card["validation_accuracy"], "", digits["held back"]),
    }
    if digits["writers held back"]:
        accuracy, writers = 100 * card["writers_accuracy"], digits["writers held back"]
        rows["writers held back, Swiss and Turkish"] = _share(accuracy, "", writers)
    rows |= network(card)
    rows |= {"input": "(N, 28, 28, 1) float32, ink 1, paper 0", "output": "(N, 10) probabilities"}
    others = {name: number for name, number in digits.items() if "held back" not in name and number}
    left_out = test.get("left_out", 0)
    looked = f"{count(left_out, 'learned test digit')} excluded. " if left_out else ""
    made = _made(run) if run["made"] or run["scenes"] else ""
    how = text(
        "recipe", **card, table=table(_digits(sources) | _digits(others) | settings(run)), made=made,
        trained=trained(card), looked=looked, sure=SURE, surely_wrong=SURELY_WRONG, unclear=UNCLEAR,
    )  # fmt: skip
    limits = text("limits") + (text("doubted") if test.get("on", MNIST[1]) == MNIST[1] else "")
    about = "Written by `digitrec train`, which also measured every figure below; do not edit."
    licence = _licence(run, sources)
    return text("page", name=name, about=about, rows=table(rows), how=how, licence=licence, limits=limits)


def table(rows: Mapping[str, Any]) -> str:
    """Return a table of two columns without heads."""
    return "| | |\n|---|---|\n" + "".join(f"| {what} | {value} |\n" for what, value in rows.items())


def network(card: Mapping[str, Any]) -> dict[str, str]:
    """Return the rows about the network and its file."""
    return {
        "network": card["architecture"],
        "parameters": f"{card['parameters']:,}",
        "file": f"LiteRT, weights in int8 (dynamic range), {card['kilobytes']:,.0f} kB",
    }


def settings(run: Mapping[str, Any]) -> dict[str, str]:
    """Return the rows of the settings of a run."""
    plain = {name.replace("_", " "): value for name, value in run.items() if name != "name"}
    plain["augmentation"] = ", ".join(f"{name} {value}" for name, value in run["augmentation"].items())
    return {f"setting: {name}": str(value) for name, value in plain.items()}


def trained(card: Mapping[str, Any]) -> str:
    """Return time, machine and versions."""
    where = card["environment"]
    versions = ", ".join(f"{library} {version}" for library, version in where["versions"].items())
    minutes = card["training_seconds"] / 60
    return f"{minutes:.1f} minutes on {where['cores']} cores, {where['date']}; {versions}."


def _share(percent: float, right: str, number: int) -> str:
    """Return a share as "99.70 % (9,970 of 10,000)" or "99.62 % of 6,000"."""
    return f"{percent:.2f} % ({right} of {number:,})" if right else f"{percent:.2f} % of {number:,}"


def _tested(test: Mapping[str, Any]) -> str:
    """Return the test set of an accuracy, as the head of a row."""
    name = test.get("on", MNIST[1])
    whole = "MNIST test set" if name == MNIST[1] else name
    return f"{whole}, {test['left_out']:,} learned digits excluded" if "left_out" in test else whole


def _digits(numbers: Mapping[str, int]) -> dict[str, str]:
    """Return rows of how many digits are of which kind."""
    return {f"digits: {kind}": f"{number:,}" for kind, number in numbers.items()}


def _made(run: Mapping[str, Any]) -> str:
    """Return the section about generated pictures."""
    learned = "those that come with Matplotlib"
    if run["fonts"]:
        kinds = [font.kind for font in fonts.listed() if font.part == "learned"]
        hands, prints = kinds.count("hand"), kinds.count("print")
        learned = f"{hands} drawn like handwriting, {prints} like print, and {learned}"
    return text(
        "made", fonts=learned, by_hand=BY_HAND, in_fonts=IN_FONTS, on_paper=ON_PAPER, none=NONE, empty=EMPTY,
        refused=REFUSED_SHARE,
    )  # fmt: skip


def _licence(run: Mapping[str, Any], sources: Mapping[str, int]) -> str:
    """Return whose digits were learned, under which licences."""
    own = [name for name in sources if name not in MNIST]
    sections = {
        "mnist": of_mnist(sources), "world": run["world"], "fonts": run["fonts"] and run["made"],
    }  # fmt: skip
    lines = [text(section) for section, learned in sections.items() if learned]
    lines += [f"- {name}: ask the owners of the digits for their terms\n" for name in own]
    lines += [] if own else [text("weights")]
    if of_mnist(sources):
        lines += ["\n| file | SHA-256 |\n|---|---|\n"]
        lines += [f"| `{file}` | `{digest}` |\n" for file, digest in SHA256.items()]
    return f"Learned from\n\n{''.join(lines)}"
