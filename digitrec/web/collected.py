"""`digitrec serve --collect`: visitors label pictures, the owner accepts or deletes them.

The folder contains two others, `new` and `accepted`, each with sub-folders "0" to "9" and "none", which
`read_samples` reads as they are. A file's name is the hash of the picture's pixels and the answers of the
engines here, so that the owner first sees where they disagree. No address, time or metadata is kept.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import re
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query, Request
from PIL import Image
from starlette.responses import Response

from digitrec.answer.prediction import Prediction
from digitrec.errors import DataError
from digitrec.image import DigitImage, InputSpec
from digitrec.prepare import prepare
from digitrec.web import clients, routes, schemas
from digitrec.web.answers import Answers
from digitrec.web.inference import State
from digitrec.web.limits import RateLimiter
from digitrec.web.problems import Problem, ProblemError

LABELS = (*"0123456789", "none")
"""Labels of a picture; "none": no digit."""
LONGEST = 200
"""Characters of a file's name for the engines' answers; file systems take 255 bytes in all."""
MAX_PICTURES = 10_000
"""Most pictures, new and accepted together; each has at most 512x512 pixels."""
ENGINE = re.compile(r"[a-z0-9-]+")
"""An engine's name that can be in a file's name; a policy's cannot, but its engines are named as well."""
NAME = re.compile(r"[0-9a-f]{16}(_[a-z0-9-]+-(?:[0-9]|none))*\.png")


class Collection:
    """The pictures in one folder, for one process at a time."""

    def __init__(self, folder: Path) -> None:
        """Make the folder and count its pictures.

        Raises:
            DataError: the folder cannot be made or written to.
        """
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
        self._pictures = len(list(folder.glob("*/*/*.png")))

    def add(self, picture: Image.Image, label: str, said: Mapping[str, str]) -> bool:
        """Keep a picture under its label, one of `LABELS`; return whether there was room for it.

        The same pixels are kept once: a new label replaces the one before, and what was accepted stays.
        """
        content = f"{picture.mode}{picture.size}".encode() + picture.tobytes()
        digest = hashlib.sha256(content).hexdigest()[:16]
        with self._lock:
            if any(self._accepted.glob(f"*/{digest}*.png")):
                return True
            for before in self._new.glob(f"*/{digest}*.png"):
                before.unlink()
                self._pictures -= 1
            if self._pictures >= MAX_PICTURES:
                return False
            aside = self._new / label / f".{digest}"
            picture.save(aside, "PNG")
            aside.replace(self._new / label / f"{digest}{_words(said)}.png")
            self._pictures += 1
        return True

    def waiting(self) -> list[schemas.LabelledPicture]:
        """Return the pictures that the owner has not seen, those with most disagreement first."""

        def order(one: schemas.LabelledPicture) -> tuple[int, str, str]:
            return -sum(word != one.label for word in one.said.values()), one.label, one.name

        return sorted(map(_labelled, self._files()), key=order)

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
                self._pictures -= 1
        return True

    def _files(self) -> Iterator[Path]:
        return (file for file in self._new.glob("*/*.png") if NAME.fullmatch(file.name))

    def _find(self, name: str) -> Path | None:
        return next((file for file in self._files() if file.name == name), None)


def _words(said: Mapping[str, str]) -> str:
    """Return the engines' answers as a part of a file's name, as many as there is room for."""
    named = ""
    for engine, word in sorted(said.items()):
        one = f"_{engine}-{word}"
        if ENGINE.fullmatch(engine) and len(named) + len(one) <= LONGEST:
            named += one
    return named


def _labelled(file: Path) -> schemas.LabelledPicture:
    words = (word.rpartition("-") for word in file.stem.split("_")[1:])
    said = {engine: word for engine, _, word in words}
    return schemas.LabelledPicture(name=file.name, label=file.parent.name, said=said)


Digit = Annotated[
    Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "none"],
    Query(description="What the picture shows; none: no digit."),
]
Label = Annotated[str | None, Query(description="What the picture shows, if not what it is labelled.")]
Accept = Annotated[bool, Query(description="True: accept it under its label; false: delete it.")]

FULL = Problem(507, "collection-full", "the collection is full; no more pictures are kept")
BLANK = Problem(422, "blank-picture", "there is no ink on this picture; draw a digit, or label it none")
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

        Kept are the pixels, at most 512 a side, the label, and what the engines here say that cost nothing.
        """
        picture = await routes.one_picture(request, state)
        small = await routes.small(request, state, picture)
        if digit != "none" and await asyncio.to_thread(_is_blank, small):
            raise ProblemError(BLANK)
        said = await _said(request, state, picture)
        if not await asyncio.to_thread(collection.add, small, digit, said):
            raise ProblemError(FULL)
        return routes.json(schemas.Kept(label=digit))


def add_review(app: FastAPI, state: State, collection: Collection | Answers) -> None:
    """Add ``/collected`` for the owner."""
    owners: Any = {"tags": ["for the owner"], "dependencies": [Depends(_owner(state))]}

    @app.get("/collected", responses=REFUSED, **owners)
    def waiting() -> schemas.Labels:
        """List the pictures without a review, first those on which engines disagree."""
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


def _is_blank(picture: Image.Image) -> bool:
    """Return whether there is no ink on a picture."""
    return prepare(DigitImage.open(picture), InputSpec("mnist")).findings.reason == "blank"


async def _said(request: Request, state: State, picture: bytes) -> dict[str, str]:
    """Return the answer of each free engine; one that fails is left out."""
    services = [state.services[name] for name in state.free()]
    answers = await asyncio.gather(*(one.read(request.state.client, [picture]) for one in services))
    return {
        service.name: "none" if outcome.digit is None else str(outcome.digit)
        for service, (reading,) in zip(services, answers, strict=True)
        if isinstance(outcome := reading.outcome, Prediction)
    }
