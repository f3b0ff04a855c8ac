"""Declare options that several commands share, and check the files that a call reads and writes.

An output that is also an input, or another output of the same call, is a usage error before the command
reads anything. Two paths are the same file if they lead to the same place, whatever links or spellings they
use.
"""

import math
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import click

from digitrec.engine import LONGEST_S

SUBFOLDERS = (*map(str, range(10)), "none")
"""Names of the folders in which labelled pictures are found."""
Identity = tuple[int, int] | str
"""Device and inode of a file that exists, else its resolved path."""


class Input(click.Path):
    """A parameter for a file or folder that the command reads."""

    def __init__(self, *, path_type: type[Any] = Path, exists: bool = False) -> None:
        """Require with ``exists`` an existing file; otherwise accept a name in place of a path."""
        super().__init__(path_type=path_type, exists=exists, dir_okay=False)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the path after checking that it has a name, and that the call does not write to it."""
        if not value:
            self.fail("the name is empty (is a variable unset?); the current folder is `.`.", param, ctx)
        path = super().convert(value, param, ctx) if self.exists else self.coerce_path_result(value)
        _paths(ctx).add_input(str(path))
        return path


class Data(Input):
    """A parameter for a file or folder with labelled pictures, or the name of a data set, as a str."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the source after checking that the call writes neither to it nor to a file inside it."""
        source = str(super().convert(value, param, ctx))
        for name in SUBFOLDERS:
            _paths(ctx).add_input(str(Path(source, name)), labelled=True)
        _paths(ctx).add_input(str(Path(source, "labels.csv")))
        return source


class Output(click.Path):
    """A parameter for a file or folder that the command writes."""

    def __init__(self, *endings: str, file: bool = True) -> None:
        """Accept a file with one of these endings, such as ".html"; without endings also a folder."""
        super().__init__(path_type=Path, file_okay=file, dir_okay=not endings)
        self._endings = endings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path after checking its name, and that no other parameter names the same file."""
        path = Path(str(super().convert(value, param, ctx)))
        is_device = path.exists() and not (path.is_file() or path.is_dir())
        if param is not None and not is_device:
            _paths(ctx).add_output(max(param.opts, key=len), path)
        if self._endings and path.suffix.lower() not in self._endings:
            known = " or ".join(filter(None, self._endings))
            self.fail(f"{str(path)!r} does not end in {known}.", param, ctx)
        if not self.file_okay and named_as_file(path):
            self.fail(f"{str(path)!r} has a file's extension; name a folder without one.", param, ctx)
        return path


def named_as_file(path: Path) -> bool:
    """Return whether a path that is not a folder has an ending, such as .png."""
    return path.suffix[1:2].isalpha() and not path.is_dir()


def refuse_outputs(option: str, paths: Iterable[Path], inputs: Iterable[str] = ()) -> None:
    """Raise a usage error when an option writes to a file that the running command reads.

    This is for outputs whose names are derived from the parameters, or from the inputs that were found. The
    other outputs have endings that no picture in a folder has.

    Raises:
        click.UsageError: an output is also an input, or another option writes to it.
    """
    known = _paths(click.get_current_context())
    for name in inputs:
        known.add_input(name)
    for path in paths:
        known.add_output(option, path)


def refuse_foreign_run(model: Path, source: Path | None = None) -> None:
    """Raise a usage error if a new model file would share another model's folder, with its learned digits.

    Args:
        model: the file to write.
        source: the model that it is made from, whose folder it may share.

    Raises:
        click.UsageError: the folder is another model's.
    """
    from digitrec.lab.datasets.digits import namesakes, read_keys, run_folder

    folder, others = run_folder(model), namesakes(model)
    is_own = source is not None and run_folder(source).resolve() == folder.resolve()
    if others and not is_own and not model.exists() and folder.exists():
        if (kept := read_keys(model)) is not None and not len(kept):
            return  # an export of a model that learned nothing, as of the shipped one, has an empty list
        raise click.UsageError(f"{model}: {folder} belongs to {others[0]}; choose another name.")


@dataclass(slots=True)
class _Paths:
    """The files named by the parameters of one call."""

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
        places = [output, *Path(os.path.realpath(output)).parents] if self.labelled else []
        for place in places:
            found = found or self.labelled.get(_identity(place))
        for place in places[1 + named_as_file(output) :]:  # a folder beside those of the labels is one
            if not Path(place, "labels.csv").exists():
                found = found or self.inputs.get(_identity(place))
        if found is not None:
            raise click.UsageError(
                f"{option} {output} would change {found}, which the command reads; name another path."
            )


def _paths(ctx: click.Context | None) -> _Paths:
    """Return the files of the call so far; a group and its command share them."""
    if ctx is None or ctx.resilient_parsing:  # a shell completes the line
        return _Paths()
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


Declared = Callable[[Any], Any]
"""A decorator that declares a parameter of a command."""


class Number(click.FloatRange):
    """A finite number in a range; Python also reads "nan" and "inf" as numbers."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number if it is finite and in range."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return number


SECONDS = Number(min=0, max=LONGEST_S, min_open=True)
"""A duration."""
POSITIVE = Number(min=0, min_open=True)
SHARE = Number(0, 1)
"""A share or a probability."""


def flag(*names: str, help: str, **more: Any) -> Declared:
    """Declare an option without a value."""
    return click.option(*names, is_flag=True, help=help, **more)


def whole(name: str, help: str = "", *, least: int = 1, most: int | None = None, **more: Any) -> Declared:
    """Declare an option that takes an integer from ``least`` to ``most``."""
    return click.option(name, type=click.IntRange(least, most), help=help, **{"metavar": "N", **more})


