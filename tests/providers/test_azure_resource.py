from __future__ import annotations

import time

import pytest
from raw_server import answer, raw_server

from digitrec.answer import Answer
from digitrec.emulator import Emulator
from digitrec.errors import NotConfigured, Rejected, TimedOut
from digitrec.providers.azure import Azure
from digitrec.providers.azure_analysis import AzureAnalysis
from digitrec.providers.azure_document import AzureDocument
from digitrec.providers.azure_resource import VISION_ENDPOINTS, VISION_KEYS, AzureProvider
from digitrec.providers.base import Resumable

from .common import POLLED, Opened, Prepared

URL = "https://a.example"
SERVICES = pytest.mark.parametrize("service", [Azure, AzureAnalysis])


@SERVICES
@pytest.mark.parametrize(("endpoint", "key"), [*zip(VISION_ENDPOINTS, VISION_KEYS, strict=True)])
def test_each_pair_of_names_is_known(service: type[AzureProvider], endpoint: str, key: str) -> None:
    env = {endpoint: URL, key: "secret"}
    assert service.from_env(env).endpoint == URL
    status = service.status(env)
    assert status.configured
    assert status.found == (endpoint, key)


def test_the_name_in_azures_own_samples_wins() -> None:
    env = {"COMPUTER_VISION_ENDPOINT": "https://old.example", "VISION_ENDPOINT": URL, "VISION_KEY": "k"}
    assert Azure.from_env(env).endpoint == URL


@SERVICES
def test_status_names_what_is_missing(service: type[AzureProvider]) -> None:
    status = service.status({"VISION_KEY": ""})
    assert status.installed
    assert not status.configured
    assert status.missing == (
        "set VISION_ENDPOINT",
        "set VISION_KEY, or sign in with Entra ID (`az login`)",
    )


def test_another_resource_has_variables_of_its_own() -> None:
    env = {"DOCUMENTINTELLIGENCE_ENDPOINT": URL, "DOCUMENTINTELLIGENCE_API_KEY": "secret"}
    assert AzureDocument.from_env(env).endpoint == URL
    assert AzureDocument.status(env).found == tuple(env)
    assert AzureDocument.status({"VISION_ENDPOINT": URL, "VISION_KEY": "k"}).missing == (
        "set DOCUMENTINTELLIGENCE_ENDPOINT",
        "set DOCUMENTINTELLIGENCE_API_KEY, or sign in with Entra ID (`az login`)",
    )
    with pytest.raises(NotConfigured, match="DOCUMENTINTELLIGENCE_API_KEY"):
        AzureDocument(endpoint=URL, key="")


@SERVICES
def test_a_price_is_unknown_until_the_user_sets_one(service: type[AzureProvider]) -> None:
    assert service(endpoint=URL, key="k").price is None
    price = service(endpoint=URL, key="k", price_usd=0.001).price
    assert price is not None
    assert price.usd == 0.001


def test_a_service_has_the_name_it_is_registered_under_or_one_of_your_own() -> None:
    services = (Azure, AzureAnalysis)
    assert [service(endpoint=URL, key="k").name for service in services] == ["azure", "azure-analysis"]
    assert [service(endpoint=URL, key="k", name="east").name for service in services] == ["east", "east"]


@pytest.mark.parametrize(
    ("endpoint", "key", "said"),
    [
        ("", "key", "VISION_ENDPOINT"),
        (URL, "", "VISION_KEY"),
        (URL, "  ", "VISION_KEY"),
        ("a.example", "key", "https://"),
    ],
)
@SERVICES
def test_an_empty_key_or_endpoint_is_refused_by_us(
    service: type[AzureProvider], endpoint: str, key: str, said: str
) -> None:
    with pytest.raises(NotConfigured, match=said):
        service(endpoint=endpoint, key=key)


BOTH = pytest.mark.parametrize("cloud", POLLED)


def fetched(azure: Resumable, token: str) -> Answer:
    """The answer to what was started, as soon as it is there."""
    while (answer := azure.poll(token, timeout=10)) is None:
        time.sleep(azure.poll_s)
    return answer


@BOTH
def test_an_operation_that_was_started_is_finished_by_another_process(
    cloud: str, opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    first, second, before = opened(cloud), opened(cloud), emulator.calls(cloud)
    assert isinstance(first, Resumable)
    assert isinstance(second, Resumable)
    token = first.start(prepared(first), timeout=10)
    first.close()
    assert fetched(second, token).candidates[0].text == "7"
    assert emulator.calls(cloud) - before == 1


@BOTH
def test_an_operation_that_does_not_end_is_given_up_in_time(
    cloud: str, opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    azure = opened(cloud)
    assert isinstance(azure, Resumable)
    emulator.set_faults(cloud, "endless-poll")
    token = azure.start(prepared(azure), timeout=10)
    assert [azure.poll(token, timeout=10) for _ in range(3)] == [None] * 3
    with pytest.raises(TimedOut):
        azure.read(prepared(azure), timeout=0.5)


@BOTH
def test_an_unknown_operation_is_refused(cloud: str, opened: Opened) -> None:
    azure = opened(cloud)
    assert isinstance(azure, Resumable)
    with pytest.raises(Rejected):
        azure.poll("00000000-0000-0000-0000-000000000000", timeout=5)


@BOTH
def test_the_operation_is_looked_for_at_our_own_endpoint(
    cloud: str, opened: Opened, prepared: Prepared
) -> None:
    with raw_server() as stranger, raw_server() as server:
        azure = opened(cloud, endpoint=server.url)
        ordered = answer(202, b"", ("Operation-Location", f"{stranger.url}/results/abc?api-version=1"))
        server.say = [ordered, answer(404, b"{}")]
        with pytest.raises(Rejected):
            azure.read(prepared(azure), timeout=10)
        assert stranger.arrived == []
        assert b"analyzeResults/abc" in server.arrived[1]
