"""All that is drawn, with matplotlib (the extra ``plots``): each function takes data and gives a Figure."""

from digitrec.providers.base import is_installed, not_installed

if not is_installed("matplotlib"):
    raise not_installed("Drawing plots", "plots")
