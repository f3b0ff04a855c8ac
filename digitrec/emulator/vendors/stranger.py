"""A vendor that no provider knows, behind the servers that only fail."""

from __future__ import annotations

from typing import ClassVar

from digitrec.emulator.vendors.base import Failures, Request, Response, Vendor


class Stranger(Vendor):
    """Sends a long document of blanks, and its errors as HTML."""

    name = ""
    failures: ClassVar[Failures] = {}

    def __init__(self) -> None:
        self.engine = ""

    @staticmethod
    def error(*what: object) -> Response:
        """Return nothing: `failures` is empty."""
        raise NotImplementedError

    def read(self, request: Request) -> Response:
        """Return blanks, which are not JSON."""
        return Response(200, b" " * 2_000, {"Content-Type": "application/json"})
