"""The site builds strictly, has every page and every public name, and fetches nothing from elsewhere."""

import re
from pathlib import Path

import pytest
from pages import ROOT, loaded
from programs import python

import digitrec

pytest.importorskip("zensical", reason="needs the extra docs")
make_site = loaded(ROOT / "docs" / "make_site.py")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    python(ROOT / "docs" / "make_site.py", folder)
    return folder


def test_every_page_is_in_the_navigation() -> None:
    named = set(re.findall(r'"([^"]+\.md)"', make_site.CONFIG.read_text(encoding="utf-8")))
    pages = {page.relative_to(ROOT).as_posix() for page in make_site.pages()}
    pages = {make_site.INDEXES.get(name, name) for name in pages}
    assert named == {*pages, "reference.md"}


def test_the_reference_has_every_public_name(site: Path) -> None:
    page = (site / "html" / "reference.html").read_text(encoding="utf-8")
    names = set(digitrec.__all__) - {"__version__"}
    assert [name for name in names if f'id="digitrec.{name}"' not in page] == []


def test_nothing_is_fetched_from_elsewhere_while_somebody_reads(site: Path) -> None:
    fetched = re.compile(
        r'<(?:img|script|iframe|source)\b[^>]*\bsrc="?(?:https?:)?//|<link\b[^>]*href="?https?://[^>]*stylesheet'
    )
    pages = list((site / "html").rglob("*.html"))
    assert len(pages) > 25
    assert [page.name for page in pages if fetched.search(page.read_text(encoding="utf-8"))] == []
