"""The endpoints: documented fields, every way of sending a picture, the server's state."""

import base64
import io
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pictures import encoded
from PIL import Image

from digitrec.comparison.policy import Fallback
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine, Options
from digitrec.errors import BadAnswer, Unavailable
from digitrec.providers.base import Price

from .fakes import GATED, SEVEN, SURE, emulated, local, paid, png, serving

WHOLE, BLANK = png(), png(blank=True)
PLAIN = base64.b64encode(WHOLE)
PICTURE = Image.open(io.BytesIO(WHOLE)).convert("RGB")


def test_one_picture_is_answered_with_all_its_fields(client: TestClient) -> None:
    answer = client.post("/predict", files={"file": ("test.png", WHOLE, "image/png")}).json()
    expected = {"prediction": 7, "confidence": SURE, "probs": list(SEVEN.probabilities or ()), "reason": None,
                "provider": "local", "cost_usd": 0, "seen": None}  # fmt: skip
    assert {name: answer[name] for name in expected} == expected


@pytest.mark.parametrize("kind", ["image/png", "application/octet-stream", "text/plain", ""])
def test_a_picture_as_the_body_is_read_whatever_its_type_says(client: TestClient, kind: str) -> None:
    answer = client.post("/predict", content=WHOLE, headers={"content-type": kind} if kind else {})
    assert answer.json()["prediction"] == 7


FORM = {"content-type": "multipart/form-data; boundary=b"}
UNDEFINED = {"content-type": "multipart/form-data; boundary=b; charset=undefined"}
PART = b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\n7\r\n--b--\r\n'
BASE64 = {
    "plain": PLAIN, "lines": base64.encodebytes(WHOLE),
    "MIME lines": b"\r\n".join(PLAIN[n : n + 76] for n in range(0, len(PLAIN), 76)),
    "URL-safe": base64.urlsafe_b64encode(WHOLE), "no padding": base64.urlsafe_b64encode(WHOLE).rstrip(b"="),
    "capitals": b"DATA:IMAGE/PNG;BASE64," + PLAIN, "data URL": b"data:image/png;base64," + PLAIN,
    "parameters": b"data:image/png;name=7.png;base64," + PLAIN,
}  # fmt: skip


@pytest.mark.parametrize("form", BASE64)
@pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded", "text/plain", ""])
def test_base64_is_read_in_every_usual_form(client: TestClient, form: str, kind: str) -> None:
    headers, codec = {"content-type": kind} if kind else {}, "utf-8-sig" if kind[:4] == "text" else "utf-8"
    for sent, found in (({"image": BASE64[form].decode()}, None), ({"images": [BASE64[form].decode()]}, 1)):
        answer = client.post("/predict", content=json.dumps(sent).encode(codec), headers=headers).json()
        assert [one["prediction"] for one in (answer["predictions"] if found else [answer])] == [7]


def test_several_files_are_answered_in_order_and_a_bad_one_fails_alone(client: TestClient) -> None:
    files = [("file", one) for one in (WHOLE, b"no picture", b"", encoded(PICTURE, "PDF"), BLANK)]
    good, *bad, blank = client.post("/predict", files=files).json()["predictions"]
    assert (good["prediction"], good["problem"]) == (7, None)
    assert [(one["prediction"], one["problem"]["status"]) for one in bad] == [(None, 422)] * 3
    assert (blank["prediction"], blank["reason"]) == (None, "blank")


def test_a_file_field_left_empty_is_no_picture(client: TestClient) -> None:
    part = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s\r\n'
    form = part % (b"7.png", WHOLE) + part % (b"", b"") + b"--b--\r\n"
    assert client.post("/predict", content=form, headers=FORM).json()["prediction"] == 7


