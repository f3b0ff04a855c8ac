"""The endpoints, and the pictures in a request: as its body, in JSON as base64, or as files in a form."""

import asyncio
import base64
import codecs
import string
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Annotated, Any, cast

from fastapi import FastAPI, Query, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.responses import JSONResponse, PlainTextResponse, Response

from digitrec.answer import Failure, Outcome, Prediction
from digitrec.comparison import Comparison
from digitrec.errors import ImageError
from digitrec.image import DigitImage
from digitrec.image.pixels import saved
from digitrec.web import schemas
from digitrec.web.inference import Client, Reading, Service, State
from digitrec.web.problems import Problem
from digitrec.web.settings import Settings

THUMBNAIL = 512
"""Longer side of a thumbnail, px."""

Provider = Annotated[
    str | None,
    Query(description="Which engine to ask; by default the first at `/providers`.", examples=["local"]),
]
Compared = Annotated[
    list[str] | None,
    Query(
        description="An engine to ask; repeat it for each. By default all that cost nothing.",
        examples=[["local"]],
    ),
]
Digits = Annotated[
    str | None,
    Query(
        pattern="^[1-9][0-9]?(-[1-9][0-9]?)?$", examples=["4", "3-6"],
        description="How many digits each number has: one number, or the least and the most.",
    ),
]  # fmt: skip
Seen = Annotated[bool, Query(description="Also show the 28x28 picture that the network was given.")]
Inside = Annotated[bool, Query(description="Also show the feature maps of each layer.")]
Saliency = Annotated[
    bool, Query(description="Hide the ink piece by piece; without it the answer takes a few milliseconds.")
]
AS_FORM = 'a picture is sent as curl -F "file=@7.png" does, with the @'
"""How to send a picture in a form, for messages."""
MAX_FIELDS = 1000
"""Maximum number of files and other fields in a form, where unknown fields are ignored, and of commas in
JSON: Pydantic takes seconds to report a million wrong values."""
BLANK = codecs.BOM_UTF8 + string.whitespace.encode()
"""Bytes that may stand before JSON: a byte order mark, as Windows PowerShell writes it, and white space."""
URL_SAFE = bytes.maketrans(b"-_", b"+/")
"""Translates base64's URL-safe alphabet to the standard one."""


