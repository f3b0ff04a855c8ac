"""Handle Ctrl-C while the program starts; import almost nothing, so that this works from the beginning."""

# The module signal would load its enumerations, which takes longer than the rest of the start.
import _signal as signal  # type: ignore[import-not-found]
import os

INTERRUPTED = 130
"""Exit code after Ctrl-C: 128 + SIGINT, as in shells."""


def end_at_once() -> None:
    """Let Ctrl-C end the process with one line, unless the parent process ignores Ctrl-C.

    While modules are loaded there is no work to finish, and an exception would be shown as a traceback.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


def raise_again() -> None:
    """Let Ctrl-C raise KeyboardInterrupt again after `end_at_once`."""
    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, frame: object) -> None:
    os.write(2, b"digitrec: interrupted\n")
    os._exit(INTERRUPTED)