def test_a_large_form_stays_in_memory(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/a/folder/that/is/not/there")
    more = {"csrf": "x" * 2_000_000, "submit": "Send", "file": "7.png"}
    files = [("file", WHOLE + bytes(3_000_000)), ("other", b"no picture")]  # a PNG's end is followed by zeros
    answer = client.post("/predict", files=files, data=more)
    assert (answer.status_code, answer.json()["prediction"]) == (200, 7)


@pytest.mark.parametrize("form", ["AVIF", "PDF"])
@pytest.mark.parametrize("length", [200, None])
def test_formats_slow_to_decode_are_refused(client: TestClient, form: str, length: int | None) -> None:
    for path in ("/predict", "/explain", "/thumbnail"):
        answer = client.post(path, content=encoded(PICTURE, form)[:length])
        assert answer.status_code == 422 and form in answer.json()["detail"]


def test_a_heic_picture_is_read(client: TestClient) -> None:
    assert client.post("/predict", content=encoded(PICTURE, "HEIF")).json()["prediction"] == 7


@pytest.mark.parametrize(("sent", "code", "kind", "words"), [
    ({"content": b""}, 422, "no-picture", ""),
    ({"files": {"picture": b"x"}}, 422, "no-picture", 'curl -F "file=@7.png"'),
    ({"files": {"file": (None, "7.png")}}, 422, "no-picture", 'curl -F "file=@7.png"'),
    ({"files": {"file": b""}}, 422, "no-picture", ""),
    ({"files": [("file", b"7")] * 33}, 413, "too-many", "32"),
    ({"files": [("file", b"7")] * 200}, 413, "too-many", "32"),
    ({"json": {"image": "***"}}, 422, "bad-json", "base64"),
    ({"json": {"image": "data:image/png,7"}}, 422, "bad-json", "base64"),
    ({"json": {"picture": "QUJD"}}, 422, "bad-json", "picture"),
    ({"json": {}}, 422, "bad-json", '"image" or "images"'),
    ({"json": {"image": "QUJD", "images": ["QUJD"]}}, 422, "bad-json", '"image" or "images"'),
    ({"json": {"images": [7]}}, 422, "bad-json", "images.0"),
    ({"json": {"image": "QUJD"}}, 422, "image-error", "PNG, JPEG"),
    ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, "bad-form", "boundary"),
    ({"content": b"--b", "headers": FORM}, 400, "bad-form", "cut off"),
    ({"content": PART, "headers": UNDEFINED}, 400, "bad-form", "undefined"),
])  # fmt: skip
def test_wrong_requests_are_problems(client: TestClient, sent: Any, code: int, kind: str, words: str) -> None:
    answer = client.post("/predict", **sent)
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (code, f"urn:digitrec:problem:{kind}")
    assert words in problem["detail"] and "AVIF" not in problem["detail"]


def test_what_the_network_saw_is_shown_on_request(client: TestClient) -> None:
    url = client.post("/predict?seen=true", content=WHOLE).json()["seen"]
    seen = Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,"))))
    assert seen.size == (28, 28)
    assert (seen.getextrema()[1], seen.getpixel((0, 0))) == (255, 0)


def test_the_named_engine_is_asked_and_compare_asks_what_costs_money_only_by_name() -> None:
    cloud = paid("3")
    with serving(local(), cloud) as client:
        unknown = client.post("/predict?provider=other", content=WHOLE)
        alone = client.post("/compare", content=WHOLE).json()
        assert cloud.provider.calls == 0  # type: ignore[attr-defined]
        both = client.post("/compare?provider=local&provider=cloud", content=WHOLE).json()
        assert client.post("/predict?provider=cloud", content=WHOLE).json()["prediction"] == 3
        offered = client.get("/providers").json()["providers"]
    facts = ("name", "usd_per_picture", "remote", "explains", "reads_numbers")
    assert [tuple(map(one.get, facts)) for one in offered] == [
        ("local", 0, False, True, False), ("cloud", 0.01, True, False, True)
    ]  # fmt: skip
    with serving(paid("3")) as client:
        unnamed = client.post("/compare", content=WHOLE)
    with serving(Fallback([network := local()], 0.9), network) as client:
        assert len(client.post("/compare", content=WHOLE).json()["readings"]) == 1, "a policy has no vote"
        named = client.post("/compare?provider=local&provider=local@0.9", content=WHOLE).json()
    assert (len(named["readings"]), named["agree"], named["consensus"]) == (2, None, 7)
    assert unnamed.status_code == 422 and "name the engines" in unnamed.json()["detail"]
    assert unknown.status_code == 422 and "local, cloud" in unknown.json()["detail"]
    assert [reading["provider"] for reading in alone["readings"]] == ["local"]
    readings = [(reading["provider"], reading["prediction"]) for reading in both["readings"]]
    assert readings == [("local", 7), ("cloud", 3)]
    assert both["readings"][1]["cost_usd"] == pytest.approx(0.01)
    assert both["agree"] is False


def test_emulators_have_no_vote_beside_an_engine() -> None:
    network = local()
    with serving(network, emulated("google", "3"), emulated("aws", "3"), Fallback([network], 0.9)) as client:
        beside = client.post("/compare?provider=local&provider=google&provider=aws", content=WHOLE).json()
        alone = client.post("/compare?provider=google&provider=aws", content=WHOLE).json()
        policy = client.post("/compare?provider=local@0.9&provider=google", content=WHOLE).json()
    assert (beside["agree"], beside["consensus"], beside["emulated"]) == (None, 7, False)
    assert (policy["consensus"], policy["emulated"]) == (7, False)
    assert (alone["agree"], alone["consensus"], alone["emulated"]) == (True, 3, True)


