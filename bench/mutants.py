"""Mutation testing of one package: which wrong lines do its own quick tests fail to detect?

    python bench/mutants.py PACKAGE

PACKAGE is a folder or a module of digitrec/, such as `ledger` or `recognise/normalise`. mutmut makes many
slightly wrong versions (mutants) of every function. For each mutant it runs the quick tests of tests/PACKAGE
that call the function, then the slower ones if these pass. The results are kept in .mutants/PACKAGE. A run
that was stopped continues there; changed functions and the mutants that survived the last run are tried
again, because tests may have been added. Delete the folder to start anew. Exits with 1 if a mutant survives.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections import Counter
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[1]
SLOW_S = 1.0
"""Tests that take longer than this run only for mutants that the quicker tests did not detect."""
TOO_SLOW_S = 5.0
"""Tests that take longer than this never run."""
SLOW_TESTS = "slow-tests.json"
LET_THROUGH = ("survived", "no tests")
SLOW_TEST = re.compile(r"^([\d.]+)s (?:call|setup) +(\S+::.+)$", re.MULTILINE)


def prepare(room: str, work: Path) -> None:
    """Make the folder in which mutmut works, and time the tests, once."""
    source, tests = _paths(room)
    (work / "mutants").mkdir(parents=True)
    for name in ("digitrec", "tests", "samples", "docs"):
        (work / name).symlink_to(ROOT / name, target_is_directory=True)
    settings = ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg")
    settings["mutmut"] = {
        "source_paths": "digitrec",
        "only_mutate": f"{source}/*" if (ROOT / source).is_dir() else source,
        "also_copy": "samples\ndocs",
        "pytest_add_cli_args_test_selection": tests,
        "pytest_add_cli_args": "-p\nno:unraisableexception",  # it takes most of a run
        "process_isolation": "forkserver",
        "timeout_multiplier": "5",
        "use_git_change_detection": "false",
    }
    (work / SLOW_TESTS).write_text(json.dumps(_slow(tests)))
    with (work / "setup.cfg").open("w") as file:
        settings.write(file)


def _paths(room: str) -> tuple[str, str]:
    """Return a module's source and tests, relative to the repository, or its package's tests."""
    if (ROOT / "digitrec" / room).is_dir():
        return f"digitrec/{room}", f"tests/{room}"
    folder, _, module = room.rpartition("/")
    source, tests = f"digitrec/{room}.py", f"tests/{folder}/test_{module.strip('_')}.py"
    if not (ROOT / source).is_file():
        raise SystemExit(f"digitrec/{room} is not a folder, nor {source} a file: name a package or a module")
    return source, tests if (ROOT / tests).is_file() else f"tests/{folder}"


def _slow(tests: str) -> dict[str, float]:
    """Seconds of each test that is not quick."""
    command = [sys.executable, "-m", "pytest", "-q", "--durations=0", f"--durations-min={SLOW_S}", tests]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the tests must pass first:\n{done.stdout[-2000:]}")
    return {name: float(seconds) for seconds, name in reversed(SLOW_TEST.findall(done.stdout))}


def run(work: Path) -> None:
    """Run the quick tests on all mutants that are not checked yet, and the slower ones on the survivors."""
    before = _survivors(work)
    _try(work, SLOW_S)
    slower = any(SLOW_S < seconds <= TOO_SLOW_S for seconds in _slow_tests(work).values())
    again = [name for name in _survivors(work) if slower or name in before]
    if again:
        _try(work, TOO_SLOW_S, *again)


def _survivors(work: Path) -> list[str]:
    return [name for name, status in results(work).items() if status in LET_THROUGH]


def _slow_tests(work: Path) -> dict[str, float]:
    slow: dict[str, float] = json.loads((work / SLOW_TESTS).read_text())
    return slow


def _try(work: Path, longest_s: float, *mutants: str) -> None:
    left_out = [f"--deselect={name}" for name, seconds in _slow_tests(work).items() if seconds > longest_s]
    print(f"tests of up to {longest_s:g} s, {len(left_out)} left out", flush=True)
    (work / "mutants" / "mutmut-stats.json").unlink(missing_ok=True)  # outdated after an edit
    _mutmut(work, "run", "--max-children", "1", *mutants, options=shlex.join(left_out))


def results(work: Path) -> dict[str, str]:
    """Return the result of each mutant; "not checked" at first."""
    if not (work / "mutants" / "digitrec").exists():
        return {}
    lines = _mutmut(work, "results", "--all", "true", capture=True).splitlines()
    return dict(line.strip().rsplit(": ", 1) for line in lines if ": " in line)


def _mutmut(work: Path, *arguments: str, options: str = "", capture: bool = False) -> str:
    # The processes that a test starts must import the mutant too; CI makes Hypothesis repeat its cases.
    environment = {
        **os.environ, "PYTHONPATH": str(work / "mutants"), "CI": "1", "PYTEST_ADDOPTS": options,
    }  # fmt: skip
    command = [str(Path(sys.executable).with_name("mutmut")), *arguments]
    out = subprocess.PIPE if capture else None
    return subprocess.run(command, cwd=work, env=environment, text=True, check=True, stdout=out).stdout or ""


def main(room: str) -> int:
    """Test one package and list the mutants that survived."""
    room = room.strip("/").removesuffix(".py")
    work = ROOT / ".mutants" / room.replace("/", "-")
    if not (work / "setup.cfg").exists():
        shutil.rmtree(work, ignore_errors=True)
        prepare(room, work)
    run(work)
    survivors = _survivors(work)
    for name in survivors:
        print(_mutmut(work, "show", name, capture=True))
    ended = results(work)
    counts = ", ".join(f"{n} {status}" for status, n in Counter(ended.values()).most_common())
    print(f"{room}: {len(ended)} mutants, {counts}")
    return 1 if survivors else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    sys.exit(main(sys.argv[1]))
