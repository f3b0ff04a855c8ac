"""What the tests of several providers share: the clouds, the types of the fixtures, stored pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from digitrec.image import PreparedImage
from digitrec.providers.answer import Candidate
from digitrec.providers.base import Provider

CLOUDS = ("google", "aws", "azure", "azure-analysis")

Stored = Callable[[str, str], Any]
"""A provider and a case: the answer that is stored for it."""
Opened = Callable[..., Provider]
"""A cloud's name and options: its provider, at its emulator."""
Prepared = Callable[[Provider], PreparedImage]
"""A seven, as the provider wants it."""

BOX = (61, 40, 142, 171)
"""Where the word stands on the stored pictures."""
AZURE_WORDS = [
    ("seven", [Candidate("7", 0.985, BOX)]),
    ("two-words", [Candidate("4", 0.9, BOX), Candidate("2", 0.7, BOX)]),
    ("no-text", []),
]
"""What both Azure services say of the same pictures, each in its own form."""
