"""Ctrl-C, as it is pressed where a service is to end."""

from __future__ import annotations

import signal
import subprocess


def ended(service: subprocess.Popen[str]) -> str:
    """What it still says on stdout, told to end.

    It is told again where it goes on: Python drops a Ctrl-C that comes while it clears something away, as it
    does in the middle of an import.
    """
    for again in (True, True, False):
        service.send_signal(signal.SIGINT)
        try:
            return service.communicate(timeout=30)[0]
        except subprocess.TimeoutExpired:
            assert again, "three times told to end, it goes on"
    raise AssertionError
