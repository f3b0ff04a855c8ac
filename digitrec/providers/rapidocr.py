"""RapidOCR (PaddleOCR's networks on ONNX Runtime), on this machine.

RapidOCR's detector misses most single characters, so for one digit the whole picture counts as one line of
text. For numbers the detector finds the lines. It also misses many cut-out numbers, so a small picture
without several lines is read as one line too, and the reading with the higher score is used.

Each line is a candidate; its score is already 0..1.
"""

from __future__ import annotations

import io
import threading
from collections.abc import Mapping, Sequence
from copy import copy
from importlib.metadata import version
from typing import Any

from PIL import Image

from digitrec.answer import Answer, Candidate, Sign, checked
from digitrec.errors import NotConfigured, Rejected, install_hint
from digitrec.image import Box, InputSpec, PreparedImage
from digitrec.image.pixels import NUMBERS_SIDE
from digitrec.prepare import PREPARATIONS
from digitrec.providers.base import CUT_OUT, FREE, BaseProvider, Price, Status, looked, requires
from digitrec.providers.translate import Rule, Service, box_around

FLAGS = {
    "use_det": False, "use_cls": False, "use_rec": True, "return_word_box": False,
    "return_single_char_box": False, "text_score": 0.0, "box_thresh": 0.5, "unclip_ratio": 1.6,
}  # fmt: skip
"""Values of all flags, sent with every call, because the engine keeps the flags of the previous call."""
DETECTING = FLAGS | {"use_det": True, "return_word_box": True, "return_single_char_box": True}
NUMBERS = InputSpec(encoding="png", min_side=48, max_side=4000, margin=0.05, enough=NUMBERS_SIDE)


class RapidOcr(BaseProvider):
    """Reads text with RapidOCR."""

    wants = InputSpec(
        encoding="png", preparation="repeated", min_side=96, max_side=2000, **PREPARATIONS["repeated"]
    )
    price: Price | None = FREE

    def __init__(self, *, name: str = "rapidocr") -> None:
        """Load the networks (about two seconds); they are in the package, nothing is downloaded.

        Args:
            name: the engine's name in a Prediction.

        Raises:
            NotInstalled: the extra "ocr" is missing.
        """
        self.name = name
        with requires("RapidOCR", "ocr"):
            import onnxruntime
            from rapidocr import RapidOCR
        onnxruntime.disable_telemetry_events()  # on by default since 1.29, but this engine must stay local
        with SERVICE.translated():  # without the level RapidOCR logs each file that it loads
            self._client: Any = RapidOCR(params={"Global.log_level": "critical"})
        self._version = f"rapidocr {version('rapidocr')}"
        self._lock = threading.Lock()

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Return whether the packages are installed."""
        return looked("ocr", ["rapidocr", "onnxruntime"], (), ())

    def load(self) -> None:
        """Run the network on a blank picture, because its first run is its slowest."""
        blank = io.BytesIO()
        Image.new("L", (96, 96), 255).save(blank, "PNG")
        self._ask(blank.getvalue())

    def for_numbers(self) -> RapidOcr:
        """Return the same networks, with the detector of a page's lines."""
        numbers = copy(self)
        numbers.wants, numbers.options = NUMBERS, {"numbers": True}
        return numbers

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Read once; this takes milliseconds and cannot be interrupted, so ``timeout`` has no effect."""
        with SERVICE.translated():
            if self.wants is not NUMBERS:
                return parse(self._ask(image.data))
            raw = self._ask(image.data, DETECTING)
            if len(raw["txts"]) < 2 and image.place and min(image.place.size) <= CUT_OUT:
                line = self._ask(image.data)
                if sum(line["scores"]) > sum(raw["scores"]):
                    raw = {**line, "boxes": [(0, 0, *image.size)]}
            return parse(raw)

    def _ask(self, data: bytes, flags: Mapping[str, Any] = FLAGS) -> dict[str, Any]:
        with self._lock:  # the engine stores the flags
            found = self._client(data, **flags)
        scores = [float(score) for score in found.scores or ()]
        raw = {"txts": list(found.txts or ()), "scores": scores, "version": self._version}
        if not flags["use_det"] or not scores:
            return raw
        chars = [[(score, _box(corners)) for _, score, corners in line] for line in found.word_results]
        return {**raw, "boxes": [_box(corners) for corners in found.boxes], "chars": chars}


def _box(corners: Any) -> Box | None:
    return box_around([(float(x), float(y)) for x, y in corners])


def parse(raw: Mapping[str, Any]) -> Answer:
    """Convert the texts, scores and version of RapidOCR's TextRecOutput to an Answer.

    Raises:
        BadAnswer: a text or a score is invalid.
    """
    nothing = [None] * len(raw["txts"])
    boxes, chars = raw.get("boxes", nothing), raw.get("chars", nothing)
    lines = [
        Candidate(text, score, box, _signs(text, signs or ()))
        for text, score, box, signs in zip(raw["txts"], raw["scores"], boxes, chars, strict=True)
        if text
    ]
    return checked(Answer(tuple(lines), raw=raw, model_version=raw.get("version")))


def _signs(text: str, chars: Sequence[tuple[float, Box | None]]) -> tuple[Sign, ...]:
    """Return a Sign for each character of a line; RapidOCR reports none for a space."""
    if not chars or len(chars) != len("".join(text.split(" "))):
        return ()
    given = iter(chars)
    return tuple(Sign() if char == " " else Sign(*next(given)) for char in text)


ERRORS: Mapping[str, Rule] = {
    "builtins.FileNotFoundError": NotConfigured,
    "rapidocr.main.RapidOCRError": Rejected,
    "rapidocr.inference_engine.onnxruntime.main.ONNXRuntimeError": Rejected,
    "rapidocr.utils.load_image.LoadImageError": Rejected,
    "PIL.UnidentifiedImageError": Rejected,
}
"""Exceptions while the networks are loaded or run."""

SERVICE = Service("RapidOCR", ERRORS, {NotConfigured: f"its files are damaged; {install_hint('ocr')}"})
