"""Where AWS's users keep their keys: variables, and the two files of ~/.aws. Looked at without boto3."""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from pathlib import Path

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
ROLES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Set by AWS's own machines where a role gives the keys."""
SOURCES = {
    "aws_access_key_id", "credential_process", "login_session", "role_arn", "sso_session", "sso_start_url",
}  # fmt: skip
"""Settings of a profile from which boto3 gets keys."""


def credentials(env: Mapping[str, str]) -> list[str]:
    """Names of the variables and files that give keys; never what is in them."""
    if all(env.get(name) for name in KEYS):
        return list(KEYS)
    named = ["AWS_PROFILE"] if env.get("AWS_PROFILE") else []
    files = [str(file) for file, settings in _profile(env) if SOURCES & settings]
    return [*named, *files] if files else [name for name in ROLES if env.get(name)][:1]


def region(env: Mapping[str, str]) -> list[str]:
    """Name of the variable or file that gives the region; empty where none does."""
    named = [name for name in ("AWS_REGION", "AWS_DEFAULT_REGION") if env.get(name)]
    return [*named, *(str(file) for file, settings in _profile(env) if "region" in settings)][:1]


def _profile(env: Mapping[str, str]) -> list[tuple[Path, set[str]]]:
    """Both files, with the names of the profile's settings in each."""
    profile = env.get("AWS_PROFILE") or env.get("AWS_DEFAULT_PROFILE") or "default"
    keys = _file(env, "AWS_SHARED_CREDENTIALS_FILE", "credentials")
    config = _file(env, "AWS_CONFIG_FILE", "config")
    sections = {f"profile {profile}"} | ({profile} if profile == "default" else set())
    return [(keys, _settings(keys, {profile})), (config, _settings(config, sections))]


def _settings(file: Path, sections: set[str]) -> set[str]:
    """Names of the settings in these sections; none where the file cannot be read, as asking would tell."""
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(file.read_text("utf-8"))
    except (OSError, ValueError, configparser.Error):
        return set()
    return {name for section in sections & set(parser.sections()) for name in parser.options(section)}


def _file(env: Mapping[str, str], variable: str, name: str) -> Path:
    home = Path(env.get("HOME") or env.get("USERPROFILE") or "~").expanduser()
    return Path(env[variable]).expanduser() if env.get(variable) else home / ".aws" / name
