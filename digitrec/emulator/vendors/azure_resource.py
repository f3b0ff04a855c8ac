"""An Azure resource, at which several services answer: its keys, its error object, its checks of an image."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from digitrec.emulator.picture import Box, Picture
from digitrec.emulator.vendors.base import Refused, Request, Response, Vendor
from digitrec.errors import ImageError

BINARY = (
    "application/octet-stream",
    "image/jpeg",
    "image/png",
    "image/bmp",
    "image/tiff",
    "image/gif",
    "image/webp",
)
"""Media types under which a picture is sent as it is."""


def error(http: int, code: str, message: str, inner: tuple[str, str] | None = None) -> Response:
    """An error in Azure's form.

    Args:
        http: HTTP status.
        code: what kind of error.
        message: Azure's sentence.
        inner: code and message of the cause, where Azure names one.
    """
    body: dict[str, object] = {"code": code, "message": message}
    if inner is not None:
        body["innererror"] = {"code": inner[0], "message": inner[1]}
    return Response.of_json(http, {"error": body})


def too_fast(wait_s: int) -> str:
    """Azure's sentence for a request above the tier's rate."""
    return (
        "Requests to this API have exceeded call rate limit of your current F0 "
        f"pricing tier. Please retry after {wait_s} seconds."
    )


_WRONG_KEY = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key "
    "for an active subscription and use a correct regional API endpoint for your resource."
)
_SPENT = (
    "Out of call volume quota for the F0 pricing tier. Please retry after 15 days. To increase "
    "your call volume switch to a paid tier."
)

FAILURES: dict[str, Callable[[], Response]] = {
    "400": partial(
        error, 400, "InvalidRequest", "The request is not valid.", ("BadArgument", "Bad argument.")
    ),
    "401": partial(error, 401, "401", _WRONG_KEY),
    "403": partial(error, 403, "403", "Access denied due to Virtual Network/Firewall rules."),
    "404": partial(error, 404, "404", "Resource not found"),
    "413": partial(error, 413, "RequestEntityTooLarge", "The request body is too large."),
    "429": partial(error, 429, "429", too_fast(26)),
    "quota": partial(error, 403, "403", _SPENT),
    "500": partial(error, 500, "InternalServerError", "The service met an internal error."),
    "502": partial(Response.of_html, 502, "502 Bad Gateway"),
    "503": partial(error, 503, "ServiceUnavailable", "The service is temporarily unavailable."),
    "504": partial(Response.of_html, 504, "504 Gateway Time-out"),
}
"""Azure's answer for each fault; a spent quota is a 403."""


class AzureVendor(Vendor):
    """A service of an Azure AI Vision resource, which answers for all of them at one address."""

    failures = FAILURES
    formats: ClassVar[tuple[str, ...]] = ("JPEG", "PNG", "BMP", "TIFF")
    """Formats of pictures that the service takes."""
    max_bytes: ClassVar[int] = 4 * 1024 * 1024
    """Largest picture that the free tier takes."""
    sides: ClassVar[tuple[int, int]] = (50, 10_000)
    """Smallest and largest width and height, in pixels."""
    wrong_size: ClassVar[str] = "InvalidImageSize"
    """Azure's inner code for a picture of another width or height."""

    @classmethod
    def environment(cls, endpoint: str) -> dict[str, str]:
        """As Azure's samples read them; all services of a resource are found at the endpoint of each."""
        return {"VISION_ENDPOINT": endpoint, "VISION_KEY": "test"}

    def throttled(self, wait_s: int) -> Response:
        """Azure's refusal, which says the seconds in its sentence too."""
        return error(429, "429", too_fast(wait_s)).with_headers(Retry_After=str(wait_s))

    def common_headers(self) -> dict[str, str]:
        """The header by which Azure numbers its answers."""
        return {"apim-request-id": str(uuid.uuid4())}

    def picture(self, request: Request) -> Picture:
        """The picture in a request's body.

        Raises:
            Refused: it is no picture, of another format or size than the service takes, or only named by its
                address.
        """
        if request.media_type == "application/json":
            raise Refused(bad_image("InvalidImageUrl", "The image URL is not accessible."))
        if request.media_type not in BINARY:
            message = f"The media type is not one of {', '.join(BINARY)}."
            raise Refused(error(415, "UnsupportedMediaType", message))
        if len(request.body) > self.max_bytes:
            raise Refused(bad_image("InvalidImageSize", f"Image is larger than {self.max_bytes} bytes."))
        try:
            picture = Picture.decode(request.body)
        except ImageError:
            raise Refused(bad_image("InvalidImageFormat", "Input data is not a valid image.")) from None
        if picture.format not in self.formats:
            message = f"Image format is not one of {', '.join(self.formats)}."
            raise Refused(bad_image("InvalidImageFormat", message))
        least, most = self.sides
        if not least <= min(picture.width, picture.height) <= max(picture.width, picture.height) <= most:
            message = f"The image must be {least} x {least} to {most} x {most} pixels."
            raise Refused(bad_image(self.wrong_size, message))
        return picture

    def check_key(self, request: Request) -> None:
        """Raise Refused unless the request carries a key that is taken, or a token where it has no key."""
        key = request.headers.get("ocp-apim-subscription-key", "").strip()
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        keys, tokens = self.credentials.azure_keys, self.credentials.azure_tokens
        if key:
            taken = keys is None or key in keys
        else:
            given = scheme.lower() == "bearer" and bool(token)
            taken = given and (keys is None if tokens is None else token in tokens)
        if not taken:
            raise Refused(FAILURES["401"]())


def bad_parameter(inner: str, message: str) -> Refused:
    """The refusal of a query parameter: ``inner`` is Azure's inner code, such as "NotSupportedLanguage"."""
    return Refused(error(400, "InvalidArgument", message, (inner, message)))


def bad_image(code: str, message: str) -> Response:
    """The refusal of an image: ``code`` is Azure's inner code, such as "InvalidImageSize"."""
    return error(400, "InvalidRequest", message, (code, message))


def corners(box: Box) -> tuple[tuple[float, float], ...]:
    """The four corners of a box, clockwise from the top left, in whole pixels."""
    left, top, right, bottom = (round(value) for value in box)
    return (left, top), (right, top), (right, bottom), (left, bottom)


def flat_corners(box: Box) -> list[float]:
    """The corners of a box as one list: x and y of each in turn."""
    return [value for corner in corners(box) for value in corner]
