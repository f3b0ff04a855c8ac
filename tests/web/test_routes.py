"""The endpoints: the fields that people know, every way of sending a picture, the server's own state."""

from __future__ import annotations

import base64
import io
import struct
import sys

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from digitrec.comparison.fallback import Fallback
from digitrec.errors import Unavailable

from .fakes import SEVEN, SURE, emulated, local, paid, png, serving


def test_health_says_what_it_always_said(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "model_loaded": True}


def test_a_file_in_a_form_is_read(client: TestClient) -> None:
    answer = client.post("/predict", files={"file": ("test.png", png(), "image/png")}).json()
    assert answer["prediction"] == 7
    assert answer["confidence"] == SURE
    assert answer["probs"] == list(SEVEN.probabilities or ())
    assert answer["reason"] is None
    assert answer["provider"] == "local"
    assert answer["cost_usd"] == 0


@pytest.mark.parametrize(
    "kind", ["image/png", "application/octet-stream", "application/x-www-form-urlencoded"]
)
def test_a_picture_as_the_body_is_read_whatever_its_type_says(client: TestClient, kind: str) -> None:
    answer = client.post("/predict", content=png(), headers={"content-type": kind})
    assert answer.json()["prediction"] == 7


@pytest.mark.parametrize("start", ["", "data:image/png;base64,"])
def test_base64_in_json_is_read(client: TestClient, start: str) -> None:
    sent = {"image": start + base64.b64encode(png()).decode()}
    assert client.post("/predict", json=sent).json()["prediction"] == 7


def test_several_files_are_answered_in_order_and_a_bad_one_fails_alone(client: TestClient) -> None:
    files = [("file", png()), ("file", b"no picture"), ("file", png(blank=True))]
    good, bad, blank = client.post("/predict", files=files).json()["predictions"]
    assert (good["prediction"], good["problem"]) == (7, None)
    assert (bad["prediction"], bad["problem"]["status"]) == (None, 422)
    assert (blank["prediction"], blank["reason"]) == (None, "blank")


def test_a_json_list_of_one_is_answered_with_a_list(client: TestClient) -> None:
    sent = {"images": [base64.b64encode(png()).decode()]}
    assert [one["prediction"] for one in client.post("/predict", json=sent).json()["predictions"]] == [7]


def test_a_refusal_is_an_answer_with_its_reason(client: TestClient) -> None:
    answer = client.post("/predict", content=png(blank=True))
    assert answer.status_code == 200
    assert answer.json()["prediction"] is None
    assert answer.json()["reason"] == "blank"


def test_what_the_network_saw_is_shown_on_request(client: TestClient) -> None:
    assert client.post("/predict", content=png()).json()["seen"] is None
    url = client.post("/predict?seen=true", content=png()).json()["seen"]
    seen = Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,"))))
    assert seen.size == (28, 28)
    assert (seen.getextrema()[1], seen.getpixel((0, 0))) == (255, 0)


def test_the_named_engine_is_asked() -> None:
    with serving(local(), paid("3")) as client:
        assert client.post("/predict?provider=cloud", content=png()).json()["prediction"] == 3
        unknown = client.post("/predict?provider=other", content=png())
    assert unknown.status_code == 422
    assert "local, cloud" in unknown.json()["detail"]


def test_compare_asks_what_costs_money_only_by_name() -> None:
    cloud = paid("3")
    with serving(local(), cloud) as client:
        alone = client.post("/compare", content=png()).json()
        both = client.post("/compare?provider=local&provider=cloud", content=png()).json()
    assert [reading["provider"] for reading in alone["readings"]] == ["local"]
    assert [(reading["provider"], reading["prediction"]) for reading in both["readings"]] == [
        ("local", 7), ("cloud", 3),
    ]  # fmt: skip
    assert both["readings"][1]["cost_usd"] == pytest.approx(0.01)
    assert both["agree"] is False
    assert cloud.provider.calls == 1  # type: ignore[attr-defined]


def test_emulators_have_no_vote_beside_an_engine() -> None:
    with serving(local(), emulated("google", "3"), emulated("aws", "3")) as client:
        beside = client.post("/compare?provider=local&provider=google&provider=aws", content=png()).json()
        alone = client.post("/compare?provider=google&provider=aws", content=png()).json()
    assert (beside["agree"], beside["consensus"], beside["emulated"]) == (None, 7, False)
    assert (alone["agree"], alone["consensus"], alone["emulated"]) == (True, 3, True)


