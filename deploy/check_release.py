"""Check everything that a release needs; print for each step whether it passed, failed or cannot run here.

    python deploy/check_release.py [STEP ...]    # `just release-check`; the extra `release` brings the tools

Exits with 1 if a step failed. A step that lacks something (a service on the internet, another Python) says
so and does not count as passed.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import make_dist
import pins

ROOT = make_dist.ROOT
DIST = ROOT / "dist"
TOOLS = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ.get('PATH', '')}"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
SYSTEMS = {
    "windows": "[all]",
    "aarch64-apple-darwin": "[all]",
    "aarch64-manylinux_2_28": "[all]",
    "x86_64-manylinux_2_28": "[all]",
    "x86_64-apple-darwin": "[google,aws,azure,openai,ocr,heif,pdf,stats,plots,web]",
    "aarch64-pc-windows-msvc": "[aws,azure,openai,heif,pdf,stats,plots,web]",
}
"""The systems of the table in docs/release.md, and the most extras that can be installed there."""


ENVIRONMENT = {
    "PATH": TOOLS,
    "COLUMNS": "200",
    "NO_COLOR": "1",
    "UV_PYTHON_DOWNLOADS": "never",  # use only Pythons on the path
    "MACOSX_DEPLOYMENT_TARGET": "14.0",  # ONNX Runtime's wheels for Python 3.14 need it
}


class CannotLook(Exception):
    """The step lacks something on this machine; the text names it."""


def tool(*command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a tool; this environment's own tools have precedence."""
    program = shutil.which(str(command[0]), path=TOOLS)
    if program is None:
        raise CannotLook(f"{command[0]} is not installed: pip install '.[release]'")
    env = os.environ | ENVIRONMENT
    rest = [str(word) for word in command[1:]]
    return subprocess.run([program, *rest], capture_output=True, text=True, check=False, cwd=ROOT, env=env)


def held(done: subprocess.CompletedProcess[str]) -> str:
    """Return the end of a tool's output; raise if the tool failed."""
    said = (done.stdout + done.stderr).strip()
    assert done.returncode == 0, said
    return said.splitlines()[-1] if said else "nothing to say"


def bandit() -> str:
    """Check that bandit finds only what a comment beside it justifies."""
    held(tool("bandit", "-q", "-c", "pyproject.toml", "-r", "digitrec"))
    return "bandit has nothing to say"


def pinned() -> str:
    """Check that each file of pins follows from setup.cfg."""
    for extras, file in pins.PINNED.items():
        with tempfile.TemporaryDirectory() as folder:
            again = Path(shutil.copy(file, folder))
            _write_pins(extras, again)
            assert again.read_text() == file.read_text(), f"{file.name} is out of date: just pins"
    return f"{len(pins.PINNED)} files up to date"


def audit() -> str:
    """Check that no pinned package has a known vulnerability."""
    found, unknown = 0, []
    for file in pins.PINNED.values():
        done = tool("pip-audit", "-r", file, "--no-deps", "--disable-pip", "--require-hashes", "-f", "json")
        try:
            packages = json.loads(done.stdout)["dependencies"]
        except (ValueError, KeyError):
            raise CannotLook(f"the advisory service: {done.stderr.strip().splitlines()[-1:]}") from None
        assert not any(package.get("vulns") for package in packages), done.stdout
        unknown += [package["name"] for package in packages if "skip_reason" in package]
        found += len(packages)
    if unknown:  # pip-audit passes packages that it has no data about
        raise CannotLook(f"the advisory service: it knows nothing of {len(unknown)} of {found} packages")
    return f"{found} packages, none with a known vulnerability"


def build() -> str:
    """Check that two builds give the same bytes; leave wheel and sdist in dist/."""
    with tempfile.TemporaryDirectory() as folder:
        once = {path.name: _sha256(path) for path in make_dist.build(Path(folder))}
    twice = {path.name: _sha256(path) for path in make_dist.build(DIST)}
    assert once == twice, f"{once} and then {twice}"
    return ", ".join(f"{name} {sha256[:12]}" for name, sha256 in twice.items())


def files() -> str:
    """Check that twine and check-wheel-contents accept the files in dist/."""
    held(tool("twine", "check", "--strict", _dist("*.whl"), _dist("*.tar.gz")))
    return held(tool("check-wheel-contents", _dist("*.whl")))


