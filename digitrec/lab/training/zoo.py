"""Define the kinds of models that can be trained by name."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

from digitrec.errors import ModelError
from digitrec.errors.text import first_line

Complexity = Literal["Low", "Medium", "High"]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A kind of model, with its training settings."""

    name: str
    """Name on the command line."""
    title: str
    """Name in tables."""
    origin: str
    """Origin of the design."""
    made_by: str
    """Function or class that creates an untrained model, such as ".networks.mlp"."""
    complexity: Complexity
    """How complex the model is to understand and to compute."""
    family: Literal["keras", "scikit-learn"] = "keras"
    """Library that trains the model."""
    epochs: int = 15
    """Default number of epochs; unused for scikit-learn."""
    augmented: bool = True
    """Whether each digit is changed slightly, differently in each epoch."""
    cosine: bool = True
    """Whether the learning rate falls along a cosine to 0; otherwise it is constant."""
    learning_rate: float = 1e-3
    """Adam's learning rate at the start."""
    batch: int = 128
    """Digits per step."""
    published: bool = False
    """Whether the model is a published network: ``build(weights, side)`` takes ImageNet's weights and a
    side."""
    shape: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of the function."""

    def build(self, *arguments: Any, **options: Any) -> Any:
        """Return an untrained model; import its library only now.

        Raises:
            ModelError: the model cannot have these settings, as in a changed file of `tune`.
        """
        module, _, name = self.made_by.rpartition(".")
        make = getattr(import_module(module, __package__), name)
        try:
            return make(*arguments, **self.shape, **options)
        except (TypeError, ValueError) as error:
            raise ModelError(f"{self.name} cannot be built ({first_line(error)})") from error


_TABLE = tomllib.loads((Path(__file__).parent / "zoo.toml").read_text("utf-8"))
ZOO = {name: Architecture(name, **how) for name, how in _TABLE.items()}
"""All architectures by name."""
COMPARED = ("complex-cnn", "simple-cnn", "mlp", "knn", "random-forest", "svm")
"""The architectures that `models compare` trains by default."""


def find(name: str) -> Architecture:
    """Return the architecture with this name, or the one in a file that `tune` wrote.

    Raises:
        ModelError: the name is unknown (the message lists the names), or `tune` did not write the file.
    """
    if name in ZOO:
        return ZOO[name]
    path = Path(name)
    if path.suffix != ".json":
        known = ", ".join(ZOO)
        raise ModelError(f"no architecture is called {name!r}; there are: {known}, or a file of `tune`")
    try:
        best = json.loads(path.read_text(encoding="utf-8"))
        rate, batch = best["training"]["learning_rate"], best["training"]["batch"]
        if not rate > 0 or not isinstance(batch, int) or batch < 1:
            raise ValueError(f"learning_rate must be > 0 and batch an integer >= 1, got {rate} and {batch!r}")
        how = {"shape": best["network"], "learning_rate": rate, "batch": batch}
        title = f"Tuned ({path.stem})"
        return Architecture(path.stem, title, "our design", ".networks.convolutional", "High", **how)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path}: not a file that `digitrec tune` wrote ({error}); give another") from error