def file(name: str, help: str, **more: Any) -> Declared:
    """Declare an option that takes a file to read, with the arguments of `Input`."""
    return click.option(name, type=Input(**more), metavar="FILE", help=help)


def saved(name: str, help: str, *endings: str) -> Declared:
    """Declare an option that takes a file to write, with one of these endings."""
    return click.option(name, type=Output(*endings), metavar="FILE", help=help)


def usd(*names: str, help: str) -> Declared:
    """Declare an option that takes an amount in US dollars."""
    return click.option(*names, type=Number(min=0), metavar="USD", help=help)


def choice(*names: str, help: str, **more: Any) -> Declared:
    """Declare an option that takes one of the words after its name."""
    name, *words = names
    return click.option(name, type=click.Choice(words), help=help, **more)


def output(default: str, *others: str) -> Declared:
    """Declare ``--output``, with the formats that a command can write."""
    kind = click.Choice([default, *others])
    return click.option("-o", "--output", type=kind, default=default, help="Output format.")


def seed(help: str, **more: Any) -> Declared:
    """Declare ``--seed``, with the range that NumPy and scikit-learn accept."""
    return whole("--seed", help, least=0, most=2**32 - 1, **more)


def sources(*names: str, **more: Any) -> Declared:
    """Declare an option that takes labelled pictures or the name of a data set."""
    return click.option(*names, type=Data(path_type=str), metavar="SOURCE", **more)


def labelled(metavar: str = "DATA", **more: Any) -> Declared:
    """Declare the argument DATA: labelled pictures or the name of a data set."""
    return click.argument("data", type=Data(path_type=str), metavar=metavar, **more)


def out_folder(default: str, help: str = "Output folder.") -> Declared:
    """``--out`` of a command that writes several files."""
    more: dict[str, Any] = {"default": Path(default), "show_default": True, "metavar": "FOLDER"}
    return click.option("--out", type=Output(file=False), help=help, **more)


def providers(help: str, metavar: str = "NAMES", default: str | None = None) -> Declared:
    """Declare ``--provider``: one or several engines, as a list."""
    return click.option(
        "-p", "--provider", "providers", callback=names, metavar=metavar,
        default=default, show_default=default is not None, help=help,
    )  # fmt: skip


def html(help: str) -> Declared:
    """Declare ``--html``; a folder that cannot be written to is a usage error before any engine is asked."""
    return click.option("--html", type=Output(".html", ".htm"), callback=_writable, metavar="FILE", help=help)


def names(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str]:
    """Return the names in an option's value, separated by commas; [] if the option is not given."""
    if value is None:
        return []
    found = [name for part in value.split(",") if (name := part.strip())]
    if not found:
        raise click.BadParameter("the name is empty (is a variable unset?).", ctx, param)
    return found


def _expected(value: str) -> tuple[int, int]:
    """Return the minimum and the maximum number of digits in a text such as "4" or "3-6"."""
    least, dash, most = value.partition("-")
    with suppress(ValueError):
        found = int(least), int(most if dash else least)
        if 1 <= found[0] <= found[1] <= sys.maxsize:
            return found
    raise click.BadParameter(f"{value!r} is neither a number of digits such as 4 nor a range such as 3-6.")


def _writable(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    if value is not None and not os.access(value.parent, os.W_OK):
        raise click.BadParameter(f"{str(value)!r}: its folder is missing or read-only.", ctx, param)
    return value


def gathered(name: str, kind: type[Any], *declared: Declared) -> Declared:
    """Declare parameters that a command receives as one argument, ``name``.

    The argument is a ``kind``; its fields get the values of all the command's parameters with the same names.
    """

    def decorated(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def gathering(**values: Any) -> Any:
            own = {field: values.pop(field) for field in kind.__annotations__ if field in values}
            return command(**{name: kind(**own)}, **values)

        for option in reversed(declared):
            option(gathering)
        return gathering

    return decorated


labelled_limit = whole("--limit", "Use N pictures, keeping the mix of labels.")
attempt_timeout = click.option(
    "--attempt-timeout", type=SECONDS, metavar="SECONDS",
    help="Timeout of one request.  [default: 10; language models 60]",
)  # fmt: skip
model = file(
    "--model", "Model of the local engine: .tflite, .keras/.h5 (extra `train`), .skops (extra `stats`)."
)
model_scale = choice(
    "--model-scale", "unit", "byte", "signed", "l2",
    help="Pixels of a model: 0..1, 0..255, -1..1, or Keras' normalize(axis=1).  [default: found by trying]",
)  # fmt: skip
dry_run = flag("--dry-run", help="Only print the number of requests and their cost; needs no credentials.")
one_or_several = providers(
    "Engine, or several with --consensus (see `digitrec providers`).  [default: local]", "NAME"
)
digits = click.option(
    "--digits", type=_expected, metavar="N|N-M", help="Digits that each number has: 4, or 3-6."
)
lenient = flag("--lenient", help="Accept a letter that looks like a digit (O, l, S).")
numbers = flag("--numbers", help="Read whole numbers, as `digitrec read` does.")
at_least = click.option(
    "--at-least", type=SHARE, default=0.0, metavar="CHANCE",
    help='Answer "not sure" below this calibrated probability, or below this confidence if not calibrated.',
)  # fmt: skip
rotate = click.option(
    "--rotate", type=click.Choice([0, 90, 180, 270]), default=0,
    help="Turn each picture clockwise first, in degrees.",
)  # fmt: skip


def reading(command: Callable[..., Any]) -> Any:
    """Declare the options of `digitrec.stream`."""
    return lenient(at_least(rotate(command)))
