"""The control endpoint, asked with plain HTTP."""

from __future__ import annotations

import pytest
import requests

from digitrec.emulator import Emulator

from .clients import HEADERS, READ, SEVEN, TIMEOUT, picture, reads


@pytest.fixture
def emulator(digitrec_emulator) -> Emulator:
    return digitrec_emulator(["azure-analysis"], engine=reads(SEVEN))


def test_it_says_what_it_is(emulator):
    answer = requests.get(emulator.endpoints["azure-analysis"] + "/_emulator", timeout=TIMEOUT).json()
    assert answer == {"emulator": "digitrec", "vendor": "azure-analysis", "engine": "function"}


def test_it_counts(emulator):
    endpoint = emulator.endpoints["azure-analysis"]
    emulator.set_faults("azure-analysis", "500:first=1")
    for _ in range(3):
        requests.post(endpoint + READ, picture(), headers=HEADERS, timeout=TIMEOUT)
    counts = requests.get(endpoint + "/_emulator/calls", timeout=TIMEOUT).json()
    assert counts == {"calls": 3, "polls": 0, "billed": 2}


def test_it_changes_the_faults(emulator):
    endpoint = emulator.endpoints["azure-analysis"]
    faults_url = endpoint + "/_emulator/faults"
    wanted = ["503:first=1,after=2", "429"]
    assert requests.post(faults_url, json=wanted, timeout=TIMEOUT).json() == ["503:first=1,after=2", "429"]
    statuses = [requests.post(endpoint + READ, timeout=TIMEOUT).status_code for _ in range(3)]
    assert statuses == [503, 429, 429]
    assert requests.get(faults_url, timeout=TIMEOUT).json() == ["429"]


@pytest.mark.parametrize("wrong", [["418"], ["endless-poll"], "429", 5, [5], None])
def test_it_says_what_is_wrong_with_a_fault(emulator, wrong):
    faults_url = emulator.endpoints["azure-analysis"] + "/_emulator/faults"
    answer = requests.post(faults_url, json=wrong, timeout=TIMEOUT)
    assert answer.status_code == 400
    assert answer.json()["error"]


def test_there_is_no_other_address(emulator):
    url = emulator.endpoints["azure-analysis"] + "/_emulator/other"
    assert requests.get(url, timeout=TIMEOUT).status_code == 404
