"""The keys that an emulator accepts."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import msgspec

from digitrec.errors import NotConfigured


@dataclass(frozen=True, slots=True)
class Credentials:
    """The keys that an emulator accepts. The default accepts what a newcomer's script sends."""

    google_api_keys: frozenset[str] | None = field(default=None, repr=False)
    """API keys for Google; None, and no tokens either: any key, or no key at all."""
    google_tokens: frozenset[str] | None = field(default=None, repr=False)
    """OAuth access tokens for Google."""
    aws_keys: Mapping[str, str] = field(default_factory=lambda: {"test": "test"}, repr=False)
    """AWS access key ids and their secrets, which verify the signatures."""
    azure_keys: frozenset[str] | None = field(default=None, repr=False)
    """Keys for all of Azure's services; None: any key that is not empty."""
    openai_keys: frozenset[str] | None = field(default=None, repr=False)
    """Keys for OpenAI's protocol; None: any key that is not empty."""
    azure_tokens: frozenset[str] | None = field(default=None, repr=False)
    """Entra ID tokens for Azure's services; None: any token if any key is accepted, else no token."""

    @classmethod
    def load(cls, path: str | Path) -> Credentials:
        """Read strict credentials from a TOML or JSON file; a vendor that it leaves out accepts no key.

            [google]
            api_keys = ["..."]
            tokens = ["..."]
            [aws.keys]
            AKIAEXAMPLE = "its secret"
            [azure]
            keys = ["..."]
            tokens = ["..."]
            [openai]
            keys = ["..."]

        Raises:
            NotConfigured: the file is missing or not of that form.
        """
        path = Path(path)
        try:
            text = path.read_text("utf-8")
            values = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
            given = {
                f"{vendor}_{name}": keys for vendor, table in values.items() for name, keys in table.items()
            }
            return msgspec.convert(_NO_KEYS | given, cls)
        except (OSError, ValueError, AttributeError) as error:
            why = getattr(error, "strerror", None) or "not of the documented form"
            raise NotConfigured(f"{path}: no credentials file ({why}); see docs/emulator.md") from None


_NO_KEYS: dict[str, Any] = {each.name: {} if each.name == "aws_keys" else [] for each in fields(Credentials)}
