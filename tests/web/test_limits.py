"""Admission: size, number, rate, keys, time; each rejected with a problem body."""

from __future__ import annotations

import base64
import io

import pytest
from fastapi.testclient import TestClient
from PIL import Image

from digitrec.web.limits import MAX_CLIENTS, RateLimiter
from digitrec.web.problems import ProblemError
from digitrec.web.settings import Settings

from .fakes import held_up, local, png, serving

WHOLE = png()


def post(client: TestClient, **headers: str) -> int:
    return client.post("/predict", content=WHOLE, headers=headers).status_code


@pytest.mark.parametrize(
    ("settings", "sent", "status", "kind"),
    [
        (Settings(max_body_bytes=5_000), {"content": b"x" * 5_001}, 413, "too-large"),
        (Settings(max_body_bytes=5_000), {"content": (b"x" * 1000 for _ in range(1000))}, 413, "too-large"),
        (Settings(max_buffered_bytes=2_000), {"content": b"x" * 2_001}, 503, "busy"),
        (Settings(max_client_bytes=2_000), {"content": b"x" * 2_001}, 503, "busy"),
        (Settings(max_pictures=2), {"files": [("file", WHOLE)] * 3}, 413, "too-many"),
        (Settings(max_pictures=2), {"json": {"images": [base64.b64encode(WHOLE).decode()] * 3}}, 413,
         "too-many"),
    ],
)  # fmt: skip
def test_too_much_is_rejected_and_what_fits_is_read(
    settings: Settings, sent: dict[str, object], status: int, kind: str
) -> None:
    with serving(settings=settings) as client:
        answer = client.post("/predict", **sent)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["type"]) == (status, f"urn:digitrec:problem:{kind}")
        assert answer.headers["content-type"] == "application/problem+json"
        assert ("retry-after" in answer.headers) == (status == 503)
        assert post(client) == 200


def converted(picture: bytes, mode: str) -> bytes:
    data = io.BytesIO()
    Image.open(io.BytesIO(picture)).convert(mode).save(data, "PNG")
    return data.getvalue()


def test_a_picture_that_takes_too_much_memory_is_refused_before_it_is_decoded() -> None:
    grey, coloured = (converted(png((100, 100)), mode) for mode in ("L", "RGB"))
    with serving(settings=Settings(max_decoding_bytes=20_000)) as client:
        statuses = [client.post("/predict", content=one).status_code for one in (grey, coloured)]
    assert statuses == [200, 422]


def test_a_scan_of_many_pixels_and_few_bytes_is_read() -> None:
    """A4 at 600 dots an inch, one bit a pixel."""
    scan = converted(png((4960, 7016)), "1")
    with serving() as client:
        assert client.post("/predict", content=scan).json()["prediction"] == 7


def test_a_client_too_fast_is_told_how_long_to_wait_and_others_are_not() -> None:
    with serving(settings=Settings(rate=0.01, burst=2, proxies=1)) as client:
        one, other = ({"x-forwarded-for": address} for address in ("203.0.113.1", "203.0.113.2"))
        assert [post(client, **one) for _ in range(2)] == [200, 200]
        assert post(client, **{"x-forwarded-for": "a lie, 203.0.113.1"}) == 429
        assert client.post("/predict", content=WHOLE, headers=one).headers["retry-after"] == "100"
        assert post(client, **other) == 200
        assert client.get("/health").status_code == 200


def test_requests_need_a_key_where_there_are_keys() -> None:
    with serving(settings=Settings(api_keys=("first", "second"))) as client:
        without = client.post("/predict", content=WHOLE)
        assert (without.status_code, without.headers["www-authenticate"]) == (401, "Bearer")
        assert post(client, **{"x-api-key": "wrong"}) == 401
        assert post(client, **{"x-api-key": "second"}) == 200
        assert post(client, authorization="Bearer first") == 200
        assert client.get("/health").status_code == 200


def test_wrong_keys_slow_down_their_sender() -> None:
    keyed = Settings(api_keys=("right",), wrong_keys=3, wrong_keys_per_s=0.01)
    with serving(settings=keyed) as client:
        assert [post(client) for _ in range(9)] == [401] * 9  # none was guessed
        assert [post(client, **{"x-api-key": "right"}) for _ in range(9)] == [200] * 9
        assert [post(client, **{"x-api-key": f"{n}"}) for n in range(5)] == [401, 401, 401, 429, 429]
        answer = client.post("/predict", content=WHOLE, headers={"x-api-key": "right"})
        assert answer.status_code == 429 and 90 <= int(answer.headers["retry-after"]) <= 100
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


def test_a_request_that_takes_too_long_is_given_up() -> None:
    engine = local()
    go, _ = held_up(engine)
    with serving(engine, settings=Settings(seconds=0.2)) as client:
        go.clear()
        answer = client.post("/predict", content=WHOLE)
        go.set()
        assert any(post(client) == 200 for _ in range(100))  # a busy machine may be too slow for some
    assert (answer.status_code, answer.json()["type"]) == (504, "urn:digitrec:problem:too-late")


def waits(limiter: RateLimiter, client: str, count: int) -> list[int]:
    """Seconds to wait that each of so many requests is told."""
    found = []
    for _ in range(count):
        try:
            limiter.check(client, "too fast")
            found.append(0)
        except ProblemError as error:
            found.append(int(error.problem.headers["Retry-After"]))
    return found


def test_a_bucket_empties_and_fills_at_its_rate() -> None:
    now = 0.0
    limiter = RateLimiter(0.5, 3, clock=lambda: now)
    assert waits(limiter, "one", 4) == [0, 0, 0, 2]
    assert waits(limiter, "two", 1) == [0]
    now = 2
    assert waits(limiter, "one", 2) == [0, 2]
    now = 1000
    assert waits(limiter, "one", 4) == [0, 0, 0, 2]


def test_the_client_not_heard_of_for_longest_is_forgotten() -> None:
    limiter = RateLimiter(1, 1, clock=lambda: 0.0)
    for number in range(MAX_CLIENTS + 1):
        limiter.check(str(number), "too fast")
    assert [waits(limiter, str(number), 1) for number in (MAX_CLIENTS, 0)] == [[1], [0]]
