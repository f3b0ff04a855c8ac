"""Pictures out of requests: what is refused and why, and that nothing touches the disk on the way."""

from __future__ import annotations

import base64
import json
import tempfile

import pytest
from fastapi.testclient import TestClient

from .fakes import png


def test_a_large_file_in_a_form_stays_in_memory(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/a/folder/that/is/not/there")
    large = png() + bytes(3_000_000)  # what follows a PNG's end is ignored
    assert client.post("/predict", files={"file": large}).json()["prediction"] == 7


def test_of_several_pictures_one_that_is_none_fails_alone(client: TestClient) -> None:
    good = base64.b64encode(png()).decode()
    for bad in ("***", "", "data:,7", "\ud800", "QUJD"):
        sent = json.dumps({"images": [good, bad, good]})
        answer = client.post("/predict", content=sent, headers={"content-type": "application/json"})
        if bad == "\ud800":  # no JSON at all to the parser
            assert answer.status_code == 422
            continue
        first, second, third = answer.json()["predictions"]
        assert (first["prediction"], third["prediction"]) == (7, 7)
        assert (second["prediction"], second["problem"]["status"]) == (None, 422)
    one, other = client.post("/predict", files=[("file", png()), ("file", b"")]).json()["predictions"]
    assert (one["prediction"], other["problem"]["status"]) == (7, 422)


PLAIN = base64.b64encode(png())
SENT = {
    "lines": base64.encodebytes(png()),
    "MIME lines": b"\r\n".join(PLAIN[n : n + 76] for n in range(0, len(PLAIN), 76)),
    "URL-safe": base64.urlsafe_b64encode(png()), "no padding": base64.urlsafe_b64encode(png()).rstrip(b"="),
    "capitals": b"DATA:IMAGE/PNG;BASE64," + PLAIN, "data URL": b"data:image/png;base64," + PLAIN,
    "parameters": b"data:image/png;name=7.png;base64," + PLAIN,
}  # fmt: skip


@pytest.mark.parametrize("form", SENT)
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""])
def test_base64_is_read_in_every_usual_form_with_or_without_the_type(
    client: TestClient, form: str, kind: str
) -> None:
    sent = json.dumps({"image": SENT[form].decode()})
    headers = {"content-type": kind} if kind else {}
    assert client.post("/predict", content=sent, headers=headers).json()["prediction"] == 7


def test_fields_of_a_form_that_are_not_ours_are_ignored(client: TestClient) -> None:
    more = {"csrf": "x" * 2_000_000, "submit": "Send", "file": "7.png"}
    answer = client.post("/predict", files=[("file", png()), ("other", b"no picture")], data=more)
    assert (answer.status_code, answer.json()["prediction"]) == (200, 7)


@pytest.mark.parametrize("count", [33, 34, 200])
def test_too_many_files_are_told_so_however_many(client: TestClient, count: int) -> None:
    answer = client.post("/predict", files=[("file", b"7")] * count)
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:digitrec:problem:too-many")


@pytest.mark.parametrize(
    ("sent", "status", "kind", "words"),
    [
        ({"content": b""}, 422, "no-picture", "no picture"),
        ({"files": {"picture": b"x"}}, 422, "no-picture", 'curl -F "file=@7.png"'),
        ({"files": {"file": (None, "7.png")}}, 422, "no-picture", 'curl -F "file=@7.png"'),
        ({"files": {"file": b""}}, 422, "no-picture", "no bytes"),
        ({"json": {"image": "***"}}, 422, "bad-json", "base64"),
        ({"json": {"image": "data:image/png,7"}}, 422, "bad-json", "base64"),
        ({"json": {"picture": "QUJD"}}, 422, "bad-json", "picture"),
        ({"json": {}}, 422, "bad-json", '"image" or "images"'),
        ({"json": {"image": "QUJD", "images": ["QUJD"]}}, 422, "bad-json", '"image" or "images"'),
        ({"json": {"images": [7]}}, 422, "bad-json", "images.0"),
        ({"json": {"image": "QUJD"}}, 422, "image-error", "(PNG, JPEG, GIF, BMP, PPM, TIFF, WEBP, HEIC)"),
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
