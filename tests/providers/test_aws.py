"""The services of AWS: credentials, regions, requests and error codes."""

import base64
import logging
import traceback
from pathlib import Path
from typing import Any

import pytest
from botocore.retries import standard
from raw_server import RawServer

from digitrec import errors
from digitrec.providers.aws import CODES, Aws, AwsTextract, found_credentials, found_region

from .common import Opened, Prepared, Profile, Told, assert_error, json_answer, outcome

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAPLANTED", "AWS_SECRET_ACCESS_KEY": "planted-secret"}


def test_a_profile_gives_keys_and_region() -> None:
    home = Path.home() / ".aws"
    home.mkdir()
    (home / "credentials").write_text("[work]\naws_access_key_id = AKIA\naws_secret_access_key = secret\n")
    (home / "config").write_text("[profile work]\nregion = eu-central-1\n")
    assert Aws.from_env({"AWS_PROFILE": "work"}).endpoint == "https://rekognition.eu-central-1.amazonaws.com"


def test_a_box_of_negative_size_is_turned_round() -> None:
    geometry = {"BoundingBox": {"Left": 0.5, "Top": 0.25, "Width": -0.25, "Height": 0.5}}
    word = {"BlockType": "WORD", "Text": "7", "Confidence": 99, "Geometry": geometry}
    (found,) = AwsTextract.parse({"Blocks": [word]}, (40, 40)).candidates
    assert found.box == (10, 10, 20, 30)


def test_signatures_are_not_kept(opened: Opened, prepared: Prepared) -> None:
    aws: Any = opened("aws")
    known = {repr(aws._wire.secrets) for _ in range(3) if aws.read(prepared(aws), timeout=10)}
    assert len(known) == 1  # the public interface cannot show it: only time and memory grew


