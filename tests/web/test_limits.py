"""Admission: size, number, rate, keys, time and origin; each turned away with a problem body."""

from __future__ import annotations

import base64
import io
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from digitrec.web.limits import MAX_CLIENTS, RateLimiter
from digitrec.web.settings import Settings

from .fakes import SEVEN, local, png, serving

WHOLE = png()


def post(client: TestClient, **headers: str) -> int:
    return client.post("/predict", content=WHOLE, headers=headers).status_code


def test_a_body_too_large_is_refused_by_its_announcement_and_while_it_arrives() -> None:
    pieces = (b"x" * 1000 for _ in range(1000))
    with serving(settings=Settings(max_body_bytes=5_000)) as client:
        announced = client.post("/predict", content=b"x" * 5_001)
        streamed = client.post("/predict", content=pieces)
        assert post(client) == 200
    for answer in (announced, streamed):
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:digitrec:problem:too-large"


def test_all_bodies_together_are_bounded() -> None:
    with serving(settings=Settings(max_buffered_bytes=len(WHOLE) - 1)) as client:
        answer = client.post("/predict", content=WHOLE)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert client.post("/predict", content=b"small").status_code == 422


def test_too_many_pictures_are_refused() -> None:
    with serving(settings=Settings(max_pictures=2)) as client:
        in_a_form = client.post("/predict", files=[("file", WHOLE)] * 3)
        in_json = client.post("/predict", json={"images": [base64.b64encode(WHOLE).decode()] * 3})
        assert client.post("/predict", files=[("file", WHOLE)] * 2).status_code == 200
    assert (in_a_form.status_code, in_json.status_code) == (413, 413)


def test_a_picture_that_takes_too_much_memory_is_refused_before_it_is_decoded() -> None:
    grey, coloured = (converted(png((100, 100)), mode) for mode in ("L", "RGB"))
    with serving(settings=Settings(max_decoding_bytes=20_000)) as client:
        answer = client.post("/predict", content=coloured)
        assert client.post("/predict", content=grey).status_code == 200
    assert answer.status_code == 422
    assert "pixels" in answer.json()["detail"]


def test_a_scan_of_many_pixels_and_few_bytes_is_read() -> None:
    """A4 at 600 dots an inch, one bit a pixel."""
    scan = converted(png((4960, 7016)), "1")
    with serving() as client:
        assert client.post("/predict", content=scan).json()["prediction"] == 7


def converted(picture: bytes, mode: str) -> bytes:
    data = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert(mode).save(data, "PNG")
    return data.getvalue()


def test_a_client_too_fast_is_told_how_long_to_wait() -> None:
    with serving(settings=Settings(rate=0.01, burst=2)) as client:
        assert [post(client) for _ in range(3)] == [200, 200, 429]
        assert client.post("/predict", content=WHOLE).headers["retry-after"] == "100"
        assert client.get("/health").status_code == 200


def test_clients_behind_a_trusted_proxy_are_told_apart() -> None:
    with serving(settings=Settings(rate=0.01, burst=1, proxies=1)) as client:
        assert post(client, **{"x-forwarded-for": "203.0.113.1"}) == 200
        assert post(client, **{"x-forwarded-for": "203.0.113.2"}) == 200
        assert post(client, **{"x-forwarded-for": "a lie, 203.0.113.1"}) == 429


def test_questions_need_a_key_where_there_are_keys() -> None:
    with serving(settings=Settings(api_keys=("first", "second"))) as client:
        without = client.post("/predict", content=WHOLE)
        assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer")
        assert post(client, **{"x-api-key": "wrong"}) == 401
        assert post(client, **{"x-api-key": "second"}) == 200
        assert post(client, authorization="Bearer first") == 200
        assert client.get("/metrics").status_code == 401
        assert client.get("/health").status_code == 200


