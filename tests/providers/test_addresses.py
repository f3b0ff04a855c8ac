from __future__ import annotations

import pytest

from digitrec.providers.addresses import in_the_clear, is_metadata_server


@pytest.mark.parametrize(
    ("url", "clear"),
    [
        ("https://ocr.example", False),
        ("http://127.0.0.1:8001", False),
        ("http://127.9.9.9", False),
        ("http://[::1]:80", False),
        ("http://localhost:8001/a", False),
        ("http://LOCALHOST", False),
        ("http://ocr.example", True),
        ("http://localhost.example", True),
        ("http://10.0.0.1", True),
        ("http://169.254.169.254", True),
        ("http://0.0.0.0", True),
        ("HTTP://ocr.example", True),
    ],
)
def test_what_could_be_read_on_the_way(url: str, clear: bool) -> None:
    assert in_the_clear(url) is clear


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("http://metadata.google.internal/computeMetadata/v1", True),
        ("http://169.254.169.254/latest", True),
        ("http://169.254.170.2/v2", True),
        ("http://169.254.130.6:8081/msi/token", True),
        ("http://[fe80::1]/", True),
        ("http://metadata.google.internal.example", False),
        ("http://169.254.169.254.example", False),
        ("http://10.0.0.1", False),
        ("http://8.8.8.8", False),
        ("169.254.169.254", False),
        ("", False),
    ],
)
def test_where_a_clouds_machine_gets_its_tokens(url: str, is_one: bool) -> None:
    assert is_metadata_server(url) is is_one
