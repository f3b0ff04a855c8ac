"""Reads handwritten digits and numbers from any picture and says how sure it is.

    >>> import digitrec
    >>> digitrec.predict("7.png").digit  # doctest: +SKIP
    7

The names below are loaded on first use, so that ``import digitrec`` costs next to nothing.
"""

from importlib import import_module

__version__ = "0.3.0"

TYPE_CHECKING = False  # as type checkers know it; importing typing would take most of the time
if TYPE_CHECKING:
    from digitrec import errors as errors
    from digitrec.answer import Answer as Answer
    from digitrec.answer import Candidate as Candidate
    from digitrec.answer import Failure as Failure
    from digitrec.answer import Number as Number
    from digitrec.answer import Prediction as Prediction
    from digitrec.answer import Sheet as Sheet
    from digitrec.bulk.batch import batch as batch
    from digitrec.comparison import Comparison as Comparison
    from digitrec.comparison import compare as compare
    from digitrec.comparison import compare_many as compare_many
    from digitrec.comparison import compare_stream as compare_stream
    from digitrec.comparison.policy import Consensus as Consensus
    from digitrec.comparison.policy import Fallback as Fallback
    from digitrec.engine import Engine as Engine
    from digitrec.engine import Options as Options
    from digitrec.errors import DigitrecError as DigitrecError
    from digitrec.errors import ImageError as ImageError
    from digitrec.errors import ProviderError as ProviderError
    from digitrec.image import DigitImage as DigitImage
    from digitrec.providers.base import Provider as Provider
    from digitrec.providers.registry import open_provider as open_provider
    from digitrec.recognise import predict as predict
    from digitrec.recognise import predict_many as predict_many
    from digitrec.recognise import read as read
    from digitrec.recognise import read_many as read_many
    from digitrec.recognise import read_stream as read_stream
    from digitrec.recognise import stream as stream
    from digitrec.recognise.awaited import apredict as apredict
    from digitrec.recognise.awaited import aread as aread
    from digitrec.recognise.awaited import astream as astream


_NAMES = {
    "digitrec.answer": ("Answer", "Candidate", "Failure", "Number", "Prediction", "Sheet"),
    "digitrec.bulk.batch": ("batch",),
    "digitrec.comparison": ("Comparison", "compare", "compare_many", "compare_stream"),
    "digitrec.comparison.policy": ("Consensus", "Fallback"),
    "digitrec.engine": ("Engine", "Options"),
    "digitrec.errors": ("DigitrecError", "ImageError", "ProviderError"),
    "digitrec.image": ("DigitImage",),
    "digitrec.providers.base": ("Provider",),
    "digitrec.providers.registry": ("open_provider",),
    "digitrec.recognise": ("predict", "predict_many", "read", "read_many", "read_stream", "stream"),
    "digitrec.recognise.awaited": ("apredict", "aread", "astream"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}

__all__ = ["__version__", *sorted(_HOME)]  # noqa: PLE0604 (names come from the table above)


if not TYPE_CHECKING:  # else a type checker would accept every misspelt name

    def __getattr__(name):
        if name == "errors":  # the module, for `except digitrec.errors.RateLimited`
            return import_module("digitrec.errors")
        if name not in _HOME:
            raise AttributeError(f"module 'digitrec' has no attribute {name!r}")
        return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