def test_botocore_logs_neither_a_token_nor_the_picture(
    server: RawServer, prepared: Prepared, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.say = [json_answer(200, {"TextDetections": []})]
    env = {**KEYS, "AWS_SESSION_TOKEN": "planted-session-token", "AWS_REGION": "us-east-1"}
    aws = Aws.from_env({**env, "AWS_ENDPOINT_URL": server.url})
    image = prepared(aws)
    aws.read(image, timeout=10)
    aws.close()
    picture = base64.b64encode(image.data).decode()
    assert picture.encode() in server.arrived[0] and b"planted-session-token" in server.arrived[0]
    assert picture not in caplog.text and "planted" not in caplog.text.lower()
    logging.getLogger("botocore.auth").debug("a request of somebody else")
    assert "a request of somebody else" in caplog.text


PROFILE_KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = secret\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    return tmp_path


FILES = {
    "keys": f"[default]\n{PROFILE_KEYS}", "work": f"[work]\n{PROFILE_KEYS}",
    "region": "[default]\nregion = eu-west-1\noutput = json\n",
    "program": "[default]\nregion = us-east-1\ncredential_process = /bin/false\n",
    "profiles": "[profile work]\nregion = eu-west-1\n[profile role]\nrole_arn = arn\n",
}  # fmt: skip
WORK, ROLE = {"AWS_PROFILE": "work"}, {"AWS_PROFILE": "role"}
WEB = {"AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}


@pytest.mark.parametrize(("keys", "config", "env", "credentials", "region"), [
    ("keys", "", {**KEYS, "AWS_REGION": "c"}, [*KEYS], ["AWS_REGION"]),
    ("work", "profiles", WORK, ["AWS_PROFILE", "credentials"], ["config"]),
    ("work", "profiles", ROLE, ["AWS_PROFILE", "config"], []), ("work", "region", {}, [], ["config"]),
    ("work", "region", {"AWS_PROFILE": "nobody"}, [], []), ("", "program", {}, ["config"], ["config"]),
    ("", "no section", {}, [], []), ("", "region", WEB, ["AWS_WEB_IDENTITY_TOKEN_FILE"], ["config"]),
])  # fmt: skip
@pytest.mark.parametrize("elsewhere", [True, False])
def test_credentials_and_region_are_found_as_the_aws_cli_finds_them(
    keys: str, config: str, env: dict[str, str], credentials: list[str], region: list[str], elsewhere: bool,
    home: Path,
) -> None:  # fmt: skip
    folder = home / ".aws"
    for name, content in (("credentials", keys), ("config", config)):
        (folder / name).write_text(FILES.get(content, content))
    variables = {"AWS_SHARED_CREDENTIALS_FILE": "credentials", "AWS_CONFIG_FILE": "config"}
    places = {name: str(folder / file) for name, file in variables.items()} if elsewhere else {}
    env = {"HOME": "/nowhere" if elsewhere else str(home), **places, **env}
    in_place = {"credentials": str(folder / "credentials"), "config": str(folder / "config")}
    assert found_credentials(env) == [in_place.get(it, it) for it in credentials]
    assert found_region(env) == [in_place.get(it, it) for it in region]


def test_a_file_that_cannot_be_read_gives_nothing(home: Path) -> None:
    (home / ".aws" / "config").write_bytes(b"\xff\xfe[default]")
    (home / ".aws" / "credentials").mkdir()
    env = {"HOME": str(home)}
    env |= {"AWS_SHARED_CREDENTIALS_FILE": "~an-unknown-user/credentials"}
    assert found_credentials(env) == found_region(env) == []


SECRET = "planted-profile-secret-0123456789"
TOKEN = "planted-session-token-0123456789"


@pytest.mark.parametrize("script", [
    f"echo {SECRET}; echo {SECRET} >&2; exit 1", f"echo no JSON {SECRET}",
    f'echo \'{{"Version": 1, "AccessKeyId": "{SECRET}"}}\'', "kill -9 $$",
])  # fmt: skip
def test_a_failing_credential_process_is_a_line_without_its_output(script: str, aws_profile: Profile) -> None:
    aws_profile(script=script)
    error = outcome(Aws.from_env({}))
    assert type(error) is errors.NotConfigured
    assert "planted" not in "".join(traceback.format_exception(error))
    assert error.__cause__ is error.__context__ is None


@pytest.mark.parametrize("settings", [f"aws_session_token = {TOKEN}\n", ""])
def test_the_keys_of_a_profile_are_redacted(settings: str, aws_profile: Profile, server: RawServer) -> None:
    keys = f"aws_access_key_id = AKIAPLANTEDPROFILE12\naws_secret_access_key = {SECRET}\n"
    aws_profile(f"[default]\nregion = us-east-1\n{keys}{settings}")
    said = f"{SECRET} {TOKEN if settings else ''}"
    aws = Aws.from_env({"AWS_ENDPOINT_URL": server.url})
    for status in (200, 400):
        echo = {"TextDetections": [], "TextModelVersion": said, "__type": "Other", "message": said}
        server.say = [json_answer(status, echo)]
        result = outcome(aws)
        assert "planted" not in repr(result) + str(result) + repr(getattr(result, "raw", ""))
        assert "***" in repr(result) + str(result)
    aws.close()


@pytest.mark.parametrize(("config", "said"), [
    ("[default]\nregion = us-east-1\nretry_mode = nonsense\n", "nonsense"),
    ("[default]\nregion = us-east-1\ndefaults_mode = nonsense\n", "nonsense"),
    ("[default\nplanted-secret-in-a-broken-file", "config"), ("planted-secret-in-a-broken-file", "config"),
    ("[default]\nregion = us-east-1\nrole_arn = x\nsource_profile = nobody\n", "nobody"),
])  # fmt: skip
def test_an_invalid_profile_is_one_error_line(config: str, said: str, aws_profile: Profile) -> None:
    aws_profile(config)
    with pytest.raises(errors.NotConfigured, match=said) as caught:
        Aws.from_env({} if "source" in config else KEYS)
    assert "\n" not in str(caught.value)
    assert "planted" not in "".join(traceback.format_exception(caught.value))


def test_a_missing_web_identity_token_file_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/token")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader")
    error = outcome(Aws.from_env({"AWS_REGION": "us-east-1"}))
    assert_error(error, errors.NotConfigured, "/no/such/token", "AWS_WEB_IDENTITY_TOKEN_FILE")


def test_a_missing_sign_in_names_the_command(aws_profile: Profile) -> None:
    who = "sso_region = us-east-1\nsso_account_id = 123456789012\nsso_role_name = reader\n"
    aws_profile(f"[default]\nregion = us-east-1\nsso_start_url = https://a.example/start\n{who}")
    assert_error(outcome(Aws.from_env({})), errors.AuthFailed, "aws sso login")


@pytest.mark.parametrize(("code", "kind"), [
    ("ProvisionedThroughputExceededException", errors.RateLimited),
    ("ThrottlingException", errors.RateLimited), ("NeverHeardOf", errors.Rejected), ("", errors.Rejected),
    ("RequestTimeout", errors.Unavailable), ("InternalServerError", errors.Unavailable),
    ("InternalServerException", errors.Unavailable), ("ExpiredToken", errors.AuthFailed),
    ("LimitExceededException", errors.QuotaExceeded), ("ValidationError", errors.Rejected),
])  # fmt: skip
def test_the_error_code_decides(code: str, kind: type[Exception], opened: Opened, server: RawServer) -> None:
    aws = opened("aws", endpoint=server.url)
    for raw, headers in (
        ({"__type": code, "Message": None}, []),
        ({"__type": f"com.amazonaws.rekognition#{code}", "message": "no"}, []),
        ({"message": ["x"]}, [("x-amzn-ErrorType", f"{code}:http://internal.amazon.com/")]),
    ):
        server.say = [json_answer(400, raw, *headers)]
        assert type(outcome(aws)) is kind


@pytest.mark.parametrize(("code", "message"), [
    ("RequestTimeTooSkewed", "The difference is too large."), ("RequestExpired", "Request has expired."),
    ("InvalidSignatureException", "Signature not yet current: 20261120T120000Z is still later than ..."),
    ("InvalidSignatureException", "Signature expired: 20261120T120000Z is now earlier than ..."),
])  # fmt: skip
def test_an_error_from_a_wrong_clock_says_to_set_it(code: str, message: str, told: Told) -> None:
    error = told("aws", json_answer(400, {"__type": code, "message": message}))
    assert_error(error, errors.AuthFailed, "set the clock of this machine")


def test_every_error_that_botocore_retries_is_retried() -> None:
    codes = standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES
    codes = [*codes, *standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES]
    kinds = {code: CODES.get(code.removesuffix("Exception")) for code in codes}
    del kinds["LimitExceededException"]  # Rekognition's own code for a quota
    assert [code for code in kinds if kinds[code] not in (errors.RateLimited, errors.Unavailable)] == []
