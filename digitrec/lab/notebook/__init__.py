"""Drawing a digit in a notebook, and reading it there: in Colab and in Jupyter."""

from __future__ import annotations

import base64
import uuid
from importlib import import_module, resources
from typing import Any

from digitrec.answer.prediction import Prediction
from digitrec.engine import Engine
from digitrec.errors import DigitrecError, ImageError
from digitrec.errors.text import percent
from digitrec.providers.base import Provider
from digitrec.recognise import predict

PNG = "data:image/png;base64,"
NO_CANVAS = (
    "Nothing can be drawn here: a drawing reaches Python in Colab, and in Jupyter with ipywidgets "
    "(pip install ipywidgets). Draw on the page of `digitrec serve` instead, or read a file: "
    'digitrec.predict("7.png")'
)


class Drawing:
    """What was drawn last on a canvas in the notebook, and how it was read."""

    def __init__(self, engine: str | Provider | Engine = "local") -> None:
        """Nothing yet; `engine` reads it: a name, a provider or an engine."""
        self._engine = engine
        self.picture: bytes | None = None
        """As a PNG, black on white; None: nothing was read yet."""
        self.answer: Prediction | None = None
        """How `picture` was read; None: nothing was read yet."""

    def read(self, url: str) -> str:
        """Read what the canvas sent, a PNG as a ``data:`` URL, and say in a line what it is.

        It raises nothing: for an invalid picture the line shows the error, and the last drawing stays.
        """
        try:
            picture = _png(url)
            answer = predict(picture, self._engine)
        except DigitrecError as error:
            return str(error)
        self.picture, self.answer = picture, answer
        if answer.digit is None:
            return f"no digit: {answer.reason}"
        sure = "" if answer.confidence is None else f" ({percent(answer.confidence, 1)})"
        return f"{answer.digit}{sure}"


def _png(url: str) -> bytes:
    """Return the bytes of a PNG from a canvas's data URL.

    Raises:
        ImageError: it is not a PNG.
    """
    try:
        if not url.startswith(PNG):
            raise ValueError
        return base64.b64decode(url.removeprefix(PNG), validate=True)
    except ValueError as error:
        raise ImageError("the canvas sent no picture; draw again") from error


def draw(engine: str | Provider | Engine = "local") -> Drawing:
    """Show a canvas under the cell; what is drawn and read there stands in the `Drawing` that is given back.

    Where a front end cannot send a drawing to Python, a line says what to do instead.

    Args:
        engine: who reads it: a name, a provider or an engine.
    """
    drawing = Drawing(engine)
    name = f"digitrec-{uuid.uuid4().hex}"
    if not (_in_colab(drawing, name) or _in_jupyter(drawing, name)):
        print(NO_CANVAS)  # noqa: T201 (a cell's output is below it)
    return drawing


def canvas(name: str) -> str:
    """Return the canvas as HTML; its script passes drawings to `name`, a callback or a text area."""
    page = resources.files("digitrec.lab.notebook") / "canvas.html"
    return page.read_text(encoding="utf-8").replace("{{name}}", name)


def _in_colab(drawing: Drawing, name: str) -> bool:
    """Show it where Colab's JavaScript can call Python; False: this is not Colab."""
    try:
        output = import_module("google.colab.output")
    except ImportError:
        return False
    front: Any = import_module("IPython.display")

    def read(url: str) -> Any:
        return front.JSON({"said": drawing.read(url)})

    output.register_callback(name, read)
    front.display(front.HTML(canvas(name)))
    return True


def _in_jupyter(drawing: Drawing, name: str) -> bool:
    """Show it beside a hidden text area of ipywidgets, whose text gets to Python; False: there is none."""
    try:
        widgets: Any = import_module("ipywidgets")
        front: Any = import_module("IPython.display")
    except ImportError:
        return False
    if getattr(import_module("IPython").get_ipython(), "kernel", None) is None:  # a terminal shows no HTML
        return False
    sent, said = widgets.Textarea(), widgets.Label()
    sent.layout.display = "none"
    sent.add_class(name)

    def read(change: dict[str, Any]) -> None:
        said.value = drawing.read(change["new"])

    sent.observe(read, names="value")
    front.display(front.HTML(canvas(name)), widgets.VBox([sent, said]))
    return True
