"""The version of digitrec, and how to install its extras."""

__version__ = "0.3.0"

FROM = "'.[{extra}]' in digitrec's folder"
"""What stands behind ``pip install``. digitrec is on no index yet, where its name may be anybody's: only its
folder is safe advice. The day it is published this becomes "'digitrec[{extra}]'" (docs/release.md)."""


def install_hint(extra: str) -> str:
    """The command that brings an extra of digitrec."""
    return f"pip install {FROM.format(extra=extra)}"