@pytest.mark.parametrize("path", ["/predict", "/v1/read", "/compare", "/explain"])
def test_a_body_that_is_no_picture_is_refused(client: TestClient, path: str) -> None:
    assert client.post(path, content=b"no picture").status_code == 422


def test_an_engine_that_fails_does_so_alone_and_its_own_words_stay_inside() -> None:
    with serving(local(), paid(Unavailable("secret-host is down", provider="cloud"))) as client:
        compared = client.post("/compare?provider=local&provider=cloud", content=WHOLE)
        asked = client.post("/predict?provider=cloud", content=WHOLE)
    ours, cloud = compared.json()["readings"]
    assert (compared.status_code, ours["prediction"], cloud["problem"]["status"]) == (200, 7, 503)
    assert asked.status_code == 503 and "retry-after" in asked.headers
    assert "secret-host" not in compared.text + asked.text


def test_a_ledger_that_cannot_be_opened_costs_only_its_engine_and_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    network, cloud = local(), Engine(paid().provider, Options(max_cost=1, ledger=tmp_path))
    with serving(network, cloud, Fallback([network, cloud], 0.95)) as client:
        compared = client.post("/compare?provider=local&provider=cloud", content=WHOLE)
        asked = client.post("/v1/read?provider=cloud", content=WHOLE)
        assert client.post("/predict?provider=local>cloud@0.95", content=WHOLE).json()["prediction"] == 7
        assert 'provider="cloud",result="failed"} 3.0' in client.get("/metrics").text
    ours, cloud = compared.json()["readings"]
    assert (ours["prediction"], cloud["problem"]["status"], asked.status_code) == (7, 500, 500)
    told = [str(getattr(record, "fields", "")) for record in caplog.records if record.levelname == "WARNING"]
    assert sum(str(tmp_path) in fields for fields in told) == 3 and str(tmp_path) not in compared.text


def test_an_engine_with_a_price_but_no_address_is_asked_by_nobody_but_a_visitor() -> None:
    provider = FakeProvider(["7"], price=Price(0.25, "made up"), wants=GATED)
    with serving(Engine(provider, Options(ledger="none"))) as client:
        (offered,) = client.get("/providers").json()["providers"]
    assert provider.calls == 0 and offered["remote"] and not offered["explains"]


def test_metrics_count_what_was_read_and_answered(client: TestClient) -> None:
    client.post("/predict", content=WHOLE)
    client.post("/predict", content=b"no picture")
    client.get("/an/address/that/is/not/there")
    page = client.get("/metrics").text
    for path, status in (("/predict", 200), ("/predict", 422), ("other", 404)):
        assert f'digitrec_http_requests_total{{path="{path}",status="{status}"}} 1.0' in page
    assert 'digitrec_readings_total{provider="local",result="7"} 1.0' in page
    assert "digitrec_http_request_seconds_bucket" in page
    assert "# TYPE digitrec_http_turned_away_total counter" in page
    assert "process_resident_memory_bytes" in page or sys.platform != "linux"


def test_a_policy_is_on_offer_like_an_engine_and_says_whom_it_asked() -> None:
    network, cloud, name = local(), paid("3"), "local>cloud@0.95"
    with serving(Fallback([network, cloud], below=0.95), network) as client:
        answer = client.post("/predict", content=WHOLE).json()
        alone = client.post("/predict?provider=local", content=WHOLE).json()
        broken = client.post("/predict", content=b"this is no picture")
        (first, *_) = client.get("/providers").json()["providers"]
    assert (answer["provider"], answer["cost_usd"]) == (name, 0.01)
    asked = [(said["provider"], said["prediction"]) for said in answer["asked"]]
    assert asked == [("local", 7), ("cloud", 3)]
    assert (alone["provider"], alone["asked"], broken.status_code) == ("local", [], 422)
    offered = {"name": name, "usd_per_picture": 0.01, "remote": True, "explains": False}
    assert first == offered | {"reads_numbers": True}


def test_the_cost_of_a_policys_failed_engine_is_counted_once() -> None:
    with serving(Fallback([local(), paid(BadAnswer("x", status=200))], below=1)) as client:
        assert client.post("/predict", content=WHOLE).json()["cost_usd"] == 0.01
        page = client.get("/metrics").text
    costs = [line for line in page.splitlines() if line.startswith("digitrec_cost_usd_total")]
    assert sum(float(line.split()[1]) for line in costs) == 0.01