def test_an_engine_that_fails_does_so_alone_and_its_own_words_stay_inside() -> None:
    with serving(local(), paid(Unavailable("secret-host is down", provider="cloud"))) as client:
        compared = client.post("/compare?provider=local&provider=cloud", content=png())
        asked = client.post("/predict?provider=cloud", content=png())
    assert compared.status_code == 200
    assert compared.json()["readings"][0]["prediction"] == 7
    assert compared.json()["readings"][1]["problem"]["status"] == 503
    assert asked.status_code == 503
    assert "retry-after" in asked.headers
    assert "secret-host" not in compared.text + asked.text


def test_a_budget_that_is_spent_is_a_problem_of_its_own() -> None:
    with serving(local(), paid(max_cost=0.015)) as client:
        statuses = [
            client.post("/predict?provider=cloud", content=png((40 + n, 64))).status_code for n in range(2)
        ]
    assert statuses == [200, 402]


def test_the_engines_on_offer_are_listed_with_their_price() -> None:
    with serving(local(), paid()) as client:
        assert client.get("/providers").json()["providers"] == [
            {"name": "local", "usd_per_picture": 0.0, "remote": False, "explains": True},
            {"name": "cloud", "usd_per_picture": 0.01, "remote": True, "explains": False},
        ]


def test_metrics_count_what_was_read_and_answered(client: TestClient) -> None:
    client.post("/predict", content=png())
    client.post("/predict", content=b"no picture")
    client.get("/an/address/that/is/not/there")
    page = client.get("/metrics").text
    assert 'digitrec_readings_total{provider="local",result="7"} 1.0' in page
    assert 'digitrec_http_requests_total{path="/predict",status="200"} 1.0' in page
    assert 'digitrec_http_requests_total{path="/predict",status="422"} 1.0' in page
    assert 'digitrec_http_requests_total{path="other",status="404"} 1.0' in page
    assert "digitrec_http_request_seconds_bucket" in page
    assert "# TYPE digitrec_http_turned_away_total counter" in page
    assert "process_resident_memory_bytes" in page or sys.platform != "linux"


def test_ready_says_whether_a_question_would_be_let_in(client: TestClient) -> None:
    assert client.get("/ready").json() == {"ready": True}


def test_a_policy_is_on_offer_like_an_engine_and_says_whom_it_asked() -> None:
    network, cloud = local(), paid("3")
    with serving(Fallback([network, cloud], below=0.95), network) as client:
        answer = client.post("/predict", content=png()).json()
        alone = client.post("/predict?provider=local", content=png()).json()
        (first, *_) = client.get("/providers").json()["providers"]
    assert (answer["provider"], answer["cost_usd"]) == ("local>cloud@0.95", 0.01)
    assert [(said["provider"], said["prediction"]) for said in answer["asked"]] == [
        ("local", 7),
        ("cloud", 3),
    ]
    assert (alone["provider"], alone["asked"]) == ("local", [])
    name = "local>cloud@0.95"
    assert first == {"name": name, "usd_per_picture": 0.01, "remote": True, "explains": False}


def test_a_policy_refuses_what_an_engine_refuses() -> None:
    with serving(Fallback([local(), paid()], below=0.95)) as client:
        broken = client.post("/predict", content=b"this is no picture")
    assert broken.status_code == 422


def test_a_heic_picture_is_read_and_a_lying_one_refused(client: TestClient) -> None:
    """Its decoder holds it to the size that its header gives, so the limit of the server holds as well."""
    heif = pytest.importorskip("pillow_heif", reason="the extra heif is not installed")
    buffer = io.BytesIO()
    heif.from_pillow(Image.open(io.BytesIO(png())).convert("RGB").resize((560, 560))).save(buffer)
    assert client.post("/predict", content=buffer.getvalue()).json()["prediction"] == 7
    lying = buffer.getvalue().replace(struct.pack(">II", 560, 560), struct.pack(">II", 28, 28))
    assert client.post("/predict", content=lying).status_code == 422


@pytest.mark.parametrize("form", ["AVIF", "PDF"])
def test_formats_that_could_keep_the_server_busy_are_refused(client: TestClient, form: str) -> None:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png())).convert("RGB").save(buffer, form)
    for sent in (buffer.getvalue(), buffer.getvalue()[:200]):
        answer = client.post("/predict", content=sent)
        assert answer.status_code == 422
        assert answer.json()["detail"] == f"{form} is not read here; send a JPEG or a PNG"
    good, bad = client.post(
        "/predict", files=[("file", png()), ("file", buffer.getvalue())]
    ).json()["predictions"]  # fmt: skip
    assert (good["prediction"], bad["problem"]["status"]) == (7, 422)


def test_of_an_animation_the_first_picture_is_read(client: TestClient) -> None:
    buffer = io.BytesIO()
    first = Image.open(io.BytesIO(png()))
    first.save(buffer, "TIFF", save_all=True, append_images=[Image.new("L", (28, 28))] * 5)
    assert client.post("/predict", content=buffer.getvalue()).json()["prediction"] == 7