def add(app: FastAPI, state: State) -> None:
    """Add the endpoints to the app."""
    # only for the API description: `limits` checks the key
    schemes = APIKeyHeader(name="X-API-Key", auto_error=False), HTTPBearer(auto_error=False)
    keyed: list[Any] = [Security(one) for one in schemes] if state.settings.api_keys else []
    common: Any = {"responses": schemas.PROBLEMS, "dependencies": keyed, "openapi_extra": schemas.ONE_PICTURE}
    reading, looking = common | {"tags": ["read a digit"]}, common | {"tags": ["look at a picture"]}
    about: Any = {"tags": ["the server"]}
    several: Any = {"openapi_extra": schemas.PICTURES}

    @app.post("/predict", response_model=schemas.Reading | schemas.Readings, **reading | several)
    async def predict(request: Request, provider: Provider = None, seen: Seen = False) -> Response:
        """Return the digit on a picture, or on each of several pictures.

        Send the picture as the body, as a form's `file`, or as base64 in JSON. For one picture the answer is
        a reading; for several files, or a JSON list, it is a list of readings.
        """
        service = state.service(provider)
        sent, is_list = await pictures(request, state.settings)
        readings = await service.read(request.state.client, sent)
        if not is_list and isinstance(outcome := readings[0][0], Failure):
            raise outcome.error
        found = [schemas.reading_of(*one, seen=seen) for one in readings]
        return json(schemas.Readings(predictions=found) if is_list else found[0])

    @app.post("/v1/read", response_model=schemas.SheetBody, **reading | {"tags": ["read numbers"]})
    async def read(request: Request, provider: Provider = None, digits: Digits = None) -> Response:
        """Read the whole numbers on a picture, such as amounts, or the columns of a form.

        Send the picture as to `/predict`.
        """
        service = state.service(provider)
        picture = await _one_picture(request, state)
        found = await service.numbers(request.state.client, picture, _expected(digits))
        if isinstance(found, Failure):
            raise found.error
        return JSONResponse(schemas.sheet_of(found))

    @app.post("/compare", response_model=schemas.ComparisonBody, **reading)
    async def compare(request: Request, provider: Compared = None, seen: Seen = False) -> Response:
        """Ask several engines about one picture at the same time.

        Engines that cost money are only asked if the request names them.
        """
        services = [state.service(name) for name in dict.fromkeys(provider or state.free())]
        picture = await _one_picture(request, state)
        readings = await _readings(services, request.state.client, picture)
        found = _compared(services, [outcome for outcome, _ in readings])
        body = schemas.ComparisonBody(
            agree=found.agree, consensus=cast(int | None, found.consensus), emulated=found.emulated,
            readings=[schemas.reading_of(*one, seen=seen) for one in readings],
        )  # fmt: skip
        return json(body)

    @app.post("/explain", response_model=schemas.ExplanationBody, **looking)
    async def explain(
        request: Request, provider: Provider = None, inside: Inside = False, saliency: Saliency = True
    ) -> Response:
        """Explain a reading: each step of the preparation, and the ink that led to the digit.

        Works for our own network and for any other on 28x28 pixels. It takes the time of about 800 readings;
        without `saliency` that of a few.
        """
        service = state.service(provider)
        picture = await _one_picture(request, state)
        found = await service.explain(request.state.client, picture, inside=inside, hiding=saliency)
        return json(await asyncio.to_thread(schemas.explanation_of, found))  # it draws up to 50 pictures

    @app.post(
        "/thumbnail", response_class=Response, **looking | {"responses": schemas.PNG | schemas.PROBLEMS}
    )
    async def thumbnail(request: Request) -> Response:
        """Show the picture as the server reads it: upright, opaque, at most 512 pixels long."""
        picture = await _one_picture(request, state)
        shown = await state.lanes.run(request.state.client, picture, _thumbnail)
        return Response(shown, media_type="image/png")

    @app.get("/health", **about)
    async def health() -> schemas.Health:
        """Report that the server is running; it answers only after its model is loaded."""
        return schemas.Health(status="ok", model_loaded=True)

    @app.get(
        "/ready", responses={503: {"model": schemas.Ready, "description": "All places are taken."}}, **about
    )
    async def ready(response: Response) -> schemas.Ready:
        """Report whether the server would accept a request now."""
        response.status_code = 503 if state.inside.full else 200
        return schemas.Ready(ready=not state.inside.full)

    @app.get("/providers", responses={421: schemas.PROBLEMS[421]}, **about)
    async def providers() -> schemas.Providers:
        """List the engines that this server offers."""
        services = state.services.values()
        infos = [schemas.ProviderInfo.model_validate(one, from_attributes=True) for one in services]
        return schemas.Providers(
            providers=infos, key_needed=bool(state.settings.api_keys),
            max_body_bytes=state.settings.max_body_bytes,
        )  # fmt: skip

    @app.get(
        "/metrics", response_class=PlainTextResponse, dependencies=keyed,
        responses={status: schemas.PROBLEMS[status] for status in (401, 403, 421, 429)}, **about,
    )  # fmt: skip
    async def metrics() -> Response:
        """Return metrics for Prometheus."""
        return Response(state.metrics.page(), media_type=CONTENT_TYPE_LATEST)


def _expected(digits: str | None) -> tuple[int, int] | None:
    """Return the minimum and the maximum number of digits.

    Raises:
        Problem: the minimum is greater.
    """
    if digits is None:
        return None
    least, _, most = digits.partition("-")
    if int(most or least) < int(least):
        raise Problem(422, "invalid-request", f"digits must be least-most, got {digits}")
    return int(least), int(most or least)


def _compared(services: Sequence[Service], outcomes: Sequence[Outcome]) -> Comparison:
    """Compare the outcomes; if no engine could open the picture, raise that error.

    Policies do not vote beside a real engine's answer, because a policy repeats the answers of engines.
    """
    errors = [one.error for one in outcomes if isinstance(one, Failure) and isinstance(one.error, ImageError)]
    if len(errors) == len(outcomes):
        raise errors[0]
    asked = list(zip(services, outcomes, strict=True))
    votes = [(service, outcome) for service, outcome in asked if not service.is_policy]
    if not any(isinstance(outcome, Prediction) and not outcome.emulated for _, outcome in votes):
        votes = asked
    names, voting = tuple(service.name for service, _ in votes), tuple(outcome for _, outcome in votes)
    return Comparison(outcomes[0].image, names, voting)


async def _readings(services: Sequence[Service], client: Client, picture: bytes) -> list[Reading]:
    """Ask several services about one picture; none is asked unless each has a place."""
    with ExitStack() as places:
        for each in services:
            places.enter_context(each.admitted(client, 1))
        found = await asyncio.gather(*(each.read_admitted(client, [picture]) for each in services))
    return [one for (one,) in found]


