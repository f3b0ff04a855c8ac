"""The pages: every link works, and generated pages are up to date."""

import re
from pathlib import Path

import pytest
from page_parts import PAGES, ROOT, text_of
from programs import python


@pytest.mark.parametrize("page", sorted(PAGES))
def test_links_lead_somewhere_and_nobodys_folder_is_named(page: str) -> None:
    text = text_of(page)
    for target, anchor in re.findall(r"\]\(([^)#\s]*)(?:#([^)\s]+))?\)", text):
        if "://" not in target:
            other = (ROOT / page).parent / target if target else ROOT / page
            assert other.exists(), target
            assert not anchor or anchor in anchors(other), f"{target}#{anchor}"
    assert not re.search(r"/home/\w|/Users/\w|/root/", text)


def test_the_code_of_the_page_on_python_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    said: list[tuple[object, ...]] = []
    names["print"] = lambda *values: said.append(values)
    page = (ROOT / "docs" / "library.md").read_text(encoding="utf-8")
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "library.md", "exec"), names)
    (seven, _), blank, first, missing, streamed, dim, unsure, *awaited, asked, refused = said
    assert seven == 7
    assert blank == (None, "blank")
    assert first == ("samples/photo-pen.jpg", 7)
    assert missing[0] == "not-there.jpg"
    assert str(streamed[0]).startswith("samples/photo-")
    assert dim == (1,)
    assert unsure == (None, "not sure", 7)
    assert awaited == [(7,), (7,), (None,)]
    assert asked == (7, True, 0.0)
    assert "not-there.jpg" in str(refused[0])


@pytest.mark.parametrize("what", ["cli", "architecture", "notebook", "figures"])
def test_what_is_generated_is_up_to_date(what: str) -> None:
    python(ROOT / "docs" / f"make_{what}.py", "--check")


def slug(heading: str) -> str:
    """Return the anchor that GitHub and the site generator make of a heading."""
    plain = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)}


def test_the_index_lists_every_page() -> None:
    linked = set(re.findall(r"\]\(([\w./-]+\.md)\)", (ROOT / "docs" / "index.md").read_text("utf-8")))
    assert {path.name for path in (ROOT / "docs").glob("*.md")} - {"index.md"} <= linked
