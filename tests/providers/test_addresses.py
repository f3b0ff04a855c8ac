import pytest

from digitrec.providers.addresses import is_metadata_server


@pytest.mark.parametrize(("url", "is_one"), [
    ("http://metadata.google.internal/computeMetadata/v1", True), ("http://169.254.169.254/latest", True),
    ("http://169.254.170.2/v2", True), ("http://169.254.130.6:8081/msi/token", True),
    ("http://[fe80::1]/", True), ("http://metadata.google.internal.example", False),
    ("http://169.254.169.254.example", False), ("http://10.0.0.1", False), ("http://8.8.8.8", False),
    ("169.254.169.254", False), ("", False),
])  # fmt: skip
def test_metadata_servers_have_link_local_addresses_or_googles_name(url: str, is_one: bool) -> None:
    assert is_metadata_server(url) == is_one
