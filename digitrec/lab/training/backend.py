"""Import Keras; without the extra `train` this raises `NotInstalled`."""

from __future__ import annotations

from digitrec.providers.base import requires

__all__ = ["keras"]

with requires("Training", "train"):
    import keras
