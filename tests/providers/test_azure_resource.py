from __future__ import annotations

import pytest

from digitrec.errors import NotConfigured
from digitrec.providers import azure_resource

PACKAGE = "azure.ai.vision.imageanalysis"


@pytest.mark.parametrize(
    ("endpoint", "key"), [*zip(azure_resource.ENDPOINTS, azure_resource.KEYS, strict=True)]
)
def test_each_pair_of_names_is_known(endpoint: str, key: str) -> None:
    env = {endpoint: "https://a.example", key: "secret"}
    assert azure_resource.from_env(env) == ("https://a.example", "secret")
    status = azure_resource.status(env, PACKAGE)
    assert status.configured
    assert status.found == (endpoint, key)


def test_the_name_in_azures_own_samples_wins() -> None:
    env = {"COMPUTER_VISION_ENDPOINT": "https://old.example", "VISION_ENDPOINT": "https://new.example"}
    assert azure_resource.from_env(env) == ("https://new.example", "")


def test_status_names_what_is_missing() -> None:
    status = azure_resource.status({"VISION_KEY": ""}, PACKAGE)
    assert not status.configured
    assert status.missing == ("set VISION_ENDPOINT", "set VISION_KEY")


def test_a_package_that_is_not_there_is_named_by_its_extra() -> None:
    status = azure_resource.status({}, "azure.no.such.package")
    assert not status.installed
    assert status.missing[0] == "pip install 'digitrec[azure]'"


def test_a_slash_at_the_end_is_cut() -> None:
    assert azure_resource.checked("https://a.example/", "key") == "https://a.example"


@pytest.mark.parametrize(
    ("endpoint", "key", "said"),
    [
        ("", "key", "VISION_ENDPOINT"),
        ("https://a.example", "", "VISION_KEY"),
        ("https://a.example", "  ", "VISION_KEY"),
        ("a.example", "key", "https://"),
    ],
)
def test_an_empty_key_or_endpoint_is_refused_by_us(endpoint: str, key: str, said: str) -> None:
    with pytest.raises(NotConfigured, match=said):
        azure_resource.checked(endpoint, key)
