"""Which keys an emulator takes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from digitrec.errors import NotConfigured


@dataclass(frozen=True, slots=True)
class Credentials:
    """The keys an emulator takes; by default those with which a newcomer's script just works."""

    google_api_keys: frozenset[str] | None = field(default=None, repr=False)
    """API keys taken for Google; None with no tokens either: any key, or none at all."""
    google_tokens: frozenset[str] | None = field(default=None, repr=False)
    """OAuth access tokens taken for Google."""
    aws_keys: Mapping[str, str] = field(default_factory=lambda: {"test": "test"}, repr=False)
    """AWS access key ids and their secrets; signatures are verified with them."""
    azure_keys: frozenset[str] | None = field(default=None, repr=False)
    """Keys taken for all of Azure's services; None: any key that is not empty."""
    openai_keys: frozenset[str] | None = field(default=None, repr=False)
    """Keys taken for OpenAI's protocol; None: any key that is not empty."""
    azure_tokens: frozenset[str] | None = field(default=None, repr=False)
    """Tokens of Entra ID taken for Azure's services; None: any where any key is taken, else none."""

    @classmethod
    def load(cls, path: str | Path) -> Credentials:
        """Strict credentials from a TOML or JSON file; a vendor it does not mention takes no key at all.

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
            return cls._strict(values)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            why = getattr(error, "strerror", None) or "not of the documented form"
            raise NotConfigured(f"{path}: no credentials file ({why}); see docs/emulator.md") from None

    @classmethod
    def _strict(cls, values: Mapping[str, Any]) -> Credentials:
        google, aws, azure, openai = (values.get(it, {}) for it in ("google", "aws", "azure", "openai"))
        return cls(
            google_api_keys=_strings(google.get("api_keys", [])),
            google_tokens=_strings(google.get("tokens", [])),
            aws_keys={str(name): str(secret) for name, secret in aws.get("keys", {}).items()},
            azure_keys=_strings(azure.get("keys", [])),
            azure_tokens=_strings(azure.get("tokens", [])),
            openai_keys=_strings(openai.get("keys", [])),
        )


def _strings(values: Any) -> frozenset[str]:
    if not isinstance(values, list):
        raise TypeError("a list of keys")
    return frozenset(str(value) for value in values)
