"""The command line: every command has help with an example; errors are one line with an exit code."""

import errno
import inspect
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from PIL import Image
from programs import python, ran
from terminal import run

import digitrec
from digitrec import errors
from digitrec.cli import LazyGroup, main
from digitrec.commands.process import EXIT_CODES, READER_GONE, REFUSED_BY_SYSTEM, exit_code
from digitrec.emulator.kit import drawn_seven


def all_commands() -> list[tuple[str, ...]]:
    """Return the path of every command, including those in groups."""

    def below(group: click.Group, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        found: list[tuple[str, ...]] = []
        for name in group.list_commands(click.Context(group)):
            command = group.get_command(click.Context(group), name)
            found.append((*path, name))
            if isinstance(command, click.Group):
                found += below(command, (*path, name))
        return found

    return below(main, ())


def test_the_program_never_searches_what_it_imported_for_garbage() -> None:
    """The command freezes garbage collection, which takes a third of a cold start; the library does not."""
    begun = "import atexit, gc; frozen = gc.get_freeze_count()"
    told = "lambda: print(gc.get_freeze_count() - frozen > 10_000, gc.isenabled())"
    program = "from digitrec.cli import main; main(['predict', '--help'])"
    library = "import digitrec, digitrec.cli; digitrec.predict(bytes(0))"
    for code, ending in ((program, "True True\n"), (library, "False True\n")):
        assert python("-c", f"{begun}; atexit.register({told}); {code}", code=None).stdout.endswith(ending)


@pytest.mark.parametrize("path", all_commands(), ids=" ".join)
def test_every_command_explains_itself_with_an_example(path: tuple[str, ...]) -> None:
    said = run(*path, "--help", code=0).output
    assert "Example" in said
    assert "digitrec " + path[0] in said.split("Example", 1)[1] or "digitrec predict" in said


def test_version() -> None:
    assert digitrec.__version__ in run("--version").output


def test_every_error_has_a_code_of_its_own_or_its_parents() -> None:
    kinds = {kind for _, kind in inspect.getmembers(errors, inspect.isclass)}
    ours = {kind for kind in kinds if issubclass(kind, errors.DigitrecError)}
    assert ours - {errors.DigitrecError, errors.ProviderError} == {*EXIT_CODES, errors.NotRecorded}
    assert exit_code(errors.NotRecorded("not in the recording")) == EXIT_CODES[errors.LedgerError]
    assert len({*EXIT_CODES.values(), REFUSED_BY_SYSTEM}) == len(EXIT_CODES) + 1
    assert exit_code(errors.RateLimited("too fast")) == 13
    assert exit_code(errors.DigitrecError("something else")) == 1


def failing(error: Exception) -> Result:
    """Run a command that raises this error."""

    @click.command()
    def fail() -> None:
        raise error

    class OneCommand(LazyGroup):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            return fail

    return CliRunner().invoke(OneCommand("digitrec"), ["fail"])


def test_an_error_of_ours_is_one_line_and_a_bug_is_a_traceback() -> None:
    ours = failing(errors.NotConfigured("set KEY"))
    assert (ours.exit_code, ours.stderr) == (4, "digitrec: set KEY\n")
    assert isinstance(failing(ZeroDivisionError("a bug")).exception, ZeroDivisionError)


def test_an_error_of_the_system_is_the_outputs_only_where_it_came_of_writing() -> None:
    network = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    for error in (network, OSError("Could not find a suitable TLS CA certificate bundle")):
        assert failing(error).exception is error
    gone, unwritable = "No such file or directory", OSError("cannot write mode L as XBM")
    unwritable.filename = "seen.xbm"
    of_writing = {
        OSError(errno.ENOSPC, "No space left on device"): "the output: no space left on device",
        FileNotFoundError(errno.ENOENT, gone, "/no/such/page.html"): f"/no/such/page.html: {gone.lower()}",
        FileNotFoundError(errno.ENOENT, gone): f"the current folder: {gone.lower()}",
        unwritable: "seen.xbm: cannot write mode l as xbm",
    }
    for error, said in of_writing.items():
        done = failing(error)
        assert (done.exit_code, done.stderr) == (9, f"digitrec: {said}\n")


def digitrec_into(
    out: Any, *arguments: object, err: Any = subprocess.PIPE, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run the program with its standard output going to ``out``."""
    return subprocess.run(
        [sys.executable, "-m", "digitrec", *map(str, arguments)],
        stdout=out, stderr=err, text=True, check=False, env={**os.environ, **environment},
    )  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("command", ["providers", "ledger spend", "--version", "batch --help"])
def test_a_full_disk_is_one_line_and_a_code(command: str) -> None:
    with Path("/dev/full").open("w") as full:
        done = digitrec_into(full, *command.split())
    assert (done.returncode, done.stderr) == (9, "digitrec: the output: no space left on device\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_messages_that_cannot_be_written_cost_no_answer(here: Path) -> None:
    drawn_seven().picture.save("7.png")
    with Path("/dev/full").open("w") as full:
        done = digitrec_into(subprocess.PIPE, "predict", "7.png", "none.png", "7.png", "-o", "csv", err=full)
    assert (done.returncode, done.stdout.count("7.png,")) == (1, 2)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a file's name is always text")
def test_a_name_that_is_no_text_or_steers_the_terminal_is_shown_escaped(tmp_path: Path) -> None:
    for name in [b"\xff7.png", b"new\nline.png", b"\x1b[31mred.png"]:
        Path(os.fsdecode(bytes(tmp_path) + b"/" + name)).write_bytes(b"")
    commands = ("predict", "strict"), ("compare -p local", "strict"), ("predict -o csv", "surrogateescape")
    for command, how in commands:
        done = digitrec_into(subprocess.PIPE, *command.split(), tmp_path, PYTHONIOENCODING=f"utf-8:{how}")
        assert done.returncode == 1
        assert "Traceback" not in done.stderr
        assert "\x1b" not in done.stderr
        assert [line.rpartition("/")[2].split(":")[0] for line in done.stderr.splitlines()] == [
            r"\x1b[31mred.png", r"new\nline.png", r"\udcff7.png",
        ]  # fmt: skip
        assert command.endswith("csv") or "\x1b" not in done.stdout


def test_importing_digitrec_loads_next_to_nothing() -> None:
    code = (
        "import sys, json, digitrec\nassert digitrec.errors.RateLimited\n"
        "heavy = ('numpy', 'PIL', 'click', 'boto3', 'google', 'azure', 'tensorflow')\n"
        "print(json.dumps([name for name in heavy if name in sys.modules]))"
    )
    assert json.loads(python("-c", code).stdout) == []


@pytest.mark.parametrize("name", digitrec.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert name == "__version__" or (inspect.getdoc(getattr(digitrec, name)) or "").strip()
    assert name in dir(digitrec)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Create a labelled folder with more pictures than a pipe holds rows."""
    (tmp_path / "7").mkdir()
    for number in range(40):
        Image.fromarray(drawn_seven().pixels).save(tmp_path / "7" / f"{number:02d}-{'x' * 200}.png")
    return tmp_path


@pytest.mark.skipif(sys.platform == "win32", reason="it needs a POSIX shell")
@pytest.mark.parametrize(("stream", "command"), [
    ("stdout", command) for command in (
        "predict {}", "predict {} -o json", "compare {} -p local -o csv", "benchmark {}", "ledger show",
        "providers", "--help", "predict --help",
    )
] + [("both", "predict {}"), ("both", "--help")])  # fmt: skip
def test_a_reader_that_is_gone_ends_it_quietly(pictures: Path, stream: str, command: str) -> None:
    """As after `| head -1`, but deterministic: the reader closes before the first write."""
    readable, writable = os.pipe()
    os.close(readable)
    err = subprocess.PIPE if stream == "stdout" else writable
    done = digitrec_into(writable, *command.format(pictures).split(), err=err)
    os.close(writable)
    assert done.returncode == READER_GONE
    assert not done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="it needs a POSIX shell")
@pytest.mark.parametrize(("command", "closed", "code"), [
    ("predict {}", ">&-", 0), ("benchmark {}", "2>&-", 0), ("predict -", ">&- 2>&- <&-", 1),
    ("calibrate {}", ">&- 2>&-", 6), ("providers", ">&-", 0), ("compare -p local nothing.png", ">&-", 1),
])  # fmt: skip
def test_closed_streams_are_no_trouble(pictures: Path, command: str, closed: str, code: int) -> None:
    line = f"{sys.executable} -m digitrec {command.format(pictures)} {closed}"
    assert "Traceback" not in ran("sh", "-c", line, stdin=subprocess.DEVNULL, code=code).stderr


@pytest.mark.parametrize(("module", "start"), [
    ("click", ["-m", "digitrec"]), ("click", ["-c", "import digitrec.__main__ as it; it.run()"]),
    ("rapidocr", ["-m", "digitrec", "providers", "check", "rapidocr"]),
])  # fmt: skip
def test_ctrl_c_twice_is_one_line(tmp_path: Path, module: str, start: list[str]) -> None:
    """Press Ctrl-C during the import of another package, and again at the end."""
    code = "import atexit, os, signal, time; atexit.register(os.kill, os.getpid(), signal.SIGINT);"
    (tmp_path / f"{module}.py").write_text(f"{code} os.kill(os.getpid(), signal.SIGINT); time.sleep(9)")
    env = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
    assert python(*start, code=130, env=env).stderr == "digitrec: interrupted\n"


@pytest.mark.parametrize(("typed", "instead"), [
    ("predit", "predict"), ("Providers", "providers"), ("photo.jpg", "digitrec predict photo.jpg"),
    ("scans", "digitrec predict scans"), ("scans.zip", "digitrec batch scans.zip"),
    ("scans.tar.xz", "digitrec batch scans.tar.xz"), ("my photo.png", "digitrec predict 'my photo.png'"),
])  # fmt: skip
def test_an_unknown_command_suggests_one(typed: str, instead: str, here: Path) -> None:
    Path("scans").mkdir()
    assert instead in run(typed, code=2).stderr


def test_wrong_usage_quotes_nothing_that_steers_a_terminal() -> None:
    assert "\\x1b[31mred\\u202e" in run("predict", "x.png", "--replay", "\x1b[31mred\u202e", code=2).stderr
    assert "\x1b" not in run("pre\x1bdict").stderr