async def _one_picture(request: Request, state: State) -> bytes:
    """Return the only picture of a request.

    Raises:
        Problem: there is no picture, or more than one.
    """
    sent, _ = await pictures(request, state.settings)
    if len(sent) > 1:
        raise Problem(422, "too-many", "give one picture")
    return sent[0]


def _thumbnail(picture: bytes) -> bytes:
    return saved(DigitImage.open(picture).thumbnail(THUMBNAIL), "PNG")


def json(model: BaseModel) -> Response:
    """Return a model as a JSON response."""
    return Response(model.model_dump_json(), media_type="application/json")


class JsonPictures(BaseModel):
    """Pictures in JSON: base64, or data URLs as a canvas creates them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    image: str | None = Field(None, min_length=1)
    images: list[str] | None = Field(None, min_length=1)


async def pictures(request: Request, settings: Settings) -> tuple[list[bytes], bool]:
    """Return the encoded pictures, and whether the client sent a list and expects a list.

    A body that is neither JSON nor a form is the picture itself, whatever its content type, because the
    decoder checks the content. No picture begins with a brace, so JSON is recognised without its content
    type.

    Raises:
        Problem: there is no picture, there are too many, or the body does not match its content type.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        found = await _from_form(request, settings)
        is_list = len(found) > 1
    elif (body := await request.body()).lstrip(BLANK).startswith(b"{") or kind == "application/json":
        found, is_list = _from_json(body.lstrip(BLANK))
    else:
        found, is_list = [body], False
    if len(found) > settings.max_pictures:
        raise Problem(413, "too-many", f"more than {settings.max_pictures} pictures in one request")
    if not is_list and not found[0]:
        raise Problem(422, "no-picture", "the request has no picture, or an empty one")
    return found, is_list


class _InMemory(MultiPartParser):
    """Starlette's parser, which otherwise writes files above 1 MB to disk and accepts half a form."""

    spool_max_size = 1 << 62
    is_complete = False
    """Whether the form's last boundary was read."""

    def on_end(self) -> None:
        self.is_complete = True


async def _from_form(request: Request, settings: Settings) -> list[bytes]:
    parser = _InMemory(
        request.headers, request.stream(),
        max_files=MAX_FIELDS, max_fields=MAX_FIELDS, max_part_size=settings.max_body_bytes,
    )  # fmt: skip
    try:
        form = await parser.parse()
        if not parser.is_complete:
            raise MultiPartException("it is cut off before its last boundary")
    except (MultiPartException, UnicodeError) as error:  # UnicodeError: the charset "undefined" of Python
        raise Problem(400, "bad-form", f"the form cannot be read: {error}") from error
    sent = (file for file in form.getlist("file") if isinstance(file, UploadFile))
    files = [await file.read() for file in sent if file.filename or file.size]  # else a field left empty
    await form.close()
    if not files:
        raise Problem(422, "no-picture", f"the form has no file in its field 'file'; {AS_FORM}")
    return files


def _from_json(body: bytes) -> tuple[list[bytes], bool]:
    if body.count(b",") > MAX_FIELDS:
        raise Problem(413, "too-many", f"more than {MAX_FIELDS} values in one request")
    try:
        sent = JsonPictures.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:100] or "the body"
        raise Problem(422, "bad-json", f"{where}: {first['msg']}") from error
    if (sent.image is None) == (sent.images is None):
        raise Problem(422, "bad-json", 'give either "image" or "images"')
    if sent.images is not None:
        return [_fails_alone(text) for text in sent.images], True
    try:
        return [_decoded(sent.image or "")], False
    except ValueError as error:
        raise Problem(422, "bad-json", "the picture is neither base64 nor a base64 data URL") from error


def _fails_alone(text: str) -> bytes:
    """Return one of several pictures; the decoder rejects a text that is not base64."""
    try:
        return _decoded(text)
    except ValueError:
        return text.encode("utf-8", "replace")


def _decoded(text: str) -> bytes:
    """Return the bytes in base64 (with line breaks, URL-safe or without padding) or in a data URL.

    Raises:
        ValueError: the text is neither.
    """
    if text[:5].lower() == "data:":
        kind, _, text = text.partition(",")
        if not kind.lower().endswith(";base64"):
            raise ValueError("a data URL without base64")
    plain = text.encode("ascii").translate(URL_SAFE, string.whitespace.encode()).rstrip(b"=")
    return base64.b64decode(plain + b"=" * (-len(plain) % 4), validate=True)
