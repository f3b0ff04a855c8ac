"""Pin what CI and the image install: each package that setup.cfg leads to, its version, its files' hashes.

    python deploy/pins.py [--upgrade]          # the extra `release` brings uv, which does it

Pins that still fit stay as they are, unless --upgrade renews them all. One set for every system and Python.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PINNED = {
    "test": ROOT / "deploy" / "ci-requirements.txt",
    "web": ROOT / "deploy" / "image-requirements.txt",
}
"""The extras that are installed as pinned, and where: by CI the first, by the Dockerfile the second."""


def uv() -> str:
    """The uv of this environment, or the one that is on the path."""
    folder = sysconfig.get_path("scripts")
    return shutil.which("uv", path=f"{folder}{os.pathsep}{os.environ.get('PATH', '')}") or "uv"


def write(extra: str, file: Path, *more: str) -> None:
    """Write the pins of an extra; those in ``file`` that still fit are kept.

    Raises:
        subprocess.CalledProcessError: nothing fits together, or no index is in reach; its stderr says.
    """
    command = [
        uv(), "pip", "compile", "-q", "--universal", "--python-version", "3.11", "--extra", extra,
        "--generate-hashes", "--no-annotate", "--custom-compile-command", "just pins",
        *more, str(ROOT / "setup.cfg"), "-o", str(file),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True, text=True)


def main() -> None:
    """Write both files."""
    for extra, file in PINNED.items():
        try:
            write(extra, file, *sys.argv[1:])
        except subprocess.CalledProcessError as error:
            sys.exit(f"{file.name} was not written: {error.stderr}")


if __name__ == "__main__":
    main()
