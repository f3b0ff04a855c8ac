"""`digitrec serve --collect`: keep the pictures that visitors label.

The folder gets sub-folders "0" to "9" and "none", which `read_samples` reads as they are. A file's name is
the hash of the picture's pixels. No address, time or metadata is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import threading
from pathlib import Path
from typing import Annotated, Literal

from fastapi import FastAPI, Query, Request
from PIL import Image
from starlette.responses import Response

from digitrec.errors import DataError
from digitrec.image import atomic
from digitrec.web import routes, schemas
from digitrec.web.inference import State
from digitrec.web.problems import Problem, ProblemError

LABELS = (*"0123456789", "none")
"""Labels of a picture; "none": no digit."""
MAX_PICTURES = 10_000
"""Most pictures; each has at most 512x512 pixels."""
FULL = Problem(507, "collection-full", "the collection is full; no more pictures are kept")

Digit = Annotated[
    Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "none"],
    Query(description="What the picture shows; none: no digit."),
]


class Collection:
    """The pictures in one folder, for one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Raises:
            DataError: the folder cannot be made or written to.
        """
        self._folder, self._lock = folder, threading.Lock()
        try:
            for label in LABELS:
                (folder / label).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"{folder}: cannot be written to ({error.strerror}); name another folder"
            ) from error

    def add(self, picture: Image.Image, label: str) -> bool:
        """Keep a picture under its label, one of `LABELS`; return whether there was room for it.

        The same pixels are kept once: a new label replaces the one before.
        """
        content = f"{picture.mode}{picture.size}".encode() + picture.tobytes()
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.png"
        with self._lock:
            for before in self._folder.glob(f"*/{name}"):
                before.unlink()
            if len(list(self._folder.glob("*/*.png"))) >= MAX_PICTURES:
                return False
            with atomic.replacing(self._folder / label / name) as unfinished:
                picture.save(unfinished)
        return True


def add(app: FastAPI, state: State, collection: Collection) -> None:
    """Add ``/label``."""

    @app.post(
        "/label", response_model=schemas.Kept, openapi_extra=schemas.PICTURES, tags=["label a picture"],
        responses={**schemas.PROBLEMS, 507: schemas.problem("The collection is full.")},
    )  # fmt: skip
    async def label(request: Request, digit: Digit) -> Response:
        """Say which digit a picture shows, and have both kept.

        Kept are the pixels, at most 512 a side, and the label.
        """
        picture = await routes.one_picture(request, state)
        small = await routes.small(request, state, picture)
        if not await asyncio.to_thread(collection.add, small, digit):
            raise ProblemError(FULL)
        return routes.json(schemas.Kept(label=digit))
