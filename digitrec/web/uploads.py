"""The pictures in a request: its body as it is, JSON with base64 or data URLs, or a form's files."""

from __future__ import annotations

import base64

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from digitrec.web.problems import Problem, ProblemError
from digitrec.web.settings import Settings

AS_FORM = 'a picture is sent as curl -F "file=@7.png" does, with the @'
"""How to send a picture in a form."""
MAX_FIELDS = 1000
"""Files and other fields in a form; unknown fields are ignored."""
URL_SAFE = str.maketrans("-_", "+/")
"""From base64's URL-safe alphabet to the usual one."""


class JsonPictures(BaseModel):
    """Pictures in JSON: base64, or data URLs as a canvas gives them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    image: str | None = Field(None, min_length=1)
    images: list[str] | None = Field(None, min_length=1)


async def pictures(request: Request, settings: Settings) -> tuple[list[bytes], bool]:
    """Return the encoded pictures, and whether the client sent a list and so expects one.

    Anything but JSON and a form is taken for the picture itself, whatever its content type: the decoder
    judges by the content. No picture begins with a brace, so JSON is recognised without its type.

    Raises:
        ProblemError: there is no picture, there are too many, or the body does not match its content type.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        found = await _from_form(request, settings)
        is_list = len(found) > 1
    elif (body := await request.body()).lstrip().startswith(b"{") or kind == "application/json":
        found, is_list = _from_json(body)
    else:
        found, is_list = [body], False
    if len(found) > settings.max_pictures:
        raise _problem(413, "too-many", f"more than {settings.max_pictures} pictures in one request")
    if not is_list and not found[0]:
        raise _problem(422, "no-picture", "the request has no picture, or an empty one")
    return found, is_list


class _InMemory(MultiPartParser):
    """Starlette's parser, which otherwise writes files above 1 MB to disk."""

    spool_max_size = 1 << 62


async def _from_form(request: Request, settings: Settings) -> list[bytes]:
    parser = _InMemory(
        request.headers, request.stream(),
        max_files=MAX_FIELDS, max_fields=MAX_FIELDS, max_part_size=settings.max_body_bytes,
    )  # fmt: skip
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _problem(400, "bad-form", f"the form cannot be read: {error.message}") from error
    files = [await file.read() for file in form.getlist("file") if isinstance(file, UploadFile)]
    await form.close()
    if not files:
        raise _problem(422, "no-picture", f"the form has no file in its field 'file'; {AS_FORM}")
    return files


def _from_json(body: bytes) -> tuple[list[bytes], bool]:
    try:
        sent = JsonPictures.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the body"
        raise _problem(422, "bad-json", f"{where}: {first['msg']}") from error
    if (sent.image is None) == (sent.images is None):
        raise _problem(422, "bad-json", 'give either "image" or "images"')
    if sent.images is not None:
        return [_fails_alone(text) for text in sent.images], True
    try:
        return [_decoded(sent.image or "")], False
    except ValueError as error:
        raise _problem(422, "bad-json", "the picture is neither base64 nor a base64 data URL") from error


def _fails_alone(text: str) -> bytes:
    """Return one of several pictures; the decoder will reject text that is not base64."""
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
    plain = "".join(text.split()).rstrip("=").translate(URL_SAFE)
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _problem(status: int, kind: str, detail: str) -> ProblemError:
    return ProblemError(Problem(status, kind, detail))
