"""Build the wheel and the sdist so that the same source always gives the same bytes.

    python deploy/make_dist.py [FOLDER]        # by default dist/; needs the extra `release`

Files get the time of the last commit (SOURCE_DATE_EPOCH, if it is set), the mode 644 or 755, and no owner.
With ``url`` in setup.cfg the README gets badges and absolute links, and the metadata links to the pages.
setuptools sets the times in the wheel, but not in an sdist, so the sdist is packed again.
"""

import gzip
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("pyproject.toml", "setup.cfg", "README.md", "LICENSE", "digitrec")
"""The files to build from; no other file in the folder is included."""
PAGES = {
    "Documentation": "blob/HEAD/docs/index.md", "Changelog": "blob/HEAD/CHANGELOG.md", "Issues": "issues",
}  # fmt: skip
"""Pages that the metadata links to, by name."""
BADGES = {"version": "v", "Python versions": "pyversions", "licence": "l"}
"""Badges at the top of the README, and their names on shields.io, which draws them from the package index."""
NOT_SOURCE = shutil.ignore_patterns("__pycache__", "*.pyc")


def epoch() -> str:
    """Return the timestamp of every file of the release: SOURCE_DATE_EPOCH, or the last commit's."""
    if said := os.environ.get("SOURCE_DATE_EPOCH"):
        return said
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def linked(page: str, url: str) -> str:
    """Return a page for a package index: its relative links lead to the repository at ``url``."""
    page = re.sub(r"(!\[[^]]*]\()(?!https?:|#)", rf"\g<1>{url}/raw/HEAD/", page)
    return re.sub(r"((?<!!)\[[^]!]*]\()(?!https?:|#)", rf"\g<1>{url}/blob/HEAD/", page)


def add_links(folder: Path) -> None:
    """Add the links that need the project's address, ``url`` in setup.cfg, to the README and setup.cfg."""
    config, setup, readme = ConfigParser(interpolation=None), folder / "setup.cfg", folder / "README.md"
    config.read(setup, encoding="utf-8")
    if url := config["metadata"].get("url"):
        pages = (f"\n{name} = {url}/{page}" for name, page in PAGES.items())
        config["metadata"]["project_urls"] = "".join(pages)
        with setup.open("w", encoding="utf-8") as file:
            config.write(file)
        badges = (f"![{name}](https://img.shields.io/pypi/{kind}/digitrec)" for name, kind in BADGES.items())
        title, text = readme.read_text("utf-8").split("\n", 1)
        readme.write_text(linked(f"{title}\n\n{' '.join(badges)}\n{text}", url), "utf-8")


def build(into: Path) -> list[Path]:
    """Build the sdist, and the wheel from it, in ``into``; replace older ones there.

    Raises:
        subprocess.CalledProcessError: the build failed; its output says why.
    """
    with tempfile.TemporaryDirectory() as folder:
        clean, out = Path(folder, "digitrec"), Path(folder, "out")
        clean.mkdir()
        for name in SOURCES:
            _copy(ROOT / name, clean / name)
        add_links(clean)
        command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), str(clean)]
        env = os.environ | {"SOURCE_DATE_EPOCH": epoch()}
        subprocess.run(command, check=True, capture_output=True, text=True, env=env, umask=0o022)
        (sdist,) = out.glob("*.tar.gz")
        _pack_again(sdist, int(env["SOURCE_DATE_EPOCH"]))
        into.mkdir(parents=True, exist_ok=True)
        for old in [*into.glob("digitrec-*.whl"), *into.glob("digitrec-*.tar.gz")]:
            old.unlink()
        return [Path(shutil.move(made, into / made.name)) for made in sorted(out.iterdir())]


def _copy(source: Path, target: Path) -> None:
    """Copy a file or folder with modes that do not depend on whose clone it is."""
    if source.is_file():
        shutil.copyfile(source, target)
    else:
        shutil.copytree(source, target, ignore=NOT_SOURCE, copy_function=shutil.copyfile)
    for path in [target, *target.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)


def _pack_again(sdist: Path, seconds: int) -> None:
    with tarfile.open(sdist) as tar:
        members = sorted(tar.getmembers(), key=lambda member: member.name)
        contents = {member.name: tar.extractfile(member) for member in members if member.isfile()}
        packed = sdist.with_suffix(".again")
        with (
            packed.open("wb") as file,
            gzip.GzipFile("", "wb", 9, file, seconds) as zipped,
            tarfile.open(fileobj=zipped, mode="w", format=tarfile.GNU_FORMAT) as again,
        ):
            for member in members:
                member.mtime, member.uid, member.gid = seconds, 0, 0
                member.uname = member.gname = ""
                again.addfile(member, contents.get(member.name))
    packed.replace(sdist)


def main() -> None:
    """Build, and print the files made."""
    into = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    try:
        made = build(into)
    except subprocess.CalledProcessError as error:
        sys.exit(f"the build failed:\n{error.stdout}{error.stderr}")
    sys.stdout.write("".join(f"{path}\n" for path in made))


if __name__ == "__main__":
    main()
