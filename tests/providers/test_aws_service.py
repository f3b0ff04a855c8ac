"""The services of AWS: credentials, regions, requests and error codes."""

from __future__ import annotations

import json
import traceback
from pathlib import Path

import pytest
from botocore.retries import standard
from raw_server import answer, raw_server

from digitrec.emulator import Emulator
from digitrec.emulator.kit import drawn_seven
from digitrec.errors import (
    AuthFailed,
    NotConfigured,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
)
from digitrec.prepare import prepare
from digitrec.providers import aws_service
from digitrec.providers.aws import Aws
from digitrec.providers.aws_service import CODES
from digitrec.providers.aws_textract import AwsTextract

from .common import Opened, Prepared

KEYS = {"AWS_ACCESS_KEY_ID": "AKIAPLANTED", "AWS_SECRET_ACCESS_KEY": "planted-secret"}


def test_each_service_has_an_address_of_its_own() -> None:
    env = {**KEYS, "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL_REKOGNITION": "https://vision.example"}
    assert Aws.from_env(env).endpoint == "https://vision.example"
    assert AwsTextract.from_env(env).endpoint == "https://textract.eu-west-1.amazonaws.com"


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


PROFILE_KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = secret\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    return tmp_path


def test_the_variables_win(home: Path) -> None:
    (home / ".aws" / "credentials").write_text(f"[default]\n{PROFILE_KEYS}")
    env = {"HOME": str(home), "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "c"}
    assert aws_service.found_credentials(env) == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    assert aws_service.found_region(env) == ["AWS_REGION"]


def test_each_file_has_its_own_name_for_a_profile(home: Path) -> None:
    keys, config = home / ".aws" / "credentials", home / ".aws" / "config"
    keys.write_text(f"[work]\n{PROFILE_KEYS}")
    config.write_text("[profile work]\nregion = eu-west-1\n[profile role]\nrole_arn = arn\n")
    work = {"HOME": str(home), "AWS_PROFILE": "work"}
    assert aws_service.found_credentials(work) == ["AWS_PROFILE", str(keys)]
    assert aws_service.found_region(work) == [str(config)]
    role = {"HOME": str(home), "AWS_PROFILE": "role"}
    assert aws_service.found_credentials(role) == ["AWS_PROFILE", str(config)]
    assert aws_service.found_region(role) == []


@pytest.mark.parametrize("profile", [{}, {"AWS_PROFILE": "nobody"}])
def test_a_file_without_keys_for_this_profile_gives_none(home: Path, profile: dict[str, str]) -> None:
    (home / ".aws" / "config").write_text("[default]\nregion = eu-west-1\noutput = json\n")
    (home / ".aws" / "credentials").write_text(f"[work]\n{PROFILE_KEYS}")
    assert aws_service.found_credentials({"HOME": str(home), **profile}) == []


@pytest.mark.parametrize("content", [b"no section", b"\xff\xfe[default]"])
def test_a_file_that_cannot_be_read_gives_nothing(home: Path, content: bytes) -> None:
    (home / ".aws" / "config").write_bytes(content)
    (home / ".aws" / "credentials").mkdir()
    assert (
        aws_service.found_credentials({"HOME": str(home)})
        == aws_service.found_region({"HOME": str(home)})
        == []
    )


def test_files_elsewhere_and_roles_of_a_machine(tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"[default]\n{PROFILE_KEYS}region = eu-west-1\n")
    env = {"AWS_SHARED_CREDENTIALS_FILE": str(keys)}
    assert aws_service.found_credentials(env) == aws_service.found_region(env) == [str(keys)]
    role = {"HOME": str(tmp_path), "AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}
    assert aws_service.found_credentials(role) == ["AWS_WEB_IDENTITY_TOKEN_FILE"]


SECRET = "planted-profile-secret-0123456789"
TOKEN = "planted-session-token-0123456789"


def a_profile(monkeypatch: pytest.MonkeyPatch, folder: Path, config: str) -> None:
    """The default profile, and nothing else to find keys in."""
    (folder / "config").write_text(config)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))


def a_program(folder: Path, script: str) -> str:
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return f"[default]\nregion = us-east-1\ncredential_process = {program}\n"


