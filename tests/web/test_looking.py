"""Looks at a picture: as it is read, and why the network says what it says."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

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
    for path in ("/explain", "/thumbnail"):
        answer = network.post(path, content=body)
        assert answer.status_code in (200, 422), answer.text


@pytest.mark.parametrize("path", ["/explain", "/thumbnail"])
def test_a_look_is_limited_like_a_question(path: str) -> None:
    with serving(settings=Settings(api_keys=("open-sesame",), max_pixels=1000)) as client:
        assert client.post(path, content=png()).status_code == 401
        answer = client.post(path, content=png(), headers={"x-api-key": "open-sesame"})
    assert answer.status_code == 422
    assert "pixels" in answer.json()["detail"]


@pytest.mark.parametrize("path", ["/explain", "/thumbnail"])
def test_what_a_server_does_not_decode_is_not_looked_at(path: str) -> None:
    with serving(local()) as client:
        answer = client.post(path, content=b"%PDF-1.4\n" + b" " * 100)
    assert answer.status_code == 422
    assert "PDF" in answer.json()["detail"]
