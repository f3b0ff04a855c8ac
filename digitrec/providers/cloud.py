"""Shared by the clouds' providers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from digitrec.providers.addresses import allows_plain_http
from digitrec.providers.base import EnvProvider
from digitrec.providers.wire import Wire


class Cloud(EnvProvider):
    """A provider that sends its requests through a `Wire`."""

    _wire: Wire

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """Build it from `variables` and DIGITREC_ALLOW_PLAIN_HTTP; ``options`` override them."""
        return super().from_env(env, **{"allow_plain_http": allows_plain_http(env), **options})

    def close(self) -> None:
        """Close the connections."""
        self._wire.close()
