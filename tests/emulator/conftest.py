"""The emulator as these tests use it: its engine is a function, so that they need no model."""

from digitrec.emulator.pytest_plugin import digitrec_emulator

__all__ = ["digitrec_emulator"]
