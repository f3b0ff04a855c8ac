"""Handle Ctrl-C while the program starts; import almost nothing, so that this works from the beginning."""

# The module signal would load its enumerations, which takes longer than the rest of the start.
import _signal as signal  # type: ignore[import-not-found]
import os
import time

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as in shells."""
BURST_S = 2.0
"""Seconds after a Ctrl-C in which others count as the same one; some tools send it to a process twice."""
_caught = [-BURST_S]
"""The time of the last Ctrl-C that raised KeyboardInterrupt."""


def end_at_once() -> None:
    """Let Ctrl-C end the process with one line, unless the parent process ignores Ctrl-C.

    While modules are loaded there is no work to finish, and an exception would be shown as a traceback.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_again() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again after `end_at_once`."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, _raise)


def _raise(number: int, frame: object) -> None:
    if (now_s := time.monotonic()) - _caught[0] > BURST_S:
        _caught[0] = now_s
        raise KeyboardInterrupt


def _end(number: int, frame: object) -> None:
    os.write(2, b"digitrec: interrupted\n")
    os._exit(INTERRUPTED)
