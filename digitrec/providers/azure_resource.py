"""What both Azure services share: the resource they belong to, with its endpoint and key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from digitrec.errors import AuthFailed, DigitrecError, NotConfigured
from digitrec.providers.base import Status, install_hint, is_installed

ENDPOINTS = ("VISION_ENDPOINT", "AZURE_COMPUTER_VISION_ENDPOINT", "COMPUTER_VISION_ENDPOINT")
"""Variables that may hold the endpoint, in the order they are looked for; Azure's own samples' first."""
KEYS = ("VISION_KEY", "AZURE_COMPUTER_VISION_KEY", "COMPUTER_VISION_SUBSCRIPTION_KEY")
"""Variables that may hold the key, in the order they are looked for."""
ADVICE: Mapping[type[DigitrecError], str] = {
    AuthFailed: "check VISION_KEY, and that it belongs to the resource at VISION_ENDPOINT",
}


def from_env(env: Mapping[str, str]) -> tuple[str, str]:
    """The endpoint and the key that the environment holds; "" for one that it does not."""
    return env.get(_name(env, ENDPOINTS) or "", ""), env.get(_name(env, KEYS) or "", "")


def status(env: Mapping[str, str], package: str) -> Status:
    """What is there for a service that is reached through ``package``."""
    installed = is_installed(package)
    endpoint, key = _name(env, ENDPOINTS), _name(env, KEYS)
    missing = [] if installed else [install_hint("azure")]
    missing += [] if endpoint else [f"set {ENDPOINTS[0]}"]
    missing += [] if key else [f"set {KEYS[0]}"]
    found = tuple(name for name in (endpoint, key) if name)
    return Status(installed, len(found) == 2, tuple(missing), found)


def checked(endpoint: str, key: str) -> str:
    """The endpoint without a slash at its end.

    Raises:
        NotConfigured: one of the two is empty (one SDK takes an empty key, and asks with it), or the
            endpoint is no address.
    """
    if not endpoint.strip():
        raise NotConfigured(f"Azure has no endpoint; set {ENDPOINTS[0]} to the resource's address")
    if not endpoint.startswith(("https://", "http://")):
        raise NotConfigured(
            f"Azure's endpoint {endpoint!r} is no address; {ENDPOINTS[0]} starts with https://"
        )
    if not key.strip():
        raise NotConfigured(f"Azure has no key; set {KEYS[0]} to one of the resource's two keys")
    return endpoint.rstrip("/")


def _name(env: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((name for name in names if env.get(name)), None)
