"""Pictures out of requests: what is refused and why, and that nothing touches the disk on the way."""

from __future__ import annotations

import tempfile

import pytest
from fastapi.testclient import TestClient

from .fakes import png


def test_a_large_file_in_a_form_stays_in_memory(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/a/folder/that/is/not/there")
    large = png() + bytes(3_000_000)  # what follows a PNG's end is ignored
    assert client.post("/predict", files={"file": large}).json()["prediction"] == 7


@pytest.mark.parametrize(
    ("sent", "status", "kind", "words"),
    [
        ({"content": b""}, 422, "no-picture", "no picture"),
        ({"files": {"picture": b"x"}}, 422, "no-picture", "no picture"),
        ({"files": {"file": b""}}, 422, "no-picture", "no bytes"),
        ({"json": {"image": "***"}}, 422, "bad-json", "base64"),
        ({"json": {"image": "data:image/png,7"}}, 422, "no-picture", "no bytes"),
        ({"json": {"picture": "QUJD"}}, 422, "bad-json", "picture"),
        ({"json": {}}, 422, "bad-json", '"image" or "images"'),
        ({"json": {"image": "QUJD", "images": ["QUJD"]}}, 422, "bad-json", '"image" or "images"'),
        ({"json": {"images": [7]}}, 422, "bad-json", "images.0"),
        ({"json": {"image": "QUJD"}}, 422, "image-error", "not a picture"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "bad-form", "boundary"),
    ],
)
def test_what_is_wrong_is_said(
    client: TestClient, sent: dict[str, object], status: int, kind: str, words: str
) -> None:
    answer = client.post("/predict", **sent)  # type: ignore[arg-type]
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:digitrec:problem:{kind}")
    assert words in problem["detail"]
