"""Endpoints that show a picture: its thumbnail and the explanation of its answer."""

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pictures import encoded, exif
from PIL import Image

from digitrec.engine import Engine
from digitrec.providers.registry import open_provider

from .fakes import UNLIMITED, paid, png, serving

SAMPLES = Path(__file__).parents[2] / "samples"
PEN, TWO = ((SAMPLES / name).read_bytes() for name in ("photo-pen.jpg", "two-digits.jpg"))


@pytest.fixture(scope="module")
def network() -> Iterator[TestClient]:
    """Return a client of a server with the shipped network and a cloud."""
    with serving(Engine(open_provider("local")), paid(), settings=UNLIMITED) as made:
        yield made


@pytest.fixture(scope="module")
def whole(network: TestClient) -> dict[str, Any]:
    """Return the whole explanation of a picture."""
    answer = network.post("/explain?inside=true", content=PEN)
    assert len(answer.content) < 250_000
    found: dict[str, Any] = answer.json()
    return found


def opened(data_url: str) -> Image.Image:
    head, _, body = data_url.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))


def test_an_explanation_has_the_steps_and_the_ink_that_spoke_for_the_digit(whole: dict[str, Any]) -> None:
    assert whole["reading"]["prediction"] == 7
    assert whole["steps"][-1]["name"] == "28x28"
    assert all(opened(step["picture"]).width for step in whole["steps"])
    assert [len(row) for row in whole["saliency"]] == [28] * 28
    assert [len(row) for row in whole["grad_cam"][0]["map"]] == [28] * 28
    assert 1 <= len(whole["where"]) <= 3 and whole["grad_cam"][0]["digit"] == 7


def test_each_layer_is_shown(whole: dict[str, Any]) -> None:
    left, top, right, bottom = whole["field"]
    assert -1 < left < right < 2 and -1 < top < bottom < 2
    assert [layer["network"] for layer in whole["layers"]] == ["network_1"] * 8 + ["network_2"] * 8
    first = whole["layers"][0]
    assert (first["name"], first["maps"], first["side"]) == ("relu_1a", 24, 26)
    for layer in whole["layers"]:
        sheet = opened(layer["picture"])
        assert sheet.mode == "L" and sheet.width * sheet.height >= layer["maps"] * layer["side"] ** 2
        assert sheet.getextrema() == (0, 255)


def test_what_is_not_asked_for_is_not_told(network: TestClient, whole: dict[str, Any]) -> None:
    usual = network.post("/explain", content=PEN).json()
    quick = network.post("/explain?inside=true&saliency=false", content=PEN).json()
    assert usual["layers"] == [] and usual["saliency"] == whole["saliency"]
    assert (quick["saliency"], quick["where"]) == (None, [])
    assert (quick["layers"], quick["field"]) == (whole["layers"], whole["field"])
    assert (quick["steps"], quick["grad_cam"]) == (whole["steps"], whole["grad_cam"])


def test_only_networks_on_this_machine_are_explained(network: TestClient) -> None:
    offered = {one["name"]: one["explains"] for one in network.get("/providers").json()["providers"]}
    assert offered == {"local": True, "cloud": False}
    answer = network.post("/explain?provider=cloud", content=png())
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:digitrec:problem:no-explanation")


@pytest.mark.parametrize("kind", ["TIFF", "PPM", "JPEG"])
def test_a_thumbnail_is_upright_and_carries_no_metadata(network: TestClient, kind: str) -> None:
    tags = exif({0x0112: 6, 0x010F: "a camera of mine"})
    picture = encoded(Image.new("RGB", (900, 600), "white"), kind, exif=tags)
    answer = network.post("/thumbnail", content=picture)
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == ((512, 341) if kind == "PPM" else (341, 512))
    assert b"a camera of mine" not in answer.content
