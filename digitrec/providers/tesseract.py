"""Run Tesseract, the OCR program, on this machine: one process for each image.

Each word in its output table is a candidate; its confidence of 0-100 is divided by 100.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess  # nosec B404 # no shell; the program is the user's choice
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, ClassVar

from digitrec.answer import Answer, Candidate, checked
from digitrec.errors import BadAnswer, NotConfigured, Rejected, TimedOut
from digitrec.image import InputSpec, PreparedImage
from digitrec.image.pixels import NUMBERS_SIDE
from digitrec.prepare import PREPARATIONS
from digitrec.providers.base import CUT_OUT, FREE, BaseProvider, Price, Status
from digitrec.providers.translate import Problem, Rule, Service

ONE_CHARACTER, ONE_WORD, ONE_LINE, PAGE = 10, 8, 7, 6
"""Tesseract's page segmentation modes for a single digit, for a repeated digit, for a cut-out number, and for
a page of numbers. The modes for sparse text miss single digits and minus signs."""
NUMBERS = InputSpec(encoding="png", min_side=40, max_side=4000, margin=0.05, enough=NUMBERS_SIDE)
INSTALL = "install the program (Debian: apt install tesseract-ocr; macOS: brew install tesseract)"


class Tesseract(BaseProvider):
    """Reads text with the tesseract program."""

    wants = InputSpec(
        encoding="png", preparation="repeated", min_side=40, max_side=2000, **PREPARATIONS["repeated"]
    )
    price: Price | None = FREE
    variables: ClassVar[Mapping[str, Sequence[str]]] = {"program": ("DIGITREC_TESSERACT",)}

    def __init__(self, *, program: str = "tesseract", language: str = "eng", name: str = "tesseract") -> None:
        """Find the program.

        Args:
            program: the program's name or path.
            language: Tesseract's name of a language data file.
            name: the engine's name in a Prediction.

        Raises:
            NotConfigured: the program is missing, or does not run.
        """
        self.name = name
        self.options = {"language": language}
        self._program = program
        with SERVICE.translated():
            self._version = _version(program)

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Return whether the program exists, without starting it."""
        program = shutil.which(env.get("DIGITREC_TESSERACT") or "tesseract", path=env.get("PATH"))
        if program is None:
            return Status(installed=False, configured=False, missing=(INSTALL,))
        return Status(installed=True, configured=True, found=(program,))

    def for_numbers(self) -> Tesseract:
        """Return the same program with the modes for numbers on a page of any layout."""
        numbers = copy(self)
        numbers.wants, numbers.options = NUMBERS, {**self.options, "numbers": True}
        return numbers

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Start the program once, for at most ``timeout`` seconds."""
        if self.wants is NUMBERS:
            mode = ONE_LINE if image.place and min(image.place.size) <= CUT_OUT else PAGE
        else:
            mode = ONE_CHARACTER if image.spec.repeat == 1 else ONE_WORD
        language = self.options["language"]
        command = [self._program, "stdin", "stdout", "-l", language, "--psm", str(mode), "tsv"]
        with SERVICE.translated():
            return parse({"tsv": _run(command, image.data, timeout), "version": self._version})


def parse(raw: Mapping[str, Any]) -> Answer:
    """Convert Tesseract's output table, with its version, to an Answer.

    Raises:
        BadAnswer: the value is not such a table.
    """
    try:
        rows = list(csv.DictReader(raw["tsv"].splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE))
        if not rows:  # even an empty page has the row of the page
            raise ValueError
        words = [_word(row) for row in rows if float(row["conf"]) >= 0 and row["text"].strip()]
    except (AttributeError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise SERVICE.error(Problem(BadAnswer, "no table of words", raw=raw)) from error
    return checked(Answer(tuple(words), raw=raw, model_version=raw["version"]))


def _word(row: Mapping[str, str]) -> Candidate:
    left, top, width, height = (int(row[key]) for key in ("left", "top", "width", "height"))
    return Candidate(row["text"].strip(), float(row["conf"]) / 100, (left, top, left + width, top + height))


def _version(program: str) -> str:
    try:
        return _run([program, "--version"], b"", timeout=10.0).splitlines()[0]
    except (subprocess.CalledProcessError, IndexError) as error:
        raise NotConfigured(f"{program} does not print a version of Tesseract; {INSTALL}") from error


def _run(command: list[str], data: bytes, timeout: float) -> str:
    """Run the program once, on one thread: on a small picture several threads only wait for each other."""
    env = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    done = subprocess.run(  # nosec B603 # noqa: S603 (the program is the user's choice, and no shell reads the command)
        command, input=data, capture_output=True, timeout=timeout, check=True, env=env
    )
    return done.stdout.decode("utf-8")


def _exit_error(error: subprocess.CalledProcessError) -> Problem:
    said = error.stderr.decode("utf-8", "replace")
    return Problem(NotConfigured if "language" in said else Rejected, said, error.returncode)


ERRORS: Mapping[str, Rule] = {
    "subprocess.TimeoutExpired": TimedOut,
    "subprocess.CalledProcessError": _exit_error,
    "builtins.OSError": NotConfigured,
    "builtins.UnicodeDecodeError": BadAnswer,
}
"""Exceptions when a program is run; Tesseract reports missing language data on stderr."""

SERVICE = Service("Tesseract", ERRORS, {NotConfigured: INSTALL})
