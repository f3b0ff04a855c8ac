"""ImageNet's weights: fetched from where Keras gives them out (here 127.0.0.1), or it is told plainly."""

from __future__ import annotations

import hashlib
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras
import pytest

from digitrec.errors import DataError
from digitrec.lab.training import pretrained
from digitrec.lab.training.pretrained import IMAGENET, Weights
from digitrec.lab.training.zoo import ZOO


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


def test_every_published_backbone_has_the_file_that_keras_has() -> None:
    assert set(IMAGENET) == {name for name, kind in ZOO.items() if kind.takes_weights}
    source = "".join(
        Path(str(module.__file__)).read_text()
        for module in (
            keras.src.applications.resnet, keras.src.applications.vgg16, keras.src.applications.efficientnet
        )
    ).replace('"\n        "', "").replace('"\n    "', "")  # fmt: skip
    for one in IMAGENET.values():
        assert (
            f'"{one.md5}"' in source and one.folder.removeprefix("https://storage.googleapis.com") in source
        )


def test_it_is_fetched_once_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "notop.h5").write_bytes(b"weights")
    md5 = hashlib.md5(b"weights", usedforsecurity=False).hexdigest()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        folder = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(pretrained, "IMAGENET", {
            "vgg": Weights(folder, "notop.h5", md5), "resnet": Weights(folder, "notop.h5", 32 * "0"),
        })  # fmt: skip
        found = pretrained.imagenet("vgg")
        (tmp_path / "notop.h5").unlink()
        assert pretrained.imagenet("vgg") == found and found.read_bytes() == b"weights"
        with pytest.raises(DataError, match=r"notop\.h5: no mirror gave it intact.*--start"):
            pretrained.imagenet("resnet")
        server.shutdown()