@pytest.mark.parametrize(
    "script",
    [
        f"echo {SECRET}; echo {SECRET} >&2; exit 1",
        f"echo no JSON {SECRET}",
        "echo '[]'",
        "echo null",
        f'echo \'{{"Version": 1, "AccessKeyId": "{SECRET}"}}\'',
        f'echo \'{{"Version": 2, "SecretAccessKey": "{SECRET}"}}\'',
        "exec /no/such/program",
        "kill -9 $$",
    ],
)
def test_a_credential_process_that_fails_is_told_in_one_line_and_not_quoted(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_profile(monkeypatch, tmp_path, a_program(tmp_path, script))
    with pytest.raises(NotConfigured) as caught:
        aws = Aws.from_env({})
        aws.read(prepare(drawn_seven(), aws.wants), timeout=5)
    assert "\n" not in str(caught.value)
    assert "planted" not in "".join(traceback.format_exception(caught.value))
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_a_credential_process_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    a_profile(monkeypatch, tmp_path, "[default]\nregion = us-east-1\ncredential_process = /no/such/program\n")
    aws = Aws.from_env({})
    with pytest.raises(NotConfigured, match="/no/such/program"):
        aws.read(prepare(drawn_seven(), aws.wants), timeout=5)


@pytest.mark.parametrize("settings", [f"aws_session_token = {TOKEN}\n", ""])
def test_what_a_profile_gives_is_secret_too(
    settings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = f"aws_access_key_id = AKIAPLANTEDPROFILE12\naws_secret_access_key = {SECRET}\n"
    a_profile(monkeypatch, tmp_path, f"[default]\nregion = us-east-1\n{keys}{settings}")
    echo = {"TextDetections": [], "TextModelVersion": f"{SECRET} {TOKEN if settings else ''}"}
    with raw_server() as server:
        server.say = [answer(200, json.dumps(echo).encode())]
        aws = Aws.from_env({"AWS_ENDPOINT_URL": server.url})
        said = aws.read(prepare(drawn_seven(), aws.wants), timeout=5)
        server.say = [
            answer(400, json.dumps({"__type": "Other", "message": echo["TextModelVersion"]}).encode())
        ]
        with pytest.raises(Rejected) as caught:
            aws.read(prepare(drawn_seven(), aws.wants), timeout=5)
    aws.close()
    assert "planted" not in repr(said) + str(caught.value) + repr(vars(caught.value))
    assert "***" in repr(said)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("[default]\nregion = us-east-1\nretry_mode = nonsense\n", "nonsense"),
        ("[default]\nregion = us-east-1\ndefaults_mode = nonsense\n", "nonsense"),
        ("[default\nplanted-secret-in-a-broken-file", "config"),
        ("planted-secret-in-a-broken-file", "config"),
        ("[default]\nregion = us-east-1\nrole_arn = x\nsource_profile = nobody\n", "nobody"),
    ],
)
def test_a_profile_that_cannot_be_used_is_told_in_one_line(
    config: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_profile(monkeypatch, tmp_path, config)
    with pytest.raises(NotConfigured, match=said) as caught:
        Aws.from_env({} if "source" in config else KEYS)
    assert "\n" not in str(caught.value)
    assert "planted" not in "".join(traceback.format_exception(caught.value))


def test_a_missing_web_identity_token_file_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/token")
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/reader")
    aws = Aws.from_env({"AWS_REGION": "us-east-1"})
    with pytest.raises(NotConfigured, match=r"/no/such/token.*correct AWS_WEB_IDENTITY_TOKEN_FILE"):
        aws.read(prepare(drawn_seven(), aws.wants), timeout=5)
    aws.close()


R, A, L, Q, U = Rejected, AuthFailed, RateLimited, QuotaExceeded, Unavailable


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ThrottledException", L), ("Throttling", L), ("ThrottlingException", L), ("RequestThrottled", L),
        ("RequestThrottledException", L), ("BandwidthLimitExceeded", L), ("PriorRequestNotComplete", L),
        ("TooManyRequestsException", L), ("SlowDown", L), ("RequestLimitExceeded", L),
        ("EC2ThrottledException", L), ("TransactionInProgressException", L),
        ("ProvisionedThroughputExceededException", L),
        ("RequestTimeout", U), ("RequestTimeoutException", U), ("InternalFailure", U),
        ("ServiceUnavailable", U), ("InternalServerError", U), ("InternalServerException", U),
        ("ExpiredToken", A), ("ExpiredTokenException", A), ("NotAuthorized", A), ("RequestExpired", A),
        ("IncompleteSignature", A), ("InvalidClientTokenId", A), ("OptInRequired", A), ("AccessDenied", A),
        ("AccessDeniedException", A), ("UnrecognizedClientException", A), ("InvalidSignatureException", A),
        ("SignatureDoesNotMatch", A), ("RequestTimeTooSkewed", A), ("MissingAuthenticationToken", A),
        ("LimitExceededException", Q), ("ValidationException", R), ("ValidationError", R),
        ("ImageTooLargeException", R), ("NeverHeardOf", R), ("", R),
    ],
)  # fmt: skip
def test_aws_tells_by_code(code: str, kind: type[ProviderError]) -> None:
    written = [
        ({"__type": code, "Message": None}, []),
        ({"__type": f"com.amazonaws.rekognition#{code}", "message": "no"}, []),
        ({"message": ["x"]}, [("x-amzn-ErrorType", f"{code}:http://internal.amazon.com/")]),
    ]
    with raw_server() as server:
        aws = Aws(access_key="AKIAPLANTED", secret_key=SECRET, region="us-east-1", endpoint=server.url)
        for raw, headers in written:
            server.say = [answer(400, json.dumps(raw).encode(), *headers)]
            with pytest.raises(kind) as caught:
                aws.read(prepare(drawn_seven(), aws.wants), timeout=5)
            assert type(caught.value) is kind
        aws.close()


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "RequestTimeTooSkewed",
            "The difference between the request time and the current one is too large.",
        ),
        ("RequestExpired", "Request has expired."),
        ("InvalidSignatureException", "Signature not yet current: 20261120T120000Z is still later than ..."),
        ("InvalidSignatureException", "Signature expired: 20261120T120000Z is now earlier than ..."),
    ],
)
def test_a_wrong_clock_is_to_be_set(code: str, message: str) -> None:
    with raw_server() as server:
        server.say = [answer(400, json.dumps({"__type": code, "message": message}).encode())]
        aws = Aws(access_key="AKIAPLANTED", secret_key=SECRET, region="us-east-1", endpoint=server.url)
        with pytest.raises(AuthFailed, match="set the clock of this machine"):
            aws.read(prepare(drawn_seven(), aws.wants), timeout=5)
        aws.close()


def test_what_botocore_tries_again_is_tried_again() -> None:
    codes = standard.ThrottledRetryableChecker._THROTTLED_ERROR_CODES
    codes = [*codes, *standard.TransientRetryableChecker._TRANSIENT_ERROR_CODES]
    kinds = {code: CODES.get(code.removesuffix("Exception")) for code in codes}
    del kinds["LimitExceededException"]  # Rekognition's own, of a quota
    assert {code for code, kind in kinds.items() if kind not in (RateLimited, Unavailable)} == set()
