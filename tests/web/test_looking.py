"""Looks at a picture: as it is read, and why the network says what it says."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.engine import Engine
from digitrec.providers.registry import open_provider
from digitrec.web.settings import Settings

from .fakes import local, paid, png, serving

SAMPLES = Path(__file__).parents[2] / "samples"


@pytest.fixture(scope="module")
def network() -> Iterator[TestClient]:
    """A client of a server with our own network and a cloud."""
    with serving(Engine(open_provider("local")), paid(), settings=Settings(rate=1e6, burst=10**6)) as made:
        yield made


def test_why_is_told_with_the_steps_and_the_ink_that_spoke_for_it(network: TestClient) -> None:
    found = network.post("/explain", content=(SAMPLES / "photo-pen.jpg").read_bytes()).json()
    assert found["reading"]["prediction"] == 7
    assert [step["name"] for step in found["steps"]][-1] == "28x28"
    assert all(step["picture"].startswith("data:image/png;base64,") for step in found["steps"])
    assert [len(row) for row in found["saliency"]] == [28] * 28
    assert 1 <= len(found["where"]) <= 3


def test_of_a_refused_picture_only_the_steps_are_told(network: TestClient) -> None:
    found = network.post("/explain", content=(SAMPLES / "two-digits.jpg").read_bytes()).json()
    assert (found["saliency"], found["where"]) == (None, [])
    assert found["reading"]["reason"] == "more than one digit"
    assert found["steps"]


def test_only_networks_on_this_machine_are_explained(network: TestClient) -> None:
    offered = {one["name"]: one["explains"] for one in network.get("/providers").json()["providers"]}
    assert offered == {"local": True, "cloud": False}
    answer = network.post("/explain?provider=cloud", content=png())
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:digitrec:problem:no-explanation")


@pytest.mark.parametrize("kind", ["TIFF", "PPM", "JPEG"])
def test_any_picture_that_is_read_can_be_looked_at(network: TestClient, kind: str) -> None:
    data = io.BytesIO()
    Image.new("L", (900, 600), 200).save(data, kind)
    answer = network.post("/thumbnail", content=data.getvalue())
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (512, 341)


def test_a_look_is_upright_and_carries_no_metadata(network: TestClient) -> None:
    picture, data = Image.new("RGB", (60, 30), "white"), io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera of mine"
    picture.save(data, "JPEG", exif=exif)
    look = network.post("/thumbnail", content=data.getvalue()).content
    assert Image.open(io.BytesIO(look)).size == (30, 60)
    assert b"a camera of mine" in data.getvalue() and b"a camera of mine" not in look


@given(st.binary(max_size=300) | st.binary(max_size=60).map(lambda tail: png()[:80] + tail))
def test_whatever_is_sent_is_looked_at_or_a_problem(network: TestClient, body: bytes) -> None:
    for path in ("/explain", "/explain?inside=true", "/thumbnail"):
        answer = network.post(path, content=body)
        assert answer.status_code in (200, 422), answer.text


@pytest.mark.parametrize("path", ["/explain", "/explain?inside=true", "/thumbnail"])
def test_a_look_is_limited_like_a_question(path: str) -> None:
    with serving(settings=Settings(api_keys=("open-sesame",), max_decoding_bytes=1000)) as client:
        assert client.post(path, content=png()).status_code == 401
        answer = client.post(path, content=png(), headers={"x-api-key": "open-sesame"})
    assert answer.status_code == 422
    assert "pixels" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/explain", "/explain?inside=true", "/thumbnail"])
def test_what_a_server_does_not_decode_is_not_looked_at(path: str) -> None:
    with serving(local()) as client:
        answer = client.post(path, content=b"%PDF-1.4\n" + b" " * 100)
    assert answer.status_code == 422
    assert "PDF" in answer.json()["detail"]


def opened(data_url: str) -> Image.Image:
    head, _, body = data_url.partition(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(body)))


def test_inside_is_shown_layer_by_layer_only_when_asked_for(network: TestClient) -> None:
    picture = (SAMPLES / "photo-pen.jpg").read_bytes()
    usual = network.post("/explain", content=picture)
    answer = network.post("/explain?inside=true", content=picture)
    assert usual.json()["inside"] == []
    assert len(answer.content) < 250_000
    (look,) = answer.json()["inside"]
    assert look["name"] == "cut out" and look["saliency"] == usual.json()["saliency"]
    assert look["picture"] == usual.json()["steps"][-1]["picture"]
    left, top, right, bottom = look["field"]
    assert -1 < left < right < 2 and -1 < top < bottom < 2
    assert [layer["network"] for layer in look["layers"]] == ["network_1"] * 8 + ["network_2"] * 8
    first = look["layers"][0]
    assert (first["name"], first["maps"], first["side"]) == ("relu_1a", 24, 26)
    for layer in look["layers"]:
        sheet = opened(layer["picture"])
        assert sheet.mode == "L" and sheet.width * sheet.height >= layer["maps"] * layer["side"] ** 2
        assert sheet.getextrema() == (0, 255)


def test_without_saliency_all_else_is_told(network: TestClient) -> None:
    picture = (SAMPLES / "photo-pen.jpg").read_bytes()
    whole = network.post("/explain?inside=true", content=picture).json()
    quick = network.post("/explain?inside=true&saliency=false", content=picture).json()
    assert (quick["saliency"], quick["where"], quick["inside"][0]["saliency"]) == (None, [], None)
    assert quick["steps"] == whole["steps"] and quick["inside"][0]["layers"] == whole["inside"][0]["layers"]
    assert quick["grad_cam"] == whole["grad_cam"] == whole["inside"][0]["grad_cam"]
    assert [len(row) for row in quick["grad_cam"][0]["map"]] == [28] * 28 and quick["grad_cam"][0][
        "digit"
    ] == 7


def test_each_reading_of_a_picture_that_is_read_twice_is_looked_at(network: TestClient) -> None:
    digit = mnist_test().images[2].copy()
    digit[12:14, ::2] = 255
    data = io.BytesIO()
    Image.fromarray(digit).save(data, "PNG")
    cut, whole = network.post("/explain?inside=true", content=data.getvalue()).json()["inside"]
    assert (cut["name"], whole["name"], whole["field"]) == ("cut out", "as it stands", [0, 0, 1, 1])
    assert opened(cut["picture"]).size == opened(whole["picture"]).size == (28, 28)
    assert cut["saliency"] != whole["saliency"] and cut["layers"] != whole["layers"]


def test_nothing_happened_inside_for_a_refused_picture(network: TestClient) -> None:
    found = network.post("/explain?inside=true", content=(SAMPLES / "two-digits.jpg").read_bytes()).json()
    assert found["inside"] == []
