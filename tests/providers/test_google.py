from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from digitrec.emulator import Emulator
from digitrec.errors import BadAnswer, NotConfigured, RateLimited, Rejected, Unavailable
from digitrec.providers.answer import Answer, Candidate
from digitrec.providers.google import Google, parse

from .common import BOX, Opened, Prepared, Stored


@pytest.mark.parametrize(
    ("case", "candidates"),
    [
        ("seven", [Candidate("7", 0.97, BOX)]),
        ("two-words", [Candidate("42", 0.6, BOX), Candidate("x", 0.5, BOX)]),
        ("word-confidence-only", [Candidate("7", 0.81, BOX)]),
        ("no-confidence", [Candidate("7", None, BOX)]),
        ("at-the-edge", [Candidate("1", 0.9, (0, 0, 30, 40))]),
        ("annotations-only", [Candidate("7")]),
        ("no-text", []),
    ],
)
def test_parse(stored: Stored, case: str, candidates: list[Candidate]) -> None:
    raw = stored("google", case)
    assert parse(raw) == Answer(tuple(candidates), raw=raw)


@pytest.mark.parametrize(
    ("case", "error", "said"),
    [
        ("bad-image", Rejected, "Bad image data"),
        ("out-of-quota", RateLimited, "exhausted"),
        ("no-pages", BadAnswer, "'pages'"),
    ],
)
def test_parse_refuses(stored: Stored, case: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        parse(stored("google", case))


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    google = opened("google")
    answer = google.read(prepared(google), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875, (10, 20, 30, 60)),)
    assert answer.raw["fullTextAnnotation"]["text"].strip() == "7"


def test_text_detection_asks_for_confidences_too(opened: Opened, prepared: Prepared) -> None:
    google = opened("google", feature="text", language_hints=["en"])
    answer = google.read(prepared(google), timeout=10)
    assert answer.candidates[0].score == 0.875
    assert google.options == {"feature": "TEXT_DETECTION", "language_hints": ["en"]}  # type: ignore[attr-defined]


def test_sixteen_images_are_one_request(opened: Opened, prepared: Prepared, emulator: Emulator) -> None:
    google, before = opened("google"), emulator.calls("google")
    answers = google.read_many([prepared(google)] * 17, timeout=10)
    assert len(answers) == 17
    assert all(isinstance(answer, Answer) for answer in answers)
    assert emulator.calls("google") - before == 2


def test_a_request_stays_under_googles_ten_megabytes(
    opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    google, before = opened("google"), emulator.calls("google")
    padded = replace(prepared(google), data=prepared(google).data + bytes(3_000_000))
    google.read_many([padded] * 3, timeout=10)
    assert emulator.calls("google") - before == 2


def test_a_bad_image_takes_only_its_own_place(opened: Opened, prepared: Prepared) -> None:
    google = opened("google")
    good = prepared(google)
    first, bad, last = google.read_many([good, replace(good, data=b"no picture"), good], timeout=10)
    assert isinstance(first, Answer)
    assert isinstance(bad, Rejected)
    assert isinstance(last, Answer)


def test_a_failed_request_fails_each_of_its_images(
    opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    google = opened("google")
    emulator.set_faults("google", "503:first=1")
    outcomes = google.read_many([prepared(google)] * 17, timeout=10)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 16 + [Answer]


def test_an_unknown_feature_is_refused() -> None:
    with pytest.raises(NotConfigured, match="document or text"):
        Google(api_key="k" * 39, feature="labels")


def test_without_credentials_it_says_what_to_set() -> None:
    with pytest.raises(NotConfigured, match="GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_API_KEY"):
        Google()


def test_a_credentials_file_that_is_none_is_not_configured(tmp_path: Path) -> None:
    file = tmp_path / "key.json"
    file.write_text("{}")
    for name in (file, tmp_path / "missing.json"):
        with pytest.raises(NotConfigured, match="gcloud auth application-default login"):
            Google.from_env({"GOOGLE_APPLICATION_CREDENTIALS": str(name), "GOOGLE_API_KEY": "x" * 39})


def test_from_env_takes_a_key_an_endpoint_and_options(
    emulator: Emulator, prepared: Prepared, secrets: Sequence[str]
) -> None:
    env = {
        "GOOGLE_API_KEY": secrets[0],
        "DIGITREC_GOOGLE_ENDPOINT": emulator.endpoints["google"] + "/",
        "DIGITREC_GOOGLE_FEATURE": "text",
        "DIGITREC_GOOGLE_LANGUAGE_HINTS": "en, de",
    }
    emulator.set_faults("google")
    google = Google.from_env(env)
    assert google.endpoint == emulator.endpoints["google"]
    assert google.options == {"feature": "TEXT_DETECTION", "language_hints": ["en", "de"]}
    assert google.read(prepared(google), timeout=10).candidates
    google.close()


def test_status_names_what_is_missing_and_what_is_found(tmp_path: Path) -> None:
    adc = tmp_path / "application_default_credentials.json"
    nothing = Google.status({"HOME": str(tmp_path)})
    assert (nothing.installed, nothing.configured, nothing.found) == (True, False, ())
    assert "GOOGLE_API_KEY" in nothing.missing[0]
    adc.write_text("{}")
    both = Google.status({"CLOUDSDK_CONFIG": str(tmp_path), "GOOGLE_API_KEY": "secret"})
    assert both.configured
    assert both.found == ("GOOGLE_API_KEY", str(adc))
    gone = Google.status({"GOOGLE_API_KEY": "secret", "GOOGLE_APPLICATION_CREDENTIALS": "/no/such/file"})
    assert not gone.configured
    assert gone.missing == ("GOOGLE_APPLICATION_CREDENTIALS names no file",)
