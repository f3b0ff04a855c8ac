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
"""How a form brings a picture."""
MAX_FIELDS = 1000
"""Files and other fields in a form; those that are not ours are ignored."""
URL_SAFE = str.maketrans("-_", "+/")
"""Base64's URL-safe alphabet as the usual one."""


class JsonPictures(BaseModel):
    """Pictures in JSON: base64, or data URLs as a canvas gives them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    image: str | None = Field(None, min_length=1, description="One picture: base64 or a data URL.")
    images: list[str] | None = Field(None, min_length=1, description="Several; instead of `image`.")


async def pictures(request: Request, settings: Settings) -> tuple[list[bytes], bool]:
    """Return the encoded pictures, and whether the client sent a list and so expects one.

    Anything but JSON and a form is taken for the picture itself, whatever its type says: the decoder
    judges by the content. No picture begins with a brace, so JSON is known without its type.

    Raises:
        ProblemError: none, too many, or a body that is not what its content type says.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        found, is_list = await _from_form(request, settings)
    else:
        body = await request.body()
        is_json = kind == "application/json" or body.lstrip().startswith(b"{")
        found, is_list = _from_json(body) if is_json else ([body], False)
    if len(found) > settings.max_pictures:
        raise _too_many(settings)
    if not found or (not is_list and not found[0]):
        raise _problem(422, "no-picture", "there is no picture in the request, or one of no bytes")
    return found, is_list


class _InMemory(MultiPartParser):
    """Starlette's parser, which otherwise writes files above 1 MB to disk."""

    spool_max_size = 1 << 62


async def _from_form(request: Request, settings: Settings) -> tuple[list[bytes], bool]:
    parser = _InMemory(
        request.headers, request.stream(),
        max_files=MAX_FIELDS, max_fields=MAX_FIELDS, max_part_size=settings.max_body_bytes,
    )  # fmt: skip
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _problem(400, "bad-form", f"the form cannot be read: {error.message}") from error
    files = [value for name, value in form.multi_items() if name == "file" and isinstance(value, UploadFile)]
    try:
        if not files:
            raise _problem(422, "no-picture", f"the form has no file in its field 'file'; {AS_FORM}")
        return [await file.read() for file in files], len(files) > 1
    finally:
        await form.close()


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
    """One of several: what is no base64 is taken for the picture itself, and so is refused by the decoder."""
    try:
        return _decoded(text)
    except ValueError:
        return text.encode("utf-8", "replace")


def _decoded(text: str) -> bytes:
    """Return the bytes in base64 or in a data URL; lines, the URL-safe alphabet and no padding are fine.

    Raises:
        ValueError: it is neither.
    """
    if text[:5].lower() == "data:":
        kind, _, text = text.partition(",")
        if not kind.lower().endswith(";base64"):
            raise ValueError("a data URL without base64")
    plain = "".join(text.split()).rstrip("=").translate(URL_SAFE)
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _too_many(settings: Settings) -> ProblemError:
    return _problem(413, "too-many", f"more than {settings.max_pictures} pictures in one request")


def _problem(status: int, kind: str, detail: str) -> ProblemError:
    return ProblemError(Problem(status, kind, detail))
