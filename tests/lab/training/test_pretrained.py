"""ImageNet's weights: the files that Keras gives out, by their checksums."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest

from digitrec.lab.training import pretrained
from digitrec.lab.training.pretrained import IMAGENET
from digitrec.lab.training.zoo import ZOO


@pytest.mark.parametrize("arch", [name for name, kind in ZOO.items() if kind.takes_weights])
def test_every_published_backbone_has_the_file_that_keras_has(
    arch: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(pretrained, "retrieved_file", lambda *what: asked.append(what) or Path("notop.h5"))
    assert pretrained.imagenet(arch) == Path("notop.h5")
    ((name, checksum, (folder,), kept, advice),) = asked
    assert name.endswith("notop.h5") and folder.startswith("https://") and kept == "weights"
    module = {"resnet": "resnet", "vgg": "vgg16", "efficientnet": "efficientnet"}[arch]
    source = Path(getattr(keras.src.applications, module).__file__).read_text()
    assert checksum == f"md5:{IMAGENET[arch].md5}" and IMAGENET[arch].md5 in source and "--start" in advice
