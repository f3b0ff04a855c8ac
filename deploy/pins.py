"""Pin the packages that CI and the image install, with versions and hashes, as setup.cfg requires them.

    python deploy/pins.py [--upgrade]          # needs uv, from the extra `release`

Valid pins stay unchanged, unless --upgrade renews them all. One set is for all systems and Pythons.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINNED = {
    ("test",): ROOT / "deploy" / "ci-requirements.txt",
    ("web", "heif"): ROOT / "deploy" / "image-requirements.txt",
}
"""The extras that CI (the first) and the Dockerfile install, and the file with their pins."""


def uv() -> str:
    """Return the uv of this environment, or the one on the path."""
    folder = sysconfig.get_path("scripts")
    return shutil.which("uv", path=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}") or "uv"


def write(extras: Sequence[str], file: Path, *more: str) -> None:
    """Write the pins of these extras; keep those in ``file`` that still fit.

    Raises:
        subprocess.CalledProcessError: nothing fits together, or no index is in reach; its stderr says.
    """
    command = [
        uv(), "pip", "compile", "-q", "--universal", "--python-version", "3.11",
        *(f"--extra={extra}" for extra in extras),
        "--generate-hashes", "--no-annotate", "--custom-compile-command", "just pins",
        *more, str(ROOT / "setup.cfg"), "-o", str(file),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)


def main() -> None:
    """Write both files."""
    for extras, file in PINNED.items():
        try:
            write(extras, file, *sys.argv[1:])
        except FileNotFoundError:
            sys.exit("uv is not installed: pip install '.[release]'")
        except subprocess.CalledProcessError as error:
            sys.exit(f"{file.name} was not written: {error.stderr}")


if __name__ == "__main__":
    main()
