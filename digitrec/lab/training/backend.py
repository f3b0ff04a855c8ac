"""Import Keras; without the extra `train` this raises `NotInstalled`."""

from __future__ import annotations

from digitrec.providers.base import not_installed

__all__ = ["keras"]

try:
    import keras
except ImportError as error:
    raise not_installed("Training", "train") from error
