"""ImageNet's weights for the published backbones, as Keras gives them out: fetched once, checked, kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from digitrec.lab.datasets.download import retrieved_file

_KERAS = "https://storage.googleapis.com/"


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights without the top."""

    folder: str
    """Where it is given out, with a slash at its end."""
    name: str
    md5: str
    """As `keras.applications` states it."""


IMAGENET: Mapping[str, Weights] = {
    "resnet": Weights(
        f"{_KERAS}tensorflow/keras-applications/resnet/",
        "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5", "fac2f116257151a9d068a22e544a4917",
    ),
    "vgg": Weights(
        f"{_KERAS}tensorflow/keras-applications/vgg16/",
        "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5", "6d6bbae143d832006294945121d1f1fc",
    ),
    "efficientnet": Weights(
        f"{_KERAS}keras-applications/", "efficientnetb0_notop.h5", "50bc09e76180e00e4465e1a485ddc09d"
    ),
}  # fmt: skip
"""By the architecture's name; the files are the work of their authors and of Keras' (Apache licence 2.0)."""


def imagenet(arch: str) -> Path:
    """The file of an architecture of `IMAGENET`, from the user's cache or fetched.

    Raises:
        DataError: it cannot be fetched intact; the message says from where, and what to do.
        NotInstalled: the `train` extra is missing.
    """
    one = IMAGENET[arch]
    advice = "fetch it where there is a network and give the file with --start, or begin from random weights"
    return retrieved_file(one.name, f"md5:{one.md5}", [one.folder], "weights", advice)
