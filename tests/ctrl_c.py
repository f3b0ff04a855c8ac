"""Stop a process with Ctrl-C."""

import signal
import subprocess


def ended(service: subprocess.Popen[str]) -> str:
    """Terminate a process and return the rest of its stdout.

    Repeat the signal while it runs on: Python drops a Ctrl-C that comes during a clean-up, as in the middle
    of an import.
    """
    for again in (True, True, False):
        service.send_signal(signal.SIGINT)
        try:
            return service.communicate(timeout=30)[0]
        except subprocess.TimeoutExpired:
            assert again, "three times told to end, it goes on"
    raise AssertionError
