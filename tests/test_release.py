"""Quick checks before a release; `just release-check` makes all of them."""

import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from configparser import ConfigParser
from pathlib import Path
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from programs import python

import digitrec

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(DEPLOY)
    import check_release

    return check_release


def test_each_suppression_of_bandit_has_a_reason() -> None:
    lines = [line for path in ROOT.glob("digitrec/**/*.py") for line in path.read_text("utf-8").splitlines()]
    suppressed = [line for line in lines if "# nosec" in line]
    assert suppressed
    assert [line for line in suppressed if not re.search(r"# nosec B\d+( B\d+)* # \S", line)] == []


def wanted(extra: str) -> list[Requirement]:
    """Return the requirements of an extra, including those of the extras it names."""
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    found, to_look, seen = config["options"]["install_requires"].split("\n"), [extra], set()
    while to_look:
        for line in config["options.extras_require"][to_look.pop()].split("\n"):
            requirement = Requirement(line) if line else None
            if requirement and requirement.name == "digitrec":
                to_look += requirement.extras - seen
                seen |= requirement.extras
            elif requirement:
                found.append(line)
    return [Requirement(line) for line in found if line]


def test_all_extras_together_bring_what_the_pages_name() -> None:
    pages = [page.read_text("utf-8") for page in ROOT.glob("docs/*.md")]
    named = {name for page in pages for name in re.findall(r"\(pip install (\w+)\)", page)}
    assert named
    assert named <= {requirement.name for requirement in wanted("all")}


@pytest.mark.parametrize(("extra", "file"), [("test", "ci"), ("web", "image")])
def test_all_that_is_asked_for_is_pinned_with_hashes(extra: str, file: str) -> None:
    lines = (DEPLOY / f"{file}-requirements.txt").read_text("utf-8").replace("\\\n", " ").splitlines()
    pins = [line.partition("--hash=sha256:") for line in lines if not line.startswith("#")]
    assert all(re.fullmatch(r"[0-9a-f]{64}", found[2].split()[0]) for found in pins)
    versions: dict[str, list[str]] = {}
    for found in pins:
        pin = Requirement(found[0])
        versions.setdefault(canonicalize_name(pin.name), []).append(str(pin.specifier).removeprefix("=="))
    unmet = [
        str(requirement) for requirement in wanted(extra)
        if not any(map(requirement.specifier.contains, versions.get(canonicalize_name(requirement.name), [])))
    ]  # fmt: skip
    assert unmet == [], "out of date: just pins"


def build(into: Path, umask: int) -> dict[str, bytes]:
    python(DEPLOY / "make_dist.py", into, env=os.environ | {"SOURCE_DATE_EPOCH": "1767225600"}, umask=umask)
    return {path.name: path.read_bytes() for path in into.iterdir()}


@pytest.mark.skipif(sys.platform == "win32", reason="modes are those of POSIX")
def test_the_same_source_gives_the_same_bytes_and_all_of_it_is_inside(tmp_path: Path) -> None:
    once, twice = build(tmp_path / "1", 0o022), build(tmp_path / "2", 0o077)
    wheel, sdist = (
        f"digitrec-{digitrec.__version__}-py3-none-any.whl", f"digitrec-{digitrec.__version__}.tar.gz",
    )  # fmt: skip
    assert set(once) == {wheel, sdist}
    assert once == twice
    ours = {
        str(path.relative_to(ROOT)) for path in (ROOT / "digitrec").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }  # fmt: skip
    with zipfile.ZipFile(tmp_path / "1" / wheel) as zipped:
        assert {name for name in zipped.namelist() if name.startswith("digitrec/")} == ours
    with tarfile.open(tmp_path / "1" / sdist) as tar:
        assert {name.partition("/")[2] for name in tar.getnames()} >= ours


def test_with_the_projects_address_a_release_links_to_it(check: ModuleType, tmp_path: Path) -> None:
    page = "![A 7](docs/a.png) [docs](docs/b.md#c) [far](https://example.com) [here](#d) [x](LICENSE)"
    (tmp_path / "README.md").write_text(f"# Digits\n\n{page}\n")
    setup = tmp_path / "setup.cfg"
    setup.write_text("[metadata]\nname = digits\n")
    check.make_dist.add_links(tmp_path)
    assert "project_urls" not in setup.read_text()
    url = "https://example.org/digits"
    setup.write_text(f"[metadata]\nname = digits\nurl = {url}\n")
    check.make_dist.add_links(tmp_path)
    title, badges, text = (tmp_path / "README.md").read_text().rstrip().split("\n\n")
    picture, docs = f"![A 7]({url}/raw/HEAD/docs/a.png)", f"[docs]({url}/blob/HEAD/docs/b.md#c)"
    rest = f"[far](https://example.com) [here](#d) [x]({url}/blob/HEAD/LICENSE)"
    assert (title, text) == ("# Digits", f"{picture} {docs} {rest}")
    assert badges.count("](https://img.shields.io/") == 3
    config = ConfigParser()
    config.read(setup)
    links = config["metadata"]["project_urls"].split("\n")
    assert f"Changelog = {url}/blob/HEAD/CHANGELOG.md" in links


def test_the_bill_of_materials_is_of_the_extra_all(
    check: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(check, "DIST", tmp_path)
    (tmp_path / "digitrec-9-py3-none-any.whl").touch()
    (tmp_path / "digitrec-9.cdx.json").write_text('{"components": [1, 2]}')
    monkeypatch.setattr(check.pins.subprocess, "run", lambda command, **_: asked.extend(command))
    monkeypatch.setattr(check, "tool", lambda *_: subprocess.CompletedProcess([], 0, "", ""))
    assert check.sbom() == "digitrec-9.cdx.json: 2 components"
    assert [word for word in asked if str(word).startswith("--extra")] == ["--extra=all"]


AUDITED = [
    ("passed", {"name": "click", "version": "1", "vulns": []}),
    ("FAILED", {"name": "click", "version": "1", "vulns": [{"id": "CVE-0"}]}),
    ("could not run", {"name": "click", "skip_reason": "Dependency not found on PyPI"}),
    ("could not run", None),
]


@pytest.mark.parametrize(("verdict", "package"), AUDITED)
def test_an_audit_that_learned_nothing_is_not_taken_for_a_good_one(
    check: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    verdict: str, package: dict[str, object] | None,
) -> None:  # fmt: skip
    said = json.dumps({"dependencies": [package]}) if package else ""
    done = subprocess.CompletedProcess(["pip-audit"], 0, said, "ConnectionError: no route")
    monkeypatch.setattr(check, "tool", lambda *command: done)
    code = check.main(["audit"])
    assert capsys.readouterr().out.startswith(f"audit: {verdict}:")
    assert code == (verdict == "FAILED")