def test_wrong_keys_slow_down_whoever_sends_them() -> None:
    keyed = Settings(api_keys=("right",), wrong_keys=3, wrong_keys_per_s=0.01)
    with serving(settings=keyed) as client:
        assert [post(client) for _ in range(9)] == [401] * 9  # none was guessed
        assert [post(client, **{"x-api-key": "right"}) for _ in range(9)] == [200] * 9
        assert [post(client, **{"x-api-key": f"{n}"}) for n in range(5)] == [401, 401, 401, 429, 429]
        told = client.post("/predict", content=WHOLE, headers={"x-api-key": "right"})
        assert told.status_code == 429 and 90 <= int(told.headers["retry-after"]) <= 100  # nor which is right
        assert client.get("/metrics", headers={"x-api-key": "wrong"}).status_code == 429


def test_the_description_says_that_a_key_is_needed_where_one_is() -> None:
    with serving(settings=Settings(api_keys=("one",))) as client:
        described = client.get("/openapi.json").json()
    schemes = described["components"]["securitySchemes"]
    assert {scheme["type"] for scheme in schemes.values()} == {"apiKey", "http"}
    for path, method in (("/predict", "post"), ("/compare", "post"), ("/metrics", "get")):
        wanted = described["paths"][path][method]["security"]
        assert {name for one in wanted for name in one} == set(schemes)
    with serving() as client:
        assert "securitySchemes" not in client.get("/openapi.json").json()["components"]


def test_another_sites_page_may_not_ask() -> None:
    with serving() as client:
        assert post(client, origin="https://elsewhere.example") == 403
        assert post(client, origin="http://testserver") == 200


@pytest.fixture
def stuck():  # type: ignore[no-untyped-def]
    """An engine that answers only when it is let go."""
    engine, go, entered = local(), threading.Event(), threading.Semaphore(0)

    def wait(image: object, *, timeout: float) -> object:
        entered.release()
        go.wait(20)
        return SEVEN

    engine.provider.read = wait  # type: ignore[method-assign, assignment]
    yield engine, go, entered
    go.set()


def test_a_full_server_says_so_at_once_and_answers_what_it_accepted(stuck) -> None:  # type: ignore[no-untyped-def]
    engine, go, entered = stuck
    go.set()
    with serving(engine, settings=Settings(max_requests=2)) as client, ThreadPoolExecutor(2) as pool:
        go.clear()
        assert entered.acquire(timeout=20)  # the warm-up
        accepted = [pool.submit(post, client) for _ in range(2)]
        assert entered.acquire(timeout=20)
        while client.get("/ready").status_code == 200:
            pass
        turned_away = client.post("/predict", content=WHOLE)
        go.set()
        assert [future.result() for future in accepted] == [200, 200]
        assert client.get("/ready").json() == {"ready": True}
    assert (turned_away.status_code, turned_away.headers["retry-after"]) == (503, "1")
    assert turned_away.json()["type"] == "urn:digitrec:problem:busy"


def test_a_question_that_takes_too_long_is_given_up(stuck) -> None:  # type: ignore[no-untyped-def]
    engine, go, _ = stuck
    go.set()
    with serving(engine, settings=Settings(seconds=0.2)) as client:
        go.clear()
        answer = client.post("/predict", content=WHOLE)
        go.set()
        assert any(post(client) == 200 for _ in range(100))  # a busy machine may be too slow for some
    assert answer.status_code == 504
    assert answer.json()["type"] == "urn:digitrec:problem:too-late"


def test_a_bucket_empties_and_fills_at_its_rate() -> None:
    now = 0.0
    limiter = RateLimiter(2, 3, clock=lambda: now)
    assert [limiter.wait("one") for _ in range(4)] == [0, 0, 0, 0.5]
    assert limiter.wait("two") == 0
    now = 0.5
    assert [limiter.wait("one") for _ in range(2)] == [0, 0.5]


def test_it_remembers_no_more_clients_than_it_may() -> None:
    limiter = RateLimiter(1, 1, clock=lambda: 0.0)
    for number in range(MAX_CLIENTS + 1):
        limiter.wait(str(number))
    assert limiter.wait(str(MAX_CLIENTS)) > 0
    assert limiter.wait("0") == 0  # forgotten, as the one not heard of for longest
