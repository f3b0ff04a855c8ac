"""Azure Image Analysis 4.0, feature "read": one synchronous call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from digitrec.emulator.picture import Box, Picture, Word, bounding_box, lines
from digitrec.emulator.vendors.azure_resource import (
    FAILURES,
    AzureVendor,
    Refused,
    bad_image,
    bad_parameter,
    binary_picture,
    corners,
    error,
)
from digitrec.emulator.vendors.base import Request, Response

ADDRESS = "/computervision/imageanalysis:analyze"
API_VERSIONS = ("2023-10-01", "2024-02-01")
MAX_BYTES = 20 * 1024 * 1024
"""A picture must be smaller than this."""
MIN_SIDE, MAX_SIDE = 50, 16_000
"""Width and height must lie between these, in px, and not on them."""
FEATURES = {"caption", "densecaptions", "objects", "people", "read", "smartcrops", "tags"}
"""The features there are, in lower case; only "read" is emulated."""
_LANGUAGES = """
ar az bg bs ca cs cy da de el en es et eu fi fr ga gl he hi hr hu id it ja kk ko lt lv mk ms nb nl pl prs pt
pt-br pt-pt ro ru sk sl sr-cyrl sr-latn sv th tr uk vi zh zh-hans zh-hant
"""
LANGUAGES = frozenset(_LANGUAGES.split())
"""The language codes it takes, in lower case, for its tags: text is read in any ("Language support")."""
MODEL_VERSIONS = ("latest", *API_VERSIONS)
MIN_RATIO, MAX_RATIO = 0.75, 1.8
_RATIO = re.compile(r"\d{1,3}(\.\d{1,20})?", re.ASCII)
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")
"""The service takes ICO too, which digitrec does not read."""


class AzureAnalysis(AzureVendor):
    """Azure Image Analysis 4.0."""

    name = "azure-analysis"
    prefix = "/computervision/"

    def answer(self, request: Request) -> Response:
        """The text of one picture."""
        try:
            self.check_key(request)
            if request.method != "POST" or request.path != ADDRESS:
                return FAILURES["404"]()
            _check_parameters(request.parameters)
            picture = binary_picture(request, formats=FORMATS, max_bytes=MAX_BYTES - 1)
            _check_size(picture)
        except Refused as refused:
            return refused.response
        read = _blocks(self.reader.read(picture))
        metadata = {"width": picture.width, "height": picture.height}
        body = {"modelVersion": self.model_version, "metadata": metadata, "readResult": {"blocks": read}}
        return Response.of_json(200, body, billed=1)

    def without_field(self, request: Request) -> Response:
        """An answer without "readResult"."""
        return Response.of_json(
            200, {"modelVersion": self.model_version, "metadata": {"width": 100, "height": 100}}
        )


def _check_parameters(parameters: dict[str, str]) -> None:
    """Raise Refused unless every parameter of the query is one that the service would take."""
    version = parameters.get("api-version")
    if version not in API_VERSIONS:
        raise Refused(error(400, "BadRequest", f"The api-version is not one of {', '.join(API_VERSIONS)}."))
    _check_features(parameters)
    if (language := parameters.get("language", "en")).lower() not in LANGUAGES:
        raise bad_parameter("NotSupportedLanguage", f"The language '{language}' is not supported.")
    if (model := parameters.get("model-version", "latest")) not in MODEL_VERSIONS:
        raise bad_parameter("InvalidModel", f"The model version '{model}' is not supported.")
    if parameters.get("gender-neutral-caption", "false").lower() not in ("true", "false"):
        raise bad_parameter("BadArgument", "The value of gender-neutral-caption is not true or false.")
    for ratio in parameters.get("smartcrops-aspect-ratios", "1").split(","):
        if not _RATIO.fullmatch(ratio.strip()) or not MIN_RATIO <= float(ratio) <= MAX_RATIO:
            message = (
                f"An aspect ratio of smartcrops-aspect-ratios is not a number {MIN_RATIO} to {MAX_RATIO}."
            )
            raise bad_parameter("BadArgument", message)


def _check_features(parameters: dict[str, str]) -> None:
    features = {name.strip().lower() for name in parameters.get("features", "").split(",") if name.strip()}
    if unknown := features - FEATURES:
        message = f"The feature '{min(unknown)}' is not one of the visual features."
    elif not features:
        message = "Either features or model-name has to be given."
    elif features != {"read"}:
        message = "This emulator reads text only: ask for the one feature 'read'."
    else:
        return
    raise Refused(error(400, "InvalidRequest", message, ("NotSupportedVisualFeature", message)))


def _check_size(picture: Picture) -> None:
    if min(picture.width, picture.height) <= MIN_SIDE or max(picture.width, picture.height) >= MAX_SIDE:
        message = f"The image dimension must be greater than {MIN_SIDE} and less than {MAX_SIDE} pixels."
        raise Refused(bad_image("InvalidImageSize", message))


def _blocks(words: Sequence[Word]) -> list[dict[str, Any]]:
    """One block of lines of words; no block for no words."""
    found = [
        {
            "text": " ".join(word.text for word in row),
            "boundingPolygon": _polygon(bounding_box(row)),
            "words": [_word(word) for word in row],
        }
        for row in lines(words)
    ]
    return [{"lines": found}] if found else []


def _word(word: Word) -> dict[str, Any]:
    return {"text": word.text, "boundingPolygon": _polygon(word.box), "confidence": round(word.confidence, 3)}


def _polygon(box: Box) -> list[dict[str, float]]:
    return [{"x": x, "y": y} for x, y in corners(box)]
