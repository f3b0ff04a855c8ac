"""Does the wheel install and read a digit, with none, each and all extras, on each Python that is here?

    nox                                     # the wheel in dist/, which deploy/make_dist.py builds
    nox -s "install-3.13(web)"

Each session has an environment of its own, with nothing in it but the wheel and what it asks for.
"""

from configparser import ConfigParser
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
NOT_FOR_USERS = {"bench", "docs", "mutants", "release", "test"}
PICTURE = ROOT / "samples" / "photo-pen.jpg"

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False


def extras() -> list[str]:
    """List what can stand in brackets after digitrec; "" is no extra."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    return ["", *sorted(set(config["options.extras_require"]) - NOT_FOR_USERS)]


def reads_a_digit(session: nox.Session, package: Path, extra: str) -> None:
    """Install it and let it read, in a folder where the clone cannot be imported by chance."""
    wanted = f"digitrec[{extra}]" if extra else "digitrec"
    session.install(f"{wanted} @ {package.as_uri()}")
    session.chdir(session.create_tmp())
    said = session.run("digitrec", "predict", str(PICTURE), "--output", "csv", silent=True)
    if ",local,7," not in str(said):
        session.error(f"it should have read a seven: {said}")
    session.run("digitrec", "providers", silent=True)


@nox.session(python=PYTHONS)
@nox.parametrize("extra", [nox.param(extra, id=extra or "none") for extra in extras()])
def install(session: nox.Session, extra: str) -> None:
    """Test the wheel with an extra."""
    reads_a_digit(session, _the("*.whl"), extra)


@nox.session(python=PYTHONS)
def sdist(session: nox.Session) -> None:
    """Test the sdist, which is built on the way."""
    reads_a_digit(session, _the("*.tar.gz"), "")


def _the(pattern: str) -> Path:
    (package,) = (ROOT / "dist").glob(f"digitrec-{pattern}")
    return package
