import pytest

from digitrec.providers.addresses import is_metadata_server


@pytest.mark.parametrize("url", [
    "http://metadata.google.internal/computeMetadata/v1", "http://169.254.169.254/latest",
    "http://169.254.170.2/v2", "http://169.254.130.6:8081/msi/token", "http://[fe80::1]/",
])  # fmt: skip
def test_metadata_servers_have_link_local_addresses_or_googles_name(url: str) -> None:
    assert is_metadata_server(url)


@pytest.mark.parametrize("url", [
    "http://metadata.google.internal.example", "http://169.254.169.254.example", "http://10.0.0.1",
    "http://8.8.8.8", "169.254.169.254", "",
])  # fmt: skip
def test_other_addresses_are_not_metadata_servers(url: str) -> None:
    assert not is_metadata_server(url)
