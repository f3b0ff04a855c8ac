"""An emulator whose engine is a function, so that tests need no model."""

from digitrec.emulator.pytest_plugin import digitrec_emulator

__all__ = ["digitrec_emulator"]
