"""The folder of a run: its plan, its parts, and what is done; all that is needed to go on after any death.

    OUT/part-000000.jsonl ...    the rows, in the order of the plan
    OUT/_batch/job.json          what the run is: settings, format, size of a part; written last, when planned
    OUT/_batch/plan.jsonl        one line for each image, in order
    OUT/_batch/unpacked          the pictures of tars that are compressed as a whole, until all parts are done
    OUT/_batch/done/000000.json  what came of a part, written when the part is whole
    OUT/_batch/lock              held by the process that works here

A part is done when its line in ``done`` is there and names as many bytes as the part has. A part that was
half done when its process died is read again; what was paid for it is in the ledger.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from digitrec import atomic
from digitrec.bulk import inputs
from digitrec.bulk import parts as files
from digitrec.bulk.parts import Format
from digitrec.bulk.summary import Summary
from digitrec.errors import DataError

if TYPE_CHECKING:
    from digitrec.bulk.reading import Written

STATE = "_batch"
"""The folder in the folder; what reads folders of parts (Arrow, Spark) passes over what begins so."""
SEEN_S = 60.0
"""So long may a file of another machine take to be seen: NFS keeps what a folder holds for up to a minute."""
LEAST, MOST = 32, 1000
"""Images in a part: what is read again at most when a process dies, and a file each."""


@dataclass(frozen=True, slots=True)
class Part:
    """A run of images that are read and written together."""

    number: int
    """Which, from 0."""
    lines: tuple[str, ...]
    """Its images, as they stand in the plan."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run that was planned."""

    folder: Path
    """Where its parts are."""
    form: Format
    """Their format."""
    part: int
    """Images in a part; fewer in the last."""
    images: int
    """Images in all."""
    run: str
    """The account on which its budget is counted, whichever process works on it."""
    settings: Mapping[str, Any]
    """All that decides what its rows are: who reads, and how."""

    def file(self, number: int) -> Path:
        """A part's file."""
        return self.folder / f"part-{number:06d}.{self.form}"

    def files(self) -> list[Path]:
        """The files of all parts, in order."""
        return [self.file(number) for number in range(self.count)]

    @property
    def count(self) -> int:
        """How many parts there are."""
        return -(-self.images // self.part)

    @property
    def scratch(self) -> Path:
        """A file that is nobody's part."""
        return self.folder / STATE / f"scratch.{self.form}"

    def undone(self) -> Iterator[Part]:
        """The parts that are still to be read, in order; one after the other, as the plan is read."""
        with _plan(self.folder).open(encoding="utf-8") as plan:
            for number in range(self.count):
                lines = tuple(files.lines(plan, self.part))
                if self.summary(number) is None:
                    yield Part(number, lines)

    def finish(self, number: int, written: Written) -> None:
        """Write down that a part is whole.

        Raises:
            DataError: it is not seen here, though a worker wrote it.
        """
        end = time.monotonic() + SEEN_S
        while not files.whole(self.file(number), written.size):
            if time.monotonic() > end:
                raise DataError(
                    f"{self.file(number)}: a worker wrote it, and it is not there; give an OUT on a folder "
                    "that all workers share"
                )
            time.sleep(SEEN_S / 100)
        done = {"bytes": written.size, "summary": written.summary.as_dict()}
        atomic.write(self._done(number), json.dumps(done))

    def summary(self, number: int) -> Summary | None:
        """What came of a part; None: it is not done."""
        try:
            done = json.loads(self._done(number).read_text("utf-8"))
        except OSError:
            return None
        if not files.whole(self.file(number), done["bytes"]):
            return None
        return Summary.from_dict(done["summary"])

    def done(self) -> Summary:
        """What came of all parts that are done."""
        total = Summary()
        for number in range(self.count):
            total.add(self.summary(number) or Summary())
        return total

    def _done(self, number: int) -> Path:
        return self.folder / STATE / "done" / f"{number:06d}.json"


def begin(
    folder: Path,
    items: Iterable[inputs.Item],
    form: Format,
    settings: Mapping[str, Any],
    *,
    part: int | None = None,
    parts: int = 1,
) -> Job:
    """Plan a run: every image is found and written down, then the run begins.

    Args:
        folder: where.
        items: what is to be read.
        form: the format of the parts.
        settings: all that decides what the rows are.
        part: images in a part; None: so many that there are `parts`, within `LEAST` and `MOST`.
        parts: how many there should be at least, where there are enough images.

    Raises:
        DataError: nothing is to be read.
        OSError: the folder cannot be written to.
    """
    (folder / STATE / "done").mkdir(parents=True, exist_ok=True)
    images = 0
    with _plan(folder).open("w", encoding="utf-8") as plan:
        for item in items:
            plan.write(inputs.to_line(item) + "\n")
            images += 1
        plan.flush()
        os.fsync(plan.fileno())
    if not images:
        raise DataError("no image is there to be read; name files, a folder, a pattern, or an archive")
    size = part or min(max(images // parts, LEAST), MOST)
    job = Job(folder, form, size, images, os.urandom(8).hex(), settings)
    values = asdict(job)
    del values["folder"]
    atomic.write(folder / STATE / "job.json", json.dumps(values, indent=1))
    return job


@contextmanager
def store(folder: Path) -> Iterator[IO[bytes]]:
    """Where the pictures of a tar go that is compressed as a whole, for any process to read them."""
    (folder / STATE).mkdir(parents=True, exist_ok=True)
    with (folder / STATE / "unpacked").open("wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def clear_store(folder: Path) -> None:
    """Remove it: every picture in it was read."""
    (folder / STATE / "unpacked").unlink(missing_ok=True)


def begun(folder: Path) -> bool:
    """Whether a new run would mix its parts with anything; a planning that failed is nothing."""
    if not folder.is_dir():
        return False
    return planned(folder) is not None or any(entry.name != STATE for entry in folder.iterdir())


def planned(folder: Path) -> Job | None:
    """The run that was planned here; None where there is none, or its planning was cut off.

    Raises:
        DataError: what is there is no such run.
    """
    file = folder / STATE / "job.json"
    try:
        return Job(folder=folder, **json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise DataError(f"{file}: no run that can be gone on with; give another OUT") from error


def remove(folder: Path) -> None:
    """Remove a run whose rows are elsewhere: all of it at once, so that a kill leaves no half of it."""
    removed = folder.with_name(f".{folder.name}.removed")
    if folder.exists():
        shutil.rmtree(removed, ignore_errors=True)
        folder.rename(removed)
    shutil.rmtree(removed, ignore_errors=True)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """The folder is worked in by this process alone; a process that dies lets go of it.

    Raises:
        DataError: another process works there.
    """
    state = folder / STATE
    state.mkdir(parents=True, exist_ok=True)
    with (state / "lock").open("a+") as file:
        try:
            _lock(file.fileno())
        except OSError as error:
            raise DataError(f"{folder}: another batch is at work there; wait, or give another OUT") from error
        _clear(folder)
        yield
        _clear(folder)


def _clear(folder: Path) -> None:
    """Remove what processes left half written that were killed."""
    for left in folder.rglob(atomic.UNFINISHED):
        left.unlink(missing_ok=True)


def _lock(descriptor: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _plan(folder: Path) -> Path:
    return folder / STATE / "plan.jsonl"
