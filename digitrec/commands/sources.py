"""Find the pictures that a command's arguments name, and report the failures among them."""

import errno
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeVar

import click
from PIL import Image

from digitrec.answer import Failure, Outcome, Prediction, Sheet
from digitrec.commands import options
from digitrec.commands.process import exit_code, tell
from digitrec.errors import ImageError
from digitrec.image import ImageRef, atomic, files, frames
from digitrec.image.headers import MAX_FRAMES
from digitrec.report import predictions

LONGEST = 60
"""Maximum number of characters of a picture's name in the name of a file about it."""
Watched = TypeVar("Watched", bound=Prediction | Sheet | Failure)


class Reasons:
    """Report a reason at once and count its repetitions: a spent budget may stop thousands of pictures."""

    def __init__(self, *, firsts: bool = True) -> None:
        """Report with ``firsts`` also the files of which only the first picture is read."""
        self._firsts = firsts
        self._times: Counter[str] = Counter()
        self._failures: list[Failure] = []

    def watched(self, outcomes: Iterable[Watched]) -> Iterator[Watched]:
        """Yield the outcomes, and report on each; sum up at the end."""
        for outcome in outcomes:
            if isinstance(outcome, Failure):
                self.failure(outcome)
            self.read(outcome.image)
            yield outcome
        self.sum_up()

    def check(self, asked: int) -> None:
        """End the command with an exit code if any of the ``asked`` outcomes is a failure.

        Raises:
            SystemExit: an outcome is a failure.
        """
        if self._failures:
            raise SystemExit(exit_code_of(self._failures, asked))

    def failure(self, failure: Failure, who: str = "") -> None:
        """Report a failure, with ``who`` as its prefix."""
        self._failures.append(failure)
        self._tell(f"{who}{failure.error}", f"{who}{predictions.error_line(failure)}")

    def read(self, image: ImageRef) -> None:
        """Report a file if it holds more pictures than the one that was read."""
        if not self._firsts or image.frames < 2:
            return
        number, todo = f"{image.frames}", "--frames all reads all"
        if image.frames > MAX_FRAMES:
            number, todo = f"more than {MAX_FRAMES}", "split it to read all"
        self._tell(
            "a file with several pictures, of which the first was read",
            f"{image.source} holds {number} pictures; the first was read ({todo})",
        )

    def _tell(self, reason: str, line: str) -> None:
        self._times[reason] += 1
        if self._times[reason] == 1:
            tell(line)

    def sum_up(self) -> None:
        """Report how often each reason came again."""
        for reason, times in self._times.items():
            if times > 1:
                tell(f"{times - 1} more: {reason}")


def exit_code_of(failures: Sequence[Failure], asked: int) -> int:
    """Return the exit code of the one error that all ``asked`` outcomes share; otherwise 1."""
    codes = {exit_code(failure.error) for failure in failures}
    return codes.pop() if len(failures) == asked and len(codes) == 1 else 1


def report_engines(outcomes: Mapping[str, Sequence[Outcome]]) -> None:
    """Say on stderr how many pictures each engine failed on.

    Args:
        outcomes: each engine's outcomes by its name, or one engine's outcomes by their data.

    Raises:
        SystemExit: all outcomes of an engine or of a set of data are failures.
    """
    useless: list[Failure] = []
    for engine, answers in outcomes.items():
        failures = [outcome for outcome in answers if isinstance(outcome, Failure)]
        if failures:
            first = predictions.error_line(failures[0])
            tell(f"{engine}: {len(failures)} of {len(answers)} pictures failed, such as {first}")
        if len(failures) == len(answers):
            useless += failures
    if useless:
        raise SystemExit(exit_code_of(useless, sum(map(len, outcomes.values()))))


Source = str | files.Frame


@dataclass(frozen=True, slots=True)
class Given:
    """The arguments that name pictures, with the options for them."""

    images: tuple[str, ...]
    frames: Literal["first", "all"] | None

    def sources(self) -> list[Source]:
        """Return the pictures to read, in order, and report skipped files on stderr."""
        skipped = files.Skipped()
        found: list[Source] = []
        for argument in self.images:  # a folder without pictures is kept: reading it raises an error
            for path in list(files.expand(argument, skipped)) or [argument]:
                found += _frames(path) if self.frames == "all" else [path]
        say_skipped(skipped)
        return found

    def reasons(self) -> Reasons:
        """Return an object that reports the pictures that failed or were not read."""
        return Reasons(firsts=self.frames is None)


given = options.gathered(
    "given", Given,
    click.argument("images", nargs=-1, required=True, metavar="IMAGE...", type=options.Input(path_type=str)),
    options.choice("--frames", "first", "all", help="Pages or frames to read of a TIFF, PDF or animation.  "
                   "[default: first, with a notice]"),
)  # fmt: skip
"""The argument IMAGE... and its options, as one `Given`."""


def say_skipped(skipped: files.Skipped) -> None:
    """Report skipped files on stderr, if there are any."""
    if words := skipped.words():
        tell(f"skipped {', '.join(words)}")


def _frames(source: str) -> Sequence[Source]:
    kept: Source = source
    try:
        if files.read_once(source):
            kept = files.Frame(b"", None, files.name_of(source))  # as it is if it cannot be read
            kept = replace(kept, source=files.read(source)[0])
        found = frames(kept)
    except ImageError as error:
        return [files.Frame(b"", None, files.name_of(source), str(error))]
    return found if len(found) > 1 else [kept]


def path_of(source: Source) -> str:
    """Return the file that holds a picture."""
    return str(source.source) if isinstance(source, files.Frame) else source


def picture_files(option: str, images: Sequence[Source], target: Path | None) -> list[Path]:
    """Return where an option saves a picture for each image: in a folder or in one file; [] without a target.

    Raises:
        click.UsageError: the name does not fit, or one of these files is read.
    """
    if target is None:
        return []
    if any(files.read_once(image) for image in images):
        raise click.UsageError(f"{option} needs files: standard input or a pipe is read only once.")
    several = len(images) > 1 or target.is_dir()
    if several and (target.is_file() or options.named_as_file(target)):
        raise click.UsageError(f"{option} {target} names a file; several pictures need a folder.")
    if not several and not _is_saved_as(target.suffix.lower()):
        raise click.UsageError(
            f"{option} {target} does not end as a picture does; name a file such as seen.png."
        )
    saved = [target / name for name in numbered(images)] if several else [target]
    options.refuse_outputs(option, saved, map(path_of, images))
    return saved


def _is_saved_as(ending: str) -> bool:
    """Return whether Pillow saves a picture in grey in a file with this ending; then in colour, too."""
    try:
        Image.new("L", (1, 1)).save(io.BytesIO(), Image.registered_extensions().get(ending))
    except (OSError, ValueError, KeyError):  # as Pillow refuses a format
        return False
    return True


def numbered(images: Sequence[Source]) -> list[str]:
    """Return a file name for a picture about each image, such as "001-scan.png"."""
    return [
        f"{number:03d}-{Path(files.name_of(image)).stem[:LONGEST]}.png"
        for number, image in enumerate(images, 1)
    ]


def save(picture: Image.Image, file: Path) -> None:
    """Save a picture atomically.

    Raises:
        OSError: it cannot be written.
    """
    try:
        with atomic.replacing(file) as unfinished:
            picture.save(unfinished)
    except ValueError as error:  # such as a WebP of more than 16,383 pixels
        raise OSError(errno.EINVAL, str(error), str(file)) from error
