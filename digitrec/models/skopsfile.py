"""scikit-learn's classifiers on 784 pixels: files without pickle (by skops), asked like a network."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from digitrec.errors import ModelError, NotInstalled, install_hint
from digitrec.errors.text import first_line
from digitrec.image import atomic
from digitrec.models.description import described, description_in
from digitrec.models.scores import Floats, Forward

TRUSTED = ["sklearn.tree._tree.Tree"]
"""What skops does not vouch for and a forest needs: a file made to harm can crash the process through it."""


def flat(ink: Floats) -> Floats:
    """(N, 28, 28) as (N, 784)."""
    return ink.reshape(len(ink), -1)


def output_of(classifier: Any) -> str:
    """Return the kind of its answers: "softmax" for chances, "logits" for scores."""
    return "softmax" if hasattr(classifier, "predict_proba") else "logits"


def save(classifier: Any, path: Path, about: dict[str, Any]) -> None:
    """Write it as `.skops`, with its description inside the archive that such a file is.

    Raises:
        NotInstalled: the extra `stats` is missing.
    """
    content = load_skops().dumps(classifier, compression=zipfile.ZIP_DEFLATED, compresslevel=6)
    atomic.write(path, described(content, about))


def load(content: bytes, path: Path) -> tuple[dict[str, Any], Forward]:
    """Load the description ({} if missing) and the classifier of a `.skops` file.

    The classifier is a function from (N, 28, 28) ink to (N, 10). No code in the file runs: skops builds known
    classes only.

    Raises:
        ModelError: it is another kind of file, or was not trained on 784 pixels and ten digits.
        NotInstalled: the extra `stats` is missing.
    """
    skops, about = load_skops(), description_in(content, path)
    try:
        classifier = skops.loads(content, trusted=TRUSTED)
    except Exception as error:  # skops promises no class of error for a foreign file
        why = first_line(error)
        raise ModelError(f"{path}: skops cannot load it safely ({why}); save it again") from error
    classes = getattr(classifier, "classes_", np.empty(0)).tolist()
    if classes != list(range(10)) or getattr(classifier, "n_features_in_", 0) != 784:
        raise ModelError(f"{path}: has not learned ten digits from 784 pixels; give another file")
    ask = classifier.predict_proba if output_of(classifier) == "softmax" else classifier.decision_function
    return about, lambda ink: np.asarray(ask(flat(ink)), np.float32)


def load_skops() -> Any:
    """Import skops, which comes with scikit-learn.

    Raises:
        NotInstalled: the `stats` extra is missing.
    """
    try:
        import skops.io
    except ImportError as error:
        raise NotInstalled(f"a .skops file needs skops: {install_hint('stats')}") from error
    return skops.io
