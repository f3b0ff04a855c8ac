"""`POST /v1/read`: the numbers on a picture, under the limits of all requests."""

import base64
from collections.abc import Iterator

import pytest

from digitrec.answer import Answer, Candidate, Outcome
from digitrec.comparison.policy import Fallback
from digitrec.emulator.kit import FakeProvider, Line
from digitrec.engine import Engine, Options
from digitrec.errors import Unavailable
from digitrec.image import DigitImage, InputSpec

from .fakes import local, png, serving

TWO = Answer((Candidate("12.50", 0.95, (10, 10, 40, 20)), Candidate("1234", 0.4, (10, 40, 40, 50))))
WHOLE = png()


def reader(*script: Line) -> Engine:
    """Return a reader that reads two numbers unless scripted otherwise."""
    return Engine(FakeProvider(script or (TWO,), name="ocr"), Options(ledger="none", attempts=1))


class Others:
    """A policy of another package, which reads single digits."""

    name = "others"
    engines = ()

    def stream(self, images: object, *, lenient: bool = False) -> Iterator[Outcome]:
        raise NotImplementedError

    def close(self) -> None: ...


@pytest.mark.parametrize("sent", [
    {"content": WHOLE}, {"files": {"file": WHOLE}}, {"json": {"image": base64.b64encode(WHOLE).decode()}}],
    ids=["body", "form", "JSON",
])  # fmt: skip
def test_a_picture_is_answered_with_its_numbers_however_it_is_sent(sent: dict[str, object]) -> None:
    with serving(reader()) as client:
        answer = client.post("/v1/read", **sent).json()  # type: ignore[arg-type]
        assert 'result="numbers"} 1.0' in client.get("/metrics").text
    assert [(one["text"], one["value"], one["row"]) for one in answer["numbers"]] == [
        ("12.50", "12.50", 0), ("1234", "1234", 1),
    ]  # fmt: skip
    assert answer["numbers"][0]["box"] == [10, 10, 40, 20]
    assert (answer["size"], answer["provider"], answer["cost_usd"]) == ([64, 64], "ocr", 0)


def test_an_expected_number_of_digits_takes_the_value_of_others() -> None:
    with serving(reader()) as client:
        found = {}
        for digits in ("4", "1-3"):
            answer = client.post(f"/v1/read?digits={digits}", content=WHOLE).json()
            found[digits] = [one["value"] for one in answer["numbers"]]
        refused = ("0", "many", "5-3", "1\u0663")
        wrong = [client.post(f"/v1/read?digits={digits}", content=WHOLE) for digits in refused]
    assert found == {"4": ["12.50", "1234"], "1-3": [None, None]}
    invalid = (422, "urn:digitrec:problem:invalid-request")
    assert {(one.status_code, one.json()["type"]) for one in wrong} == {invalid}


def test_a_policy_reads_numbers_with_its_engines() -> None:
    unsure, sure = reader(), Engine(FakeProvider([Answer((Candidate("1234", 0.9),))], name="sure"))
    broken = Engine(FakeProvider([Unavailable("secret-host is down", provider="cloud")], name="cloud"))
    with serving(Fallback([unsure, broken, sure], 0.8)) as client:
        answer = client.post("/v1/read", content=WHOLE).json()
    assert [one["text"] for one in answer["numbers"]] == ["1234"]
    assert answer["provider"].startswith("ocr>cloud>sure")
    said = [(one["provider"], len(one["numbers"])) for one in answer["asked"]]
    assert said == [("ocr", 2), ("cloud", 0), ("sure", 1)]
    assert answer["asked"][1]["problem"]["status"] == 503 and "secret-host" not in str(answer)


@pytest.mark.parametrize("enough", [750, 1500])
def test_a_cloud_gets_the_same_picture_as_from_the_command(enough: int) -> None:
    wants = InputSpec(encoding="png", enough=enough)
    cloud = FakeProvider([TWO], name="cloud", wants=wants, endpoint="http://127.0.0.1:9")
    page = png((3000, 3000))
    with serving(Engine(cloud, Options(ledger="none"))) as client:
        assert client.post("/v1/read", content=page).status_code == 200
    assert cloud.images[0].size == DigitImage.open(page, enough=enough).size


def test_an_engine_that_reads_no_numbers_or_fails_is_a_problem() -> None:
    network, ocr = local(), reader(Unavailable("secret-host is down", provider="ocr"))
    with serving(network, ocr, Fallback([network, ocr], 0.9), Others()) as client:
        offered = {one["name"]: one["reads_numbers"] for one in client.get("/providers").json()["providers"]}
        answers = {it: client.post("/v1/read", params={"provider": it}, content=WHOLE) for it in offered}
        several = client.post("/v1/read?provider=ocr", files=[("file", WHOLE)] * 2)
        broken = client.post("/v1/read?provider=ocr", content=b"no picture")
    policy = next(name for name in offered if ">" in name)
    assert offered == {"local": False, "ocr": True, policy: True, "others": False}
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert statuses == {"local": 422, "ocr": 503, policy: 503, "others": 422}
    assert answers["local"].json()["type"] == "urn:digitrec:problem:no-numbers"
    assert "secret-host" not in answers["ocr"].text
    assert (several.status_code, broken.status_code) == (422, 422)
