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
    from digitrec.answer import Answer, Candidate, Failure, Number, Prediction, Sheet
    from digitrec.bulk.batch import batch
    from digitrec.comparison import Comparison, compare, compare_many, compare_stream
    from digitrec.comparison.policy import Consensus, Fallback
    from digitrec.engine import Engine, Options
    from digitrec.errors import DigitrecError, ImageError, ProviderError
    from digitrec.image import DigitImage
    from digitrec.providers.base import Provider
    from digitrec.providers.registry import open_provider
    from digitrec.recognise import predict, predict_many, read, read_many, read_stream, stream
    from digitrec.recognise.awaited import apredict, aread, astream


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

__all__ = [
    "Answer", "Candidate", "Comparison", "Consensus", "DigitImage", "DigitrecError", "Engine", "Failure",
    "Fallback", "ImageError", "Number", "Options", "Prediction", "Provider", "ProviderError", "Sheet",
    "__version__", "apredict", "aread", "astream", "batch", "compare", "compare_many", "compare_stream",
    "open_provider", "predict", "predict_many", "read", "read_many", "read_stream", "stream",
]  # fmt: skip


if not TYPE_CHECKING:  # else a type checker would accept every misspelt name

    def __getattr__(name):
        if name == "errors":  # the module, for `except digitrec.errors.RateLimited`
            return import_module("digitrec.errors")
        if name not in _HOME:
            raise AttributeError(f"module 'digitrec' has no attribute {name!r}")
        return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return __all__
