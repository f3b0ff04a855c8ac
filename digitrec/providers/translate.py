"""The door for those who write a provider: what turns their service's errors into ours.

`digitrec.providers.wire.translate` does the work; ADDING_A_PROVIDER.md promises this name.
"""

from __future__ import annotations

from digitrec.providers.wire.translate import Problem, Rule, Service, from_http

__all__ = ["Problem", "Rule", "Service", "from_http"]
