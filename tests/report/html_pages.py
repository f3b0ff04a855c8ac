"""A parser of HTML pages."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser
from typing import Self


class Page(HTMLParser):
    """The elements of a page, all of which must be closed and fetch nothing."""

    VOID = frozenset({"meta", "img", "br"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count: Counter[str] = Counter()

    @classmethod
    def of(cls, html: str) -> Self:
        """Parse and check a page."""
        page = cls()
        page.feed(html)
        assert page.open == []
        assert "@import" not in html
        assert "url(http" not in html
        return page

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count[tag] += 1
        assert tag not in ("script", "link", "iframe", "object")
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action"):
                assert (value or "").startswith(("data:", "#")), value
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()
