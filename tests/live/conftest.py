"""Tests that ask a real service with a real account."""

import pytest


@pytest.fixture(autouse=True)
def clean_environment() -> None:
    """Keep the developer's own environment for these tests only: it holds the credentials."""
