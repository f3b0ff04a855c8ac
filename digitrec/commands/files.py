"""Parameter types for the files that a command reads and writes, checked against each other.

An output that is also an input, or another output of the same call, is a usage error before the command
reads anything. Two paths are the same file when they lead to the same place, whatever links or other
spellings they use.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

SUBFOLDERS = (*map(str, range(10)), "none")
"""Names of the folders in which labelled pictures are found."""
LEDGERS = ("", ".sqlite", ".sqlite3", ".db", ".ledger", ".jsonl", ".ndjson")
"""Endings of a new ledger or recording."""

Identity = tuple[int, int] | str
"""Device and inode of a file that exists, else its resolved path."""


class Input(click.Path):
    """A file or folder that the command reads."""

    def __init__(self, *, path_type: type[Any] = Path, exists: bool = False, dir_okay: bool = False) -> None:
        """With ``exists`` the path must exist; else a value may also be a name instead of a path."""
        super().__init__(path_type=path_type, exists=exists, dir_okay=dir_okay)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path after checking that the call does not write to it."""
        path = super().convert(value, param, ctx) if self.exists else self.coerce_path_result(value)
        if ctx is not None and not ctx.resilient_parsing:
            _paths(ctx).add_input(str(path))
        return path


class Data(Input):
    """A file or folder with labelled pictures, or the name of a data set, as a str."""

    def __init__(self) -> None:
        super().__init__(path_type=str)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the source after checking that the call writes neither to it nor to a file inside it."""
        source = str(super().convert(value, param, ctx))
        if ctx is not None and not ctx.resilient_parsing:
            for name in SUBFOLDERS:
                _paths(ctx).add_input(str(Path(source, name)), labelled=True)
            _paths(ctx).add_input(str(Path(source, "labels.csv")))
            _paths(ctx).add_input(source)
        return source


class Output(click.Path):
    """A file or folder that the command writes."""

    def __init__(self, *endings: str, file: bool = True) -> None:
        """Take a file with one of these endings, such as ".html"; without any, also a folder."""
        super().__init__(path_type=Path, file_okay=file, dir_okay=not endings)
        self._endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path after checking its name, and that no other parameter of the call means it."""
        path = Path(str(super().convert(value, param, ctx)))
        is_device = path.exists() and not (path.is_file() or path.is_dir())
        if param is not None and ctx is not None and not ctx.resilient_parsing and not is_device:
            _paths(ctx).add_output(max(param.opts, key=len), path)
        if self._endings and not is_device and path.suffix.lower() not in self._endings:
            known = " or ".join(filter(None, self._endings))
            self.fail(f"{str(path)!r} does not end in {known}.", param, ctx)
        if not self.file_okay and named_as_file(path):
            self.fail(f"{str(path)!r} has a file's extension; name a folder without one.", param, ctx)
        return path


def named_as_file(path: Path) -> bool:
    """Whether a path that is not a folder has an ending, such as .png."""
    return path.suffix[1:2].isalpha() and not path.is_dir()


def refuse_outputs(option: str, paths: Iterable[Path], inputs: Iterable[str] = ()) -> None:
    """Raise a usage error when an option writes to a file that the running command reads.

    For outputs whose names are derived from the parameters, or from the inputs that were found. The other
    outputs have endings that no picture in a folder has.

    Raises:
        click.UsageError: an output is an input, or another option writes to it.
    """
    known = _paths(click.get_current_context())
    for name in inputs:
        known.add_input(name)
    for path in paths:
        known.add_output(option, path)


@dataclass(slots=True)
class _Paths:
    """The files that the parameters of one call name."""

    inputs: dict[Identity, str] = field(default_factory=dict)
    labelled: dict[Identity, str] = field(default_factory=dict)
    """Folders in which every file is read."""
    outputs: dict[Identity, tuple[str, Path]] = field(default_factory=dict)

    def add_input(self, path: str, *, labelled: bool = False) -> None:
        (self.labelled if labelled else self.inputs)[_identity(path)] = path
        for option, output in self.outputs.values():
            self._check(option, output)

    def add_output(self, option: str, path: Path) -> None:
        other, _ = self.outputs.setdefault(_identity(path), (option, path))
        if other != option:
            raise click.UsageError(f"{other} and {option} both write to {path}; name two files.")
        self._check(option, path)

    def _check(self, option: str, output: Path) -> None:
        found = self.inputs.get(_identity(output))
        for place in (output, *Path(os.path.realpath(output)).parents) if self.labelled else ():
            found = found or self.labelled.get(_identity(place))
        if found is not None:
            raise click.UsageError(
                f"{option} {output} would overwrite {found}, which the command reads; name another file."
            )


def _paths(ctx: click.Context) -> _Paths:
    """Return the files of the call so far; a group and its command share them."""
    found: _Paths = ctx.meta.setdefault("digitrec.files", _Paths())
    return found


def _identity(path: str | Path) -> Identity:
    try:
        found = os.fstat(0) if path == "-" else os.stat(path)  # noqa: PTH116 (a Path rejects null bytes)
    except ValueError:  # a null byte
        return str(path)
    except OSError:
        return os.path.normcase(os.path.realpath(path))
    return found.st_dev, found.st_ino
