"""`digitrec review`: doubtful answers, corrected into a folder with labels.csv.

The answers are those of `predict`, `read` or `batch`. The folder gets a picture for each label: the part with
the number, or the whole picture of a digit. Label and picture are written at once, so an
interrupted review loses nothing and continues where it stopped.
"""

import errno
import hashlib
import hmac
import io
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query
from starlette.responses import Response

from digitrec.comparison.datasets.loader import NONE
from digitrec.errors import DataError, ImageError
from digitrec.errors.text import encoding
from digitrec.image import Box, DigitImage, ImageSource, Turned, atomic, frames
from digitrec.image.pixels import ENOUGH_SIDE, NUMBERS_SIDE, saved
from digitrec.recognise.numbers import closed, value_of
from digitrec.report.rows import csv_line
from digitrec.web import schemas
from digitrec.web.problems import Problem

MARGIN = 0.4
"""Margin around a number, as a share of its height."""

SHOWN = 50
"""Number of answers on the page at one time."""

Kind = Literal["label", "text"]
"""Kind of the answers, and the name of their column in labels.csv: a digit, or a number as written."""


@dataclass(frozen=True, slots=True)
class _Doubt:
    """An answer to review."""

    source: str
    """Path of the picture."""
    sha256: str
    """SHA-256 of the picture's file, in hex."""
    turned: int
    """Degrees clockwise by which the picture was turned."""
    region: Box | None
    """The part of the picture that was read; None: all of it."""
    box: Box | None
    """Box of the number; None: the whole picture."""
    label: str
    """The engine's answer; "none" for no digit or number. A picture's numbers without boxes are one answer,
    separated by spaces."""
    provider: str
    """The engine's name."""
    sureness: float
    """The answer's calibrated chance or confidence, 0..1; -1 if it has neither."""
    is_refused: bool
    """True if the answer has a reason instead of a digit or a value."""

    @property
    def name(self) -> str:
        """Name of the file that gets the picture."""
        key = f"{self.source} {self.sha256} {self.turned} {self.box}{self.region or ''}"
        return f"{hashlib.sha256(key.encode('utf-8', 'backslashreplace')).hexdigest()[:16]}.png"


