"""`digitrec serve --collect`: visitors label pictures, the owner accepts or deletes them.

The folder contains two others, `new` and `accepted`, each with sub-folders "0" to "9" and "none", which
`read_samples` reads as they are. A file's name is the hash of the picture's pixels. No address, time or
metadata is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import threading
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query, Request
from PIL import Image
from starlette.responses import Response

from digitrec.errors import DataError
from digitrec.image import atomic
from digitrec.web import clients, routes, schemas
from digitrec.web.answers import Answers
from digitrec.web.inference import State
from digitrec.web.limits import RateLimiter
from digitrec.web.problems import Problem, ProblemError

LABELS = (*"0123456789", "none")
"""Labels of a picture; "none": no digit."""
MAX_PICTURES = 10_000
"""Most pictures, new and accepted together; each has at most 512x512 pixels."""
NAME = re.compile(r"[0-9a-f]{16}[a-z0-9_-]*\.png")
"""A picture's name; earlier versions added the engines' answers."""


class Collection:
    """The pictures in one folder, for one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Make the folder.

        Raises:
            DataError: the folder cannot be made or written to.
        """
        self._folder = folder
        self._new, self._accepted = folder / "new", folder / "accepted"
        try:
            for label in LABELS:
                (self._new / label).mkdir(parents=True, exist_ok=True)
                (self._accepted / label).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DataError(
                f"{folder}: cannot be written to ({error.strerror}); name another folder"
            ) from error
        self._lock = threading.Lock()

    def add(self, picture: Image.Image, label: str) -> bool:
        """Keep a picture under its label, one of `LABELS`; return whether there was room for it.

        The same pixels are kept once: a new label replaces the one before, and what was accepted stays.
        """
        content = f"{picture.mode}{picture.size}".encode() + picture.tobytes()
        name = hashlib.sha256(content).hexdigest()[:16]
        with self._lock:
            if any(self._accepted.glob(f"*/{name}*.png")):
                return True
            for before in self._new.glob(f"*/{name}*.png"):
                before.unlink()
            if len(list(self._folder.glob("*/*/*.png"))) >= MAX_PICTURES:
                return False
            with atomic.replacing(self._new / label / f"{name}.png") as unfinished:
                picture.save(unfinished)
        return True

    def waiting(self) -> list[schemas.LabelledPicture]:
        """Return the pictures that the owner has not seen, by label."""
        files = sorted(file for file in self._new.glob("*/*.png") if NAME.fullmatch(file.name))
        return [schemas.LabelledPicture(name=file.name, label=file.parent.name, said={}) for file in files]

    def picture(self, name: str) -> bytes | None:
        """Return the PNG of that name among those; None without one."""
        file = self._find(name)
        return None if file is None else file.read_bytes()

    def decide(self, name: str, *, accept: bool, label: str | None = None) -> bool:
        """Accept a picture under its label or another one, or delete it; return whether it existed.

        Raises:
            ValueError: the label is not in `LABELS`.
        """
        if label is not None and label not in LABELS:
            raise ValueError(f"{label!r} is neither a digit nor none")
        with self._lock:
            file = self._find(name)
            if file is None:
                return False
            if accept:
                file.replace(self._accepted / (label or file.parent.name) / name)
            else:
                file.unlink()
        return True

    def _find(self, name: str) -> Path | None:
        return next(self._new.glob(f"*/{name}"), None) if NAME.fullmatch(name) else None


Digit = Annotated[
    Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "none"],
    Query(description="What the picture shows; none: no digit."),
]
Label = Annotated[str | None, Query(description="What the picture shows, if not what it is labelled.")]
Accept = Annotated[bool, Query(description="True: accept it under its label; false: delete it.")]

FULL = Problem(507, "collection-full", "the collection is full; no more pictures are kept")
NO_OWNER = Problem(401, "no-owner-key", "send the owner's key as X-Owner-Key; it is in DIGITREC_OWNER_KEY")
GONE = Problem(404, "not-found", "there is no such picture any more")
MISSING: dict[int | str, dict[str, Any]] = {404: schemas.problem("There is no such picture.")}
REFUSED: dict[int | str, dict[str, Any]] = {
    401: schemas.problem("The owner's key is needed."),
    429: schemas.problem("Too many wrong keys from this client."),
}


def add(app: FastAPI, state: State, collection: Collection) -> None:
    """Add ``/label`` for visitors and ``/collected`` for the owner."""
    add_review(app, state, collection)

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


def add_review(app: FastAPI, state: State, collection: Collection | Answers) -> None:
    """Add ``/collected`` for the owner."""
    owners: Any = {"tags": ["for the owner"], "dependencies": [Depends(_owner(state))]}

    @app.get("/collected", responses=REFUSED, **owners)
    def waiting() -> schemas.Labels:
        """List the pictures without a review."""
        return schemas.Labels(pictures=collection.waiting())

    @app.get(
        "/collected/{name}", response_class=Response, responses=schemas.PNG | REFUSED | MISSING, **owners
    )
    def picture(name: str) -> Response:
        """Show one of them."""
        content = collection.picture(name)
        if content is None:
            raise ProblemError(GONE)
        return routes.png(content)

    @app.put("/collected/{name}", status_code=204, responses=REFUSED | MISSING, **owners)
    def decide(name: str, accept: Accept, label: Label = None) -> None:
        """Accept one as it is labelled or corrected, or throw it away."""
        try:
            found = collection.decide(name, accept=accept, label=label)
        except ValueError as error:
            raise ProblemError(Problem(422, "invalid-request", str(error))) from error
        if not found:
            raise ProblemError(GONE)


def _owner(state: State) -> Any:
    """Return a dependency that rejects requests without the owner's key."""
    settings = state.settings
    wrong_keys = RateLimiter(settings.wrong_keys_per_s, settings.wrong_keys)

    async def owner(request: Request, x_owner_key: Annotated[str, Header()] = "") -> None:
        key = settings.owner_key
        right = key is not None and hmac.compare_digest(x_owner_key.encode(), key.encode())
        if x_owner_key:
            address = clients.address(clients.peer(request.scope), request.headers, settings.proxies)
            wrong_keys.check(address, "too many wrong keys from your address; wait", take=not right)
        if not right:
            raise ProblemError(NO_OWNER)

    return owner
