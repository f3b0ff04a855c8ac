"""The door for those who write a provider: what turns their service's errors into ours.

`digitrec.wire.translate` is where it is done; this is the name under which ADDING_A_PROVIDER.md promises it.
"""

from __future__ import annotations

from digitrec.wire.translate import Problem, Rule, Service, from_http

__all__ = ["Problem", "Rule", "Service", "from_http"]
