"""A server with a scripted engine."""

from collections.abc import Iterator

import pytest

pytest.importorskip("fastapi", reason="the extra web is not installed")

from fastapi.testclient import TestClient

from .fakes import serving


@pytest.fixture
def client() -> Iterator[TestClient]:
    """Return a client of a server with one engine that reads a 7 everywhere."""
    with serving() as made:
        yield made
