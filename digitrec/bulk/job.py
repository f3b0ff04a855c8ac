"""The folder of a run: its plan, parts and progress, from which a killed run continues.

    OUT/part-000000.jsonl ...    the rows, in the order of the plan
    OUT/_batch/job.json          what the run is: settings, format, size of a part; written last, when planned
    OUT/_batch/plan.jsonl        one line for each image, in order
    OUT/_batch/unpacked          the pictures of compressed tars, until all parts are done
    OUT/_batch/done/000000.json  the result of a part, written when the part is complete
    OUT/_batch/lock              locked by the process that works here
    .OUT.batch                   where OUT is a file: the record of the finished run

Every file is replaced atomically, and the length of each is recorded in another: what was cut off or
changed is found when a run is resumed. Such a part is read again; what was paid for it is in the ledger. A
damaged plan is an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

from digitrec.answer.prediction import record
from digitrec.bulk import inputs
from digitrec.bulk.summary import Summary
from digitrec.errors import DataError
from digitrec.image import atomic

Format = Literal["jsonl", "csv"]
FORMATS: dict[str, Format] = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
"""The format of a file by the ending of its name."""

STATE = "_batch"
"""Name of the state folder; programs that read folders of parts (Arrow, Spark) skip names with "_"."""
JOB, PLAN, UNPACKED = (f"{STATE}/{name}" for name in ("job.json", "plan.jsonl", "unpacked"))
LEAST, MOST = 32, 1000
"""Range of images in a part; at most one part is read again after a process died."""


@dataclass(frozen=True, slots=True)
class Written:
    """A part that was written."""

    summary: Summary
    """Counts and cost of its outcomes."""
    failures: list[str]
    """A line for each picture that failed: its path and the reason."""
    size: int
    """Length of its file in bytes."""


@dataclass(frozen=True, slots=True)
class Job:
    """A planned run."""

    folder: Path
    """Folder of its parts."""
    form: Format
    """Format of the parts."""
    part: int
    """Number of images in a part; fewer in the last."""
    images: int
    """Total number of images."""
    run: str
    """The budget's account, shared by all processes of the run."""
    plan: str
    """SHA-256 of the plan, in hex."""
    sizes: Mapping[str, int]
    """Length in bytes of the files `PLAN` and `UNPACKED`, where they are not empty."""
    settings: Mapping[str, Any]
    """Everything that determines its rows: inputs, engines and options."""

    def file(self, number: int) -> Path:
        """Return the file of a part."""
        return self.folder / f"part-{number:06d}.{self.form}"

    @property
    def count(self) -> int:
        """Number of parts."""
        return -(-self.images // self.part)

    def undone(self, done: Container[int]) -> Iterator[tuple[int, tuple[inputs.Item, ...]]]:
        """Yield the parts that are not among those done, in order: each one's number and pictures."""
        with (self.folder / PLAN).open("rb") as plan:
            for number in range(self.count):
                lines = list(islice(plan, self.part))
                if number not in done:
                    yield number, tuple(inputs.from_json(json.loads(line)) for line in lines)

    def finish(self, number: int, written: Written) -> None:
        """Record that a part is complete."""
        _write(self._done(number), {"run": self.run, "part": number, **record(written)})

    def done(self) -> dict[int, Summary]:
        """Return the summary of each part that is complete, by its number."""
        return {
            number: Summary.restored(result["summary"])
            for number in range(self.count)
            if (result := self._result(number)) and result["size"] == _size(self.file(number))
        }

    def failures(self) -> Iterator[str]:
        """Yield a line for each picture that failed, in order: its path and the reason."""
        for number in range(self.count):
            yield from self._result(number).get("failures", ())

    def _done(self, number: int) -> Path:
        return self.folder / STATE / "done" / f"{number:06d}.json"

    def _result(self, number: int) -> dict[str, Any]:
        """Return the result of a part; {}: it is missing, damaged, or of another run."""
        try:
            result = _read(self._done(number))
        except DataError:
            return {}
        return result if (result.get("run"), result.get("part")) == (self.run, number) else {}

    def complete(self, out: Path, total: Summary) -> None:
        """Join the parts into one file, and keep a record of the run beside it.

        Raises:
            OSError: they cannot be written.
        """
        within = self.folder / STATE
        with atomic.replacing(out, within=within) as unfinished, unfinished.open("wb") as joined:
            for number in range(self.count):
                with self.file(number).open("rb") as rows:
                    if self.form == "csv" and number:
                        rows.readline()  # its header
                    shutil.copyfileobj(rows, joined)
        written = Written(total, list(self.failures()), _size(out))
        _write(_record(out), {"job": self.values(), **record(written)}, within=within)

    def values(self) -> dict[str, Any]:
        """Return all fields but the folder, which may be moved."""
        return {name: value for name, value in asdict(self).items() if name != "folder"}

    def check(self) -> None:
        """Check what is needed to read the parts that are not done.

        Raises:
            DataError: the plan, or what was unpacked from compressed tars, is damaged.
        """
        for name, size in self.sizes.items():
            if _size(self.folder / name) != size:
                raise _damaged(self.folder / name)


def begin(
    folder: Path,
    find: Callable[[IO[bytes]], Iterable[inputs.Item]],
    form: Format,
    settings: Mapping[str, Any],
    *,
    part: int | None = None,
    parts: int = 1,
) -> Job:
    """Plan a run: find every image and write it down.

    Args:
        folder: the folder of the run.
        find: yields the images; it unpacks compressed tars into the file that it is given.
        form: the format of the parts.
        settings: everything that determines the rows.
        part: images in a part; None: chosen for `parts` parts, within `LEAST` and `MOST`.
        parts: least number of parts, if there are enough images.

    Raises:
        DataError: the input has no image.
        OSError: the folder cannot be written to.
    """
    (folder / STATE / "done").mkdir(parents=True, exist_ok=True)
    images, sums = 0, hashlib.sha256()
    with (
        (folder / UNPACKED).open("wb") as store,
        atomic.replacing(folder / PLAN, keep_ending=False) as unfinished,
        unfinished.open("wb") as plan,
    ):
        for images, line in enumerate(map(_line, find(store)), 1):  # noqa: B007
            sums.update(line)
            plan.write(line)
        store.flush()
        os.fsync(store.fileno())
    if not images:
        raise DataError("no image was found; name files, a folder, a pattern, or an archive")
    size = part or min(max(images // parts, LEAST), MOST)
    sizes = {name: length for name in (PLAN, UNPACKED) if (length := _size(folder / name))}
    job = Job(folder, form, size, images, os.urandom(8).hex(), sums.hexdigest(), sizes, settings)
    _write(folder / JOB, job.values())
    return job


def digest(items: Iterable[inputs.Item]) -> str:
    """Return `Job.plan` for these images."""
    sums = hashlib.sha256()
    for item in items:
        sums.update(_line(item))
    return sums.hexdigest()


def _line(item: inputs.Item) -> bytes:
    return json.dumps(inputs.to_json(item)).encode() + b"\n"


def planned(folder: Path) -> Job | None:
    """Return the run that was planned here; None without one, or if its planning was interrupted.

    Raises:
        DataError: its state is damaged.
    """
    if (folder / JOB).exists() or any(folder.glob("part-*")):
        return _job(_read(folder / JOB), folder)
    return None


def _job(values: Mapping[str, Any], folder: Path) -> Job:
    try:
        return Job(**values, folder=folder)
    except TypeError as error:
        raise DataError(f"{folder}: a run of another version of digitrec; choose another OUT") from error


def begun(folder: Path) -> bool:
    """Whether a new run would mix its parts with other files; a planning that failed does not count."""
    if not folder.is_dir():
        return False
    return (folder / JOB).exists() or any(entry.name != STATE for entry in folder.iterdir())


def finished(out: Path) -> tuple[Job, Written]:
    """Return the run that wrote a file, and what it wrote.

    Raises:
        DataError: there is no record, or the file was changed since.
    """
    try:
        record = _read(_record(out))
    except DataError as error:
        raise DataError(
            f"{out}: exists, but the record of its batch, {_record(out).name}, is missing or damaged; choose "
            "another OUT"
        ) from error
    if record.get("size") != _size(out):
        raise DataError(f"{out}: changed since its batch was complete; choose another OUT")
    written = Written(Summary.restored(record["summary"]), record["failures"], record["size"])
    return _job(record["job"], out), written


def remove(folder: Path) -> None:
    """Remove a run whose rows are elsewhere, in one step, so that a kill never leaves half of it."""
    removed = folder.with_name(f".{folder.name}.removed")
    if folder.exists():
        shutil.rmtree(removed, ignore_errors=True)
        folder.rename(removed)
    shutil.rmtree(removed, ignore_errors=True)


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Lock a folder against other batches; a process that dies releases it.

    Raises:
        DataError: another process works there.
    """
    state = folder / STATE
    (state / "done").mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(state / "lock", timeout=0, isolation_level=None)) as lock:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            raise DataError(f"{folder}: another batch is running there; wait, or change OUT") from error
        _clear(folder)
        try:
            yield
        finally:
            _clear(folder)


def _clear(folder: Path) -> None:
    """Remove unfinished files of killed processes."""
    for left in folder.rglob(atomic.UNFINISHED):
        left.unlink(missing_ok=True)


def _record(out: Path) -> Path:
    return out.with_name(f".{out.name}.batch")


def _size(file: Path) -> int:
    """Return the length of a file in bytes, -1 if it does not exist."""
    try:
        return file.stat().st_size
    except OSError:
        return -1


def _write(file: Path, values: Mapping[str, Any], within: Path | None = None) -> None:
    """Write a state file atomically; for ``within`` see `atomic.replacing`."""
    with atomic.replacing(file, keep_ending=False, within=within) as unfinished:
        unfinished.write_text(json.dumps(values), "utf-8")


def _read(file: Path) -> dict[str, Any]:
    """Return the values in a state file.

    Raises:
        DataError: it cannot be read, or is damaged.
    """
    try:
        values: dict[str, Any] = json.loads(file.read_bytes())
        return values
    except (OSError, ValueError) as error:
        raise _damaged(file) from error


def _damaged(file: Path) -> DataError:
    return DataError(
        f"{file}: damaged or missing; start again with another OUT (paid answers are in the ledger)"
    )
