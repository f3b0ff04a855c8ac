"""Import Keras; without the extra `train` this raises `NotInstalled`."""

from digitrec.providers.base import requires

__all__ = ["keras"]

with requires("Training", "train"):
    import keras
