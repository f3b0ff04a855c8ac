from __future__ import annotations

import subprocess
import sys

import pytest

from digitrec.answer import Answer
from digitrec.errors import NotInstalled, ProviderError, Rejected
from digitrec.image import PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.base import BaseProvider, Status, install_hint, is_installed, not_installed
from digitrec.testing import FakeProvider, drawn_seven

LOOK = """
import os, socket, subprocess, sys
def refuse(*args, **kwargs): raise SystemExit("it went out")
socket.socket.connect = socket.getaddrinfo = subprocess.Popen = os.posix_spawn = refuse
from digitrec.providers import registry
names = [listing.name for listing in registry.listings(os.environ)]
sdks = {"google.cloud.vision", "google.auth", "boto3", "msrest", "azure.core", "rapidocr", "onnxruntime"}
print(sorted(names), sorted(sdks & set(sys.modules)))
"""


def test_looking_at_all_providers_imports_no_sdk_starts_nothing_and_asks_nobody() -> None:
    run = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    listed = ["aws", "azure", "azure-analysis", "google", "local", "rapidocr", "tesseract"]
    assert run.stdout.strip() == f"{listed} []"


def test_by_default_a_provider_needs_nothing() -> None:
    assert BaseProvider.status({}) == Status(installed=True, configured=True)


def test_a_package_is_found_without_importing_it() -> None:
    assert is_installed("xml.dom.minidom")
    assert not is_installed("xml.no_such_module")
    assert not is_installed("no_such_parent.child")


def test_a_missing_package_is_named_by_the_extra_that_brings_it() -> None:
    error = not_installed("A service", "google")
    assert isinstance(error, NotInstalled)
    assert install_hint("google") == "pip install 'digitrec[google]'"
    assert install_hint("google") in str(error)


def test_a_failure_takes_only_its_own_place() -> None:
    fake = FakeProvider(["7", Rejected("too dark"), "1"])
    image = prepare(drawn_seven(), fake.wants)
    outcomes = fake.read_many([image] * 3, timeout=1)
    assert [isinstance(outcome, ProviderError) for outcome in outcomes] == [False, True, False]


def test_a_programming_error_is_not_taken_for_a_failure() -> None:
    class Broken(FakeProvider):
        def read(self, image: PreparedImage, *, timeout: float) -> Answer:
            raise ZeroDivisionError

    fake = Broken()
    with pytest.raises(ZeroDivisionError):
        fake.read_many([prepare(drawn_seven(), fake.wants)], timeout=1)
