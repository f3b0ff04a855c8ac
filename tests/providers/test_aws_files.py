from __future__ import annotations

from pathlib import Path

import pytest

from digitrec.providers import aws_service

KEYS = "aws_access_key_id = AKIA\naws_secret_access_key = secret\n"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".aws").mkdir()
    return tmp_path


def test_the_variables_win(home: Path) -> None:
    (home / ".aws" / "credentials").write_text(f"[default]\n{KEYS}")
    env = {"HOME": str(home), "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b", "AWS_REGION": "c"}
    assert aws_service.found_credentials(env) == ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    assert aws_service.found_region(env) == ["AWS_REGION"]


def test_each_file_has_its_own_name_for_a_profile(home: Path) -> None:
    keys, config = home / ".aws" / "credentials", home / ".aws" / "config"
    keys.write_text(f"[work]\n{KEYS}")
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
    (home / ".aws" / "credentials").write_text(f"[work]\n{KEYS}")
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
    keys.write_text(f"[default]\n{KEYS}region = eu-west-1\n")
    env = {"AWS_SHARED_CREDENTIALS_FILE": str(keys)}
    assert aws_service.found_credentials(env) == aws_service.found_region(env) == [str(keys)]
    role = {"HOME": str(tmp_path), "AWS_WEB_IDENTITY_TOKEN_FILE": "/token"}
    assert aws_service.found_credentials(role) == ["AWS_WEB_IDENTITY_TOKEN_FILE"]