def resolve() -> str:
    """Check that all packages have wheels for each Python and system, without extras and with most extras."""
    failures = []
    for python in PYTHONS:
        for system, most in SYSTEMS.items():
            no_ocr = (python, system) == ("3.14", "x86_64-apple-darwin")  # ONNX Runtime has no such wheel
            for extras in ("", most.replace("ocr,", "") if no_ocr else most):
                done = _resolved(extras, "--python-version", python, "--python-platform", system)
                if done.returncode:
                    failures.append(f"{python} {system} {extras}: {' '.join(done.stderr.split())}")
    assert not failures, "\n".join(failures)
    return f"{len(PYTHONS)} Pythons, {len(SYSTEMS)} systems, without extras and with most"


def install() -> str:
    """Check that wheel and sdist read a digit in an empty environment, on each installed Python."""
    return _nox("-k", "sdist or none or web")


def extras() -> str:
    """Check the wheel without extras, with each and with all of them (gigabytes, many minutes)."""
    return _nox("-s", "install")


def sbom() -> str:
    """Write the bill of materials of all that may be installed, as CycloneDX, to dist/."""
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder, "requirements.txt")
        _write_pins(("all",), listed)
        about = Path(folder, "pyproject.toml")
        about.write_text(f'[project]\nname = "digitrec"\nversion = "{_version()}"\nlicense = "MIT"\n')
        file = DIST / f"digitrec-{_version()}.cdx.json"
        form = ("--output-reproducible", "--pyproject", about, "-o", file)
        held(tool("cyclonedx-py", "requirements", *form, listed))
    return f"{file.name}: {len(json.loads(file.read_text())['components'])} components"


def _write_pins(extras: Sequence[str], file: Path) -> None:
    try:
        pins.write(extras, file)
    except FileNotFoundError as error:
        raise CannotLook("uv is not installed: pip install '.[release]'") from error
    except subprocess.CalledProcessError as error:
        raise CannotLook(error.stderr.strip()) from error


def _resolved(extras: str, *options: str) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder, "wanted.in")
        wanted.write_text(f"digitrec{extras} @ {_dist('*.whl').as_uri()}\n")
        return tool("uv", "pip", "compile", "-q", "--only-binary", ":all:", *options, wanted)


def _nox(*which: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        done = tool("nox", "--report", report, *which)
        assert report.exists(), done.stderr
        ran = json.loads(report.read_text())["sessions"]
    failed = [session["signatures"][0] for session in ran if session["result"] in ("failed", "aborted")]
    assert not failed, f"{', '.join(failed)}\n{done.stderr}"
    good = [session["signatures"][0] for session in ran if session["result"] == "success"]
    if not good:
        raise CannotLook("none of the Pythons")
    missing = [python for python in PYTHONS if not any(f"-{python}" in name for name in good)]
    return f"{len(good)} environments" + (f"; not here: Python {', '.join(missing)}" if missing else "")


def _version() -> str:
    return _dist("*.whl").name.split("-")[1]


def _dist(pattern: str) -> Path:
    found = list(DIST.glob(f"digitrec-{pattern}"))
    if len(found) != 1:
        raise CannotLook(f"dist/ has {len(found)} files digitrec-{pattern}: run the step build first")
    return found[0]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


STEPS: dict[str, Callable[[], str]] = {
    step.__name__: step for step in (bandit, pinned, audit, build, files, resolve, install, extras, sbom)
}
SLOW = {"extras"}
"""Only on request."""


def main(wanted: list[str]) -> int:
    """Take the steps, print a line for each, and return whether all passed."""
    if unknown := set(wanted) - set(STEPS):
        sys.exit(f"no step {', '.join(sorted(unknown))}; there are {', '.join(STEPS)}")
    failed = False
    for name in wanted or [step for step in STEPS if step not in SLOW]:
        try:
            verdict, detail = "passed", STEPS[name]()
        except CannotLook as error:
            verdict, detail = "could not run", str(error)
        except (AssertionError, subprocess.CalledProcessError) as error:
            verdict, detail, failed = "FAILED", f"{error}\n{getattr(error, 'stderr', '')}", True
        sys.stdout.write(f"{name}: {verdict}: {detail.strip()}\n")
        sys.stdout.flush()
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