class Answers:
    """The doubtful answers in a JSON Lines file: below a threshold, or refused."""

    def __init__(self, file: Path, folder: Path, below: float) -> None:
        """Read the answers and the existing labels.

        Args:
            file: a file written with ``-o jsonl`` by `digitrec predict`, `read` or `batch`.
            folder: the folder of the labels; it is created if it is missing.
            below: the threshold, 0..1.

        Raises:
            DataError: a line is not such an answer, or digits and numbers are mixed.
            OSError: a file cannot be read, or the folder cannot be created.
        """
        self.kind: Kind = "label"
        """Kind of the answers."""
        self._folder, self._lock = folder, threading.Lock()
        found = list(self._read(file))
        folder.mkdir(parents=True, exist_ok=True)
        labels = self._labels()
        doubts = [one for one in found if one.is_refused or one.sureness < below]
        doubts.sort(key=lambda one: (one.sureness < 0, one.sureness))
        self._waiting = {one.name: one for one in doubts if f"\n{one.name}," not in labels}

    def waiting(self) -> list[_Doubt]:
        """Return the next answers to review, the least sure first, those without a confidence last."""
        with self._lock:  # another request may remove an answer meanwhile
            return list(islice(self._waiting.values(), SHOWN))

    @property
    def left(self) -> int:
        """Number of answers to review."""
        return len(self._waiting)

    def picture(self, name: str) -> bytes:
        """Return the picture of an answer as a PNG.

        Raises:
            Problem: the answer does not exist, or its picture is missing or was changed.
        """
        try:
            return _png(self._waiting[name])
        except (ImageError, LookupError) as error:  # IndexError: the file has fewer pages now
            raise GONE() from error

    def decide(self, name: str, *, accept: bool, label: str | None) -> None:
        """Write a label, or skip the answer until the next review.

        An answer whose picture is missing or was changed can only be skipped.

        Args:
            name: the answer's name.
            accept: False: skip the answer.
            label: the right label; None: the engine's answer.

        Raises:
            Problem: as for `picture`, or the answer was already decided, or the label is neither "none" nor
                a digit (for numbers: a number).
            DataError: labels.csv cannot be continued, or a file cannot be written.
        """
        with self._lock:
            if accept:
                if name not in self._waiting:
                    raise Problem(404, "not-found", "the answer was already decided; skip it")
                one, content = self._waiting[name], self.picture(name)
                said = one.label if label is None else label
                texts = self._labels_in(said)
                labels = self._labels()  # another review or an editor may have changed the table
                if f"\n{name}," in labels:
                    raise Problem(404, "not-found", "the picture was labelled by another review; skip it")
                lines = "".join(csv_line([name, text, one.source]) for text in texts)
                try:
                    atomic.write(self._folder / name, content)
                    self._append(lines if labels.endswith("\n") else f"\n{lines}")
                except OSError as error:
                    what = f"{self._folder}: cannot be written ({error.strerror}); free some space"
                    raise DataError(f"{what}, or name another folder") from error
            self._waiting.pop(name, None)  # another page may have decided it

    def _labels_in(self, said: str) -> list[str]:
        """Return the labels in a text, of which only numbers may be several, separated by spaces."""
        if said.strip().casefold() == NONE:
            return [NONE]
        texts = list(map(closed, said.split() or [said]))
        is_long = self.kind == "label" and len("".join(texts)) > 1
        if is_long or None in map(value_of, texts):
            what = "digit" if self.kind == "label" else "number"
            raise Problem(422, "invalid-request", f"{said!r} is neither a {what} nor {NONE}")
        return texts

    @property
    def _header(self) -> str:
        return csv_line(["file", self.kind, "group"])

    def _labels(self) -> str:
        """Return the text of labels.csv, or its header if it does not exist.

        Raises:
            DataError: the file has other columns.
        """
        table = self._folder / "labels.csv"
        # An editor may have saved the table in another encoding, or with other line ends.
        content = table.read_bytes().decode("utf-8-sig", "replace") if table.exists() else self._header
        labels = content.replace("\r\n", "\n")
        if not f"{labels}\n".startswith(self._header):
            raise DataError(f"{table}: its columns are not file,{self.kind},group; name another folder")
        return labels

    def _append(self, lines: str) -> None:
        """Add lines to labels.csv in one write, so that those of another review are kept.

        Raises:
            OSError: they cannot be written; the table is then unchanged.
        """
        table, data = self._folder / "labels.csv", lines.encode("utf-8", "backslashreplace")
        try:
            with table.open("xb") as new:
                new.write(self._header.encode() + data)
        except FileExistsError:
            with table.open("ab", buffering=0) as file:
                end = file.tell()
                if file.write(data) < len(data):
                    file.truncate(end)
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from None

    def _read(self, file: Path) -> Iterator[_Doubt]:
        kinds: set[Kind] = set()
        number = 0
        with (
            file.open("rb") as raw,
            io.TextIOWrapper(raw, encoding(raw.peek(2)), "surrogateescape") as lines,
        ):
            try:
                for line in lines:
                    number += 1
                    answer = json.loads(line)
                    if "error" not in answer:
                        kinds.add("text" if "numbers" in answer else "label")
                        yield from _doubts(answer)
            except (ValueError, KeyError, TypeError) as error:
                raise DataError(
                    f"{file}, line {number}: not a JSON Lines answer of predict, read or batch ({error})"
                ) from error
        if len(kinds) > 1:
            raise DataError(f"{file}: has digits and numbers; put them into two files")
        self.kind = next(iter(kinds), "label")


