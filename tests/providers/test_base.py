import pytest
from programs import python

from digitrec.errors import NotConfigured, NotInstalled, install_hint
from digitrec.providers.base import checked_endpoint, checked_key, not_installed

LOOK = """
import os, socket, subprocess, sys
def refuse(*args, **kwargs): raise SystemExit("it went out")
socket.socket.connect = socket.getaddrinfo = subprocess.Popen = os.posix_spawn = refuse
from digitrec.providers import registry
names = [listing.name for listing in registry.listings(os.environ, {})]
sdks = {"google.auth", "botocore", "azure.core", "requests", "rapidocr", "onnxruntime"}
print(sorted(names), sorted(sdks & set(sys.modules)))
"""


def test_listing_providers_imports_no_sdk_and_opens_no_connection() -> None:
    names = "aws aws-textract azure azure-analysis azure-document google local openai rapidocr tesseract"
    assert python("-c", LOOK).stdout.strip() == f"{names.split()} []"


def test_a_missing_package_is_named_by_the_extra_that_brings_it() -> None:
    error = not_installed("A service", "google")
    assert isinstance(error, NotInstalled)
    assert install_hint("google") == "pip install '.[google]' in digitrec's folder"
    assert install_hint("google") in str(error)
    assert "pip install 'digitrec-acme[sdk]'" in str(not_installed("Acme OCR", "digitrec-acme[sdk]"))


@pytest.mark.parametrize(
    "endpoint", ["https://a.example", "http://127.9.9.9:8001", "http://[::1]:1/v1", "http://LOCALHOST"]
)
def test_an_address_loses_only_the_slash_at_its_end(endpoint: str) -> None:
    assert checked_endpoint(endpoint, "X") == checked_endpoint(f"{endpoint}/", "X") == endpoint


def test_a_key_loses_the_line_break_that_came_with_its_file() -> None:
    assert checked_key(" a+key/=\r\n", "A_KEY") == "a+key/="


@pytest.mark.parametrize("key", ["planted\nsecret", "plänted-secret", "planted\x00secret"])
def test_a_key_that_cannot_be_sent_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(NotConfigured, match="A_KEY") as caught:
        checked_key(key, "A_KEY")
    assert "secret" not in str(caught.value)
