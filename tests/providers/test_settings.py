"""Configuration of each cloud: variables, files, missing settings and invalid ones."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from digitrec.errors import NotConfigured, NotInstalled
from digitrec.providers.azure import VISION_ENDPOINTS, VISION_KEYS
from digitrec.providers.base import BaseProvider
from digitrec.providers.openai import PRESETS
from digitrec.providers.registry import provider_class

from .common import Opened

URL = "https://a.example"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAPLANTED", "AWS_SECRET_ACCESS_KEY": "planted-secret"}
REGION, MODEL = {"AWS_REGION": "eu-west-1"}, {"DIGITREC_OPENAI_MODEL": "m"}
DOCUMENT = {"DOCUMENTINTELLIGENCE_ENDPOINT": URL, "DOCUMENTINTELLIGENCE_API_KEY": "k"}
ADC, AZ = ".config/gcloud/application_default_credentials.json", ".azure/azureProfile.json"
OWN = {**MODEL, "OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"}
IDENTITIES = (
    {"AZURE_TENANT_ID": "x", "AZURE_CLIENT_ID": "x", "AZURE_CLIENT_SECRET": "x"},
    {"AZURE_TENANT_ID": "x", "AZURE_CLIENT_ID": "x", "AZURE_FEDERATED_TOKEN_FILE": "x"},
    {"IDENTITY_ENDPOINT": "x", "IDENTITY_HEADER": "x"},
)
STATUS: list[tuple[str, Sequence[str], dict[str, str], Sequence[str], Sequence[str]]] = [
    *(("google", [], {"GOOGLE_API_KEY": blank}, [], ["GOOGLE_API_KEY"]) for blank in ("", " ")),
    ("google", [ADC], {"GOOGLE_API_KEY": "k"}, ["GOOGLE_API_KEY", ADC], []),
    ("google", [], {"GOOGLE_APPLICATION_CREDENTIALS": "/no/such"}, ["GOOGLE_APPLICATION_CREDENTIALS"],
     ["GOOGLE_APPLICATION_CREDENTIALS names no file"]),
    ("google", [], {"GOOGLE_API_KEY": "k", "DIGITREC_GOOGLE_FEATURE": "x"}, ["GOOGLE_API_KEY"], ["'x'"]),
    ("local", [], {"DIGITREC_MODEL": "/no/such"}, ["DIGITREC_MODEL"], ["/no/such: cannot be read"]),
    ("aws", [], {}, [], ["set AWS_ACCESS_KEY_ID", "set AWS_REGION"]),
    ("aws-textract", [], KEYS | {"AWS_DEFAULT_REGION": "r"}, [*KEYS, "AWS_DEFAULT_REGION"], []),
    *((cloud, [], {endpoint: URL, key: "k"}, [endpoint, key], []) for cloud in ("azure", "azure-analysis")
      for endpoint, key in zip(VISION_ENDPOINTS, VISION_KEYS, strict=True)),
    ("azure", [], {"VISION_KEY": ""}, [], ["set VISION_ENDPOINT", "set VISION_KEY"]),
    ("azure", [AZ], {"VISION_ENDPOINT": URL}, ["VISION_ENDPOINT", AZ], []),
    *(("azure", [], {"VISION_ENDPOINT": URL, **who}, ["VISION_ENDPOINT", *who], []) for who in IDENTITIES),
    ("azure", [], {"VISION_ENDPOINT": URL, "IDENTITY_ENDPOINT": "x"}, ["VISION_ENDPOINT"], ["VISION_KEY"]),
    ("azure-document", [], DOCUMENT, [*DOCUMENT], []),
    ("azure-document", [], {"VISION_ENDPOINT": URL, "VISION_KEY": "k"}, [], [f"set {it}" for it in DOCUMENT]),
    ("openai", [], {}, [], ["set DIGITREC_OPENAI_MODEL", "set OPENAI_API_KEY"]),
    ("openai", [], MODEL | {"OPENAI_API_KEY": "k"}, ["DIGITREC_OPENAI_MODEL", "OPENAI_API_KEY"], []),
    ("openai", [], OWN, [*OWN], []), ("openai", [], OWN | {"OPENAI_BASE_URL": "x"}, [*OWN], ["an address"]),
    ("azure-document", [], DOCUMENT | {"DOCUMENTINTELLIGENCE_ENDPOINT": "x"}, [*DOCUMENT], ["an address"]),
    ("openai", [], MODEL | (azure := {"DIGITREC_OPENAI_PRESET": "azure-openai", "AZURE_OPENAI_API_KEY": "k"}),
     [*MODEL, *azure], ["set OPENAI_BASE_URL"]),
    ("openai", [], {"DIGITREC_OPENAI_PRESET": "nobody"}, [], ["set DIGITREC_OPENAI_PRESET"]),
]  # fmt: skip
"""Cloud, files below the home folder, variables; the source found, and the start of the missing part."""


@pytest.mark.parametrize(("cloud", "files", "env", "found", "missing"), STATUS)
def test_status_names_what_is_found_and_what_is_missing(
    cloud: str, files: Sequence[str], env: dict[str, str], found: Sequence[str], missing: Sequence[str],
    tmp_path: Path,
) -> None:  # fmt: skip
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text("{}")
    cls = provider_class(cloud)
    assert issubclass(cls, BaseProvider)
    status = cls.status({"HOME": str(tmp_path), **env})
    assert status.installed
    assert status.configured is (not missing)
    assert status.found == tuple(str(tmp_path / name) if name in files else name for name in found)
    assert len(status.missing) == len(missing)
    assert all(said in text for said, text in zip(missing, status.missing, strict=True))


@pytest.mark.parametrize(("cloud", "env", "endpoint"), [
    ("aws", KEYS | REGION | {"AWS_ENDPOINT_URL_REKOGNITION": URL}, URL),
    ("aws-textract", KEYS | REGION | {"AWS_ENDPOINT_URL_REKOGNITION": URL},
     "https://textract.eu-west-1.amazonaws.com"),
    ("aws-textract", KEYS | REGION | {"AWS_ENDPOINT_URL_TEXTRACT": " ", "AWS_ENDPOINT_URL": f"{URL}\n"}, URL),
    ("aws", KEYS | {"AWS_DEFAULT_REGION": "eu-west-1\n", "AWS_ENDPOINT_URL": URL,
     "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}, "https://rekognition.eu-west-1.amazonaws.com"),
    ("google", {"GOOGLE_API_KEY": "k"}, "https://vision.googleapis.com"),
    ("google", {"GOOGLE_API_KEY": "k", "DIGITREC_GOOGLE_ENDPOINT": f"{URL}/"}, URL),
    ("azure", {"COMPUTER_VISION_ENDPOINT": "https://old.example", "VISION_ENDPOINT": URL, "VISION_KEY": "k"},
     URL),
    ("azure-document", DOCUMENT | {"DOCUMENTINTELLIGENCE_ENDPOINT": f" {URL}/\r\n"}, URL),
    ("openai", MODEL | {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": ""}, "https://api.openai.com/v1"),
    ("openai", OWN, "http://127.0.0.1:8000/v1"),
    *(("openai", MODEL | {"DIGITREC_OPENAI_PRESET": name, it.key: "k", "OPENAI_BASE_URL": it.endpoint or URL},
       it.endpoint or URL) for name, it in PRESETS.items()),
    *(("openai", MODEL | {"DIGITREC_OPENAI_PRESET": f"{name}\n"}, it.endpoint) for name, it in PRESETS.items()
      if not it.needs_key),
])  # fmt: skip
def test_the_endpoint_is_the_variables_or_the_vendors(cloud: str, env: dict[str, str], endpoint: str) -> None:
    provider = provider_class(cloud).from_env(env)
    assert provider.endpoint == endpoint
    provider.close()


WRONG: list[tuple[str, dict[str, str], dict[str, Any], Sequence[str]]] = [
    ("aws", {"AWS_REGION": "us-east-1"}, {}, ["no credentials", "AWS_ACCESS_KEY_ID"]),
    ("aws", KEYS, {}, ["region", "AWS_ACCESS_KEY_ID"]), ("aws", {"AWS_PROFILE": "nobody"}, {}, ["nobody"]),
    ("aws", {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_REGION": "us-east-1"}, {}, ["AWS_SECRET_ACCESS_KEY"]),
    ("aws", {**KEYS, "AWS_REGION": "no such region!"}, {}, ["no such region!"]),
    ("google", {}, {}, ["GOOGLE_APPLICATION_CREDENTIALS or GOOGLE_API_KEY"]),
    ("google", {}, {"api_key": "k" * 39, "feature": "labels"}, ["document or text", "labels"]),
    ("google", {"GOOGLE_APPLICATION_CREDENTIALS": "/no/such.json", "GOOGLE_API_KEY": "k"}, {}, ["such.json"]),
    *(("azure", {}, {"endpoint": endpoint, "key": key}, [said]) for endpoint, key, said in (
        ("", "key", "VISION_ENDPOINT"), (URL, "", "VISION_KEY"), (URL, "  ", "VISION_KEY"),
        ("a.example", "key", "https://"))),
    ("azure-document", {}, {"endpoint": URL, "key": ""}, ["DOCUMENTINTELLIGENCE_API_KEY"]),
    ("openai", {}, {"model": " ", "key": "k"}, ["DIGITREC_OPENAI_MODEL"]),
    ("openai", {}, {"model": "m"}, ["OPENAI_API_KEY"]),
    ("openai", {}, {"model": "m", "key": "k", "limit": "tokens"}, ["DIGITREC_OPENAI_LIMIT", "tokens"]),
    ("openai", {}, {"model": "m", "key": "two\nlines"}, ["OPENAI_API_KEY"]),
    ("openai", {}, {"model": "m", "key": "k", "endpoint": "api.example/v1"}, ["OPENAI_BASE_URL"]),
    ("openai", {}, {"model": "m", "key": "k", "leave_out": ["messages"]}, ["messages"]),
    ("openai", MODEL | {"DIGITREC_OPENAI_PRESET": "nobody"}, {}, ["nobody"]),
    ("openai", MODEL | {"DIGITREC_OPENAI_PRESET": "azure-openai"}, {"key": "k"}, ["OPENAI_BASE_URL"]),
    ("openai", MODEL | {"DIGITREC_OPENAI_PRESET": "mistral"}, {}, ["MISTRAL_API_KEY"]),
]  # fmt: skip
"""Cloud, invalid variables and options, and the name in the error."""


@pytest.mark.parametrize(("cloud", "env", "options", "named"), WRONG)
def test_what_is_missing_or_wrong_is_named_before_anything_is_sent(
    cloud: str, env: dict[str, str], options: dict[str, Any], named: Sequence[str]
) -> None:
    cls: Any = provider_class(cloud)
    with pytest.raises(NotConfigured) as caught:
        cls.from_env(env, **options)
    assert all(said in str(caught.value) for said in named)
    assert "planted-secret" not in str(caught.value)


@pytest.mark.parametrize(("cloud", "sdk"), [
    ("google", "google.cloud.vision"), ("aws", "boto3"),
    ("azure", "azure.cognitiveservices.vision.computervision"),
])  # fmt: skip
def test_opening_names_the_extra_of_a_missing_sdk(
    cloud: str, sdk: str, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, sdk, None)
    with pytest.raises(NotInstalled, match=rf"\[{cloud}\]"):
        opened(cloud)