def _doubts(answer: Mapping[str, Any]) -> Iterator[_Doubt]:
    """Yield the doubtful answers about a picture: its digit, or its numbers."""
    image, provider = answer["image"], answer["provider"]
    whole = image["source"], image["sha256"], answer["turned"], answer.get("region")
    if "numbers" in answer:
        for number in answer["numbers"]:
            if box := number["box"]:
                yield _Doubt(*whole, tuple(box), number["text"] or NONE, provider, *_doubt(number))
        if page := [number for number in answer["numbers"] if number["text"] and not number["box"]]:
            text, doubts = " ".join(number["text"] for number in page), [*map(_doubt, page)]
            yield _Doubt(*whole, None, text, provider, min(doubts)[0], any(refused for _, refused in doubts))
        return
    digit = answer["unsure_digit"] if answer["digit"] is None else answer["digit"]
    yield _Doubt(*whole, None, NONE if digit is None else str(digit), provider, *_doubt(answer))


def _doubt(answer: Mapping[str, Any]) -> tuple[float, bool]:
    """Return how sure an answer is, for a policy as in `Prediction.at_least`, and whether it is refused."""
    said = answer["digit"] if answer.get("digit") is not None else answer.get("unsure_digit")
    alike = [one for one in answer.get("asked", ()) if one.get("digit") == said]
    known = [one["calibrated"] for one in (*alike, answer) if one.get("calibrated") is not None]
    chance = max(known, default=answer["confidence"])
    return -1.0 if chance is None else float(chance), answer["reason"] is not None


def _png(one: _Doubt) -> bytes:
    """Return the picture of an answer.

    Raises:
        ImageError: the picture cannot be read, or was changed.
    """
    enough = ENOUGH_SIDE if one.box is None else NUMBERS_SIDE  # a digit's copy is known as learned, too
    opened = DigitImage.open(Turned(_source(one.source), one.turned, one.region), enough=enough)
    if opened.sha256 != one.sha256:
        raise ImageError(f"{one.source}: changed since it was read; read it again")
    is_field = one.label == NONE or " " in one.label  # beside a field are other numbers
    seen = opened if one.box is None else opened.around(one.box, 0.0 if is_field else MARGIN)
    return saved(seen.picture, "PNG")


def _source(name: str) -> ImageSource:
    """Return the file with this name, or one page of a file, as in "scan.tif[2]"."""
    page = re.fullmatch(r"(.+)\[(\d+)\]", name)
    return frames(page[1])[int(page[2]) - 1] if page and not Path(name).exists() else name


Label = Annotated[str | None, Query(description="What the picture shows, if not what the engine read.")]
Accept = Annotated[bool, Query(description="True: write the label; false: skip the answer.")]
GONE = partial(Problem, 404, "not-found", "the picture is missing, was changed, or is in an archive")
REFUSED: dict[int | str, dict[str, Any]] = {401: schemas.problem("The owner's key is needed.")}
MISSING = REFUSED | {404: schemas.problem("The picture is missing or was changed.")}
UNWRITTEN: dict[int | str, dict[str, Any]] = {409: schemas.problem("A file cannot be written or continued.")}


def add(app: FastAPI, answers: Answers, key: str) -> None:
    """Add ``/collected`` for clients with ``key``."""

    async def owner(x_owner_key: Annotated[str, Header()] = "") -> None:
        if not key or not hmac.compare_digest(x_owner_key.encode(), key.encode()):
            raise Problem(401, "no-owner-key", "open the address that digitrec review prints; it has the key")

    owners: Any = {"tags": ["for the owner"], "dependencies": [Depends(owner)]}

    @app.get("/collected", responses=REFUSED, **owners)
    def waiting() -> schemas.DoubtfulAnswers:
        """List the next answers, the least sure first."""
        return schemas.DoubtfulAnswers.model_validate({"pictures": answers.waiting()}, from_attributes=True)

    @app.get("/collected/{name}", response_class=Response, responses=schemas.PNG | MISSING, **owners)
    def picture(name: str) -> Response:
        """Show the picture of an answer."""
        return Response(answers.picture(name), media_type="image/png")

    @app.put("/collected/{name}", status_code=204, responses=MISSING | UNWRITTEN, **owners)
    def decide(name: str, accept: Accept, label: Label = None) -> None:
        """Accept an answer, unchanged or corrected, or skip it."""
        answers.decide(name, accept=accept, label=label)
