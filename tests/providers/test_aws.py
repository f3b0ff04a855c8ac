from __future__ import annotations

from pathlib import Path

import pytest

from digitrec.emulator import Emulator
from digitrec.errors import AuthFailed, BadAnswer, NotConfigured, Rejected, TimedOut
from digitrec.image import PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.answer import Answer, Candidate
from digitrec.providers.aws import Aws, parse
from digitrec.testing import drawn_seven

from .common import Opened, Prepared, Stored

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAPLANTED", "AWS_SECRET_ACCESS_KEY": "planted-secret"}


@pytest.mark.parametrize(
    ("case", "candidates"),
    [
        ("seven", [Candidate("7", 98.6 / 100)]),
        ("two-words", [Candidate("4", 95.5 / 100), Candidate("2", 86.5 / 100)]),
        ("no-text", []),
    ],
)
def test_parse_takes_each_word_once(stored: Stored, case: str, candidates: list[Candidate]) -> None:
    raw = stored("aws", case)
    assert parse(raw) == Answer(tuple(candidates), raw=raw, model_version="3.0")


@pytest.mark.parametrize(
    ("case", "said"), [("no-detections", "TextDetections"), ("no-detected-text", "DetectedText")]
)
def test_parse_refuses(stored: Stored, case: str, said: str) -> None:
    with pytest.raises(BadAnswer, match=said):
        parse(stored("aws", case))


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    aws = opened("aws")
    answer = aws.read(prepared(aws), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875),)
    assert "ResponseMetadata" not in answer.raw


def test_a_wrong_key_is_refused(opened: Opened, prepared: Prepared) -> None:
    aws = opened("aws", secret_key="not the secret")
    with pytest.raises(AuthFailed, match="rekognition:DetectText"):
        aws.read(prepared(aws), timeout=10)


def test_a_format_that_rekognition_does_not_read_is_refused(opened: Opened, prepared: Prepared) -> None:
    aws = opened("aws")
    tiff = PreparedImage(b"II*\0" + bytes(64), "image/tiff", aws.wants, drawn_seven().ref)
    with pytest.raises(Rejected):
        aws.read(tiff, timeout=10)


def test_what_mnist_is_made_of_is_enlarged_past_the_minimum_of_80_pixels(opened: Opened) -> None:
    picture = prepare(drawn_seven(), opened("aws").wants).picture()
    assert min(picture.size) >= 80


@pytest.mark.parametrize("variable", ["AWS_REGION", "AWS_DEFAULT_REGION"])
def test_from_env_honours_both_names_of_the_region(variable: str) -> None:
    assert (
        Aws.from_env({**KEYS, variable: "eu-west-1"}).endpoint
        == "https://rekognition.eu-west-1.amazonaws.com"
    )


def test_from_env_takes_an_endpoint(emulator: Emulator) -> None:
    url = emulator.endpoints["aws"]
    env = {**KEYS, "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL_REKOGNITION": url}
    assert Aws.from_env(env).endpoint == url


def test_a_profile_gives_keys_and_region(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = Path.home() / ".aws"
    home.mkdir()
    (home / "credentials").write_text("[work]\naws_access_key_id = AKIA\naws_secret_access_key = secret\n")
    (home / "config").write_text("[profile work]\nregion = eu-central-1\n")
    assert Aws.from_env({"AWS_PROFILE": "work"}).endpoint == "https://rekognition.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"AWS_REGION": "us-east-1"}, "no credentials"),
        (KEYS, "You must specify a region"),
        ({"AWS_PROFILE": "nobody"}, "nobody"),
        ({"AWS_ACCESS_KEY_ID": "AKIA", "AWS_REGION": "us-east-1"}, "one half"),
        ({**KEYS, "AWS_REGION": "no such region!"}, "no such region!"),
    ],
)
def test_what_is_missing_is_named_before_anything_is_sent(env: dict[str, str], said: str) -> None:
    with pytest.raises(NotConfigured, match=said) as caught:
        Aws.from_env(env)
    assert "AWS_ACCESS_KEY_ID" in str(caught.value)
    assert "planted-secret" not in str(caught.value)


def test_status_names_what_is_missing_and_what_is_found(tmp_path: Path) -> None:
    nothing = Aws.status({"HOME": str(tmp_path)})
    assert (nothing.installed, nothing.configured, nothing.found) == (True, False, ())
    assert [text.split()[1] for text in nothing.missing] == ["AWS_ACCESS_KEY_ID", "AWS_REGION,"]
    keys = Aws.status({**KEYS, "AWS_DEFAULT_REGION": "us-east-1"})
    assert keys.configured
    assert keys.found == ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION")


def test_status_finds_the_files_without_reading_keys_from_them(tmp_path: Path) -> None:
    config = tmp_path / ".aws" / "config"
    config.parent.mkdir()
    config.write_text("[default]\nregion = us-east-1\ncredential_process = /bin/false\n")
    status = Aws.status({"HOME": str(tmp_path)})
    assert status.configured
    assert status.found == (str(config),)


def test_answers_are_kept_whole(opened: Opened, prepared: Prepared) -> None:
    aws = opened("aws")
    answer = aws.read(prepared(aws), timeout=10)
    assert isinstance(answer, Answer)
    assert {found["Type"] for found in answer.raw["TextDetections"]} == {"LINE", "WORD"}


def test_one_client_serves_every_timeout(opened: Opened, prepared: Prepared, emulator: Emulator) -> None:
    aws = opened("aws")
    emulator.set_faults("aws", "slow:seconds=2")
    with pytest.raises(TimedOut):
        aws.read(prepared(aws), timeout=0.2)
    emulator.set_faults("aws")
    assert aws.read(prepared(aws), timeout=9.87654321).candidates


def test_signatures_of_a_thousand_calls_are_not_kept(opened: Opened, prepared: Prepared) -> None:
    aws = opened("aws")
    assert isinstance(aws, Aws)
    image = prepared(aws)
    aws.read(image, timeout=10)
    known = repr(aws._wire.secrets)  # nothing in public tells: what grew was time and memory
    for _ in range(3):
        aws.read(image, timeout=10)
    assert repr(aws._wire.secrets) == known
