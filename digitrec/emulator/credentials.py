"""The keys that an emulator accepts."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Credentials:
    """The keys that an emulator accepts. The default accepts what a newcomer's script sends."""

    google_api_keys: frozenset[str] | None = field(default=None, repr=False)
    """API keys for Google; None: any key, or no key at all."""
    aws_keys: frozenset[str] | None = field(default=None, repr=False)
    """AWS access key ids; None: any. Signatures are not verified."""
    azure_keys: frozenset[str] | None = field(default=None, repr=False)
    """Keys for all of Azure's services; None: any key or token that is not empty."""
    openai_keys: frozenset[str] | None = field(default=None, repr=False)
    """Keys for OpenAI's protocol; None: any key that is not empty."""
