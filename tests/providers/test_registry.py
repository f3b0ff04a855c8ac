"""Names to providers, through one door for ours and a stranger's."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import EntryPoint, EntryPoints, entry_points

import pytest

from digitrec.errors import NotConfigured, NotInstalled, UnknownProvider
from digitrec.providers import registry
from digitrec.providers.local import Local


def test_all_of_ours_are_there() -> None:
    ours = {"local", "google", "aws", "azure", "azure-analysis", "tesseract", "rapidocr"}
    assert ours <= set(registry.names())


def test_listing_names_imports_no_provider() -> None:
    code = (
        "import sys, json\nfrom digitrec.providers import registry\nregistry.names()\n"
        "print(json.dumps([m for m in sys.modules if m.startswith('digitrec.providers.')]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(json.loads(done.stdout)) == {"digitrec.providers.base", "digitrec.providers.registry"}


def test_options_go_to_the_constructor_and_variables_to_from_env() -> None:
    assert registry.open_provider("local", name="mine").name == "mine"
    assert isinstance(registry.open_provider("local"), Local)
    with pytest.raises(NotConfigured, match="VISION_ENDPOINT"):
        registry.open_provider("azure", env={})


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(UnknownProvider, match="local"):
        registry.open_provider("nobody")


@pytest.mark.parametrize("place", ["no_such_module:Provider", "json:no_such_module"])
def test_a_provider_that_cannot_be_imported_is_listed_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    broken = EntryPoint("broken", place, registry.GROUP)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda **_: EntryPoints([broken]))
    (listing,) = registry.listings({})
    assert not listing.status.installed
    assert "no_such_module" in listing.status.missing[0]
    with pytest.raises(NotInstalled, match="the provider broken cannot be loaded"):
        registry.open_provider("broken")


def test_what_is_known_without_looking_is_what_the_metadata_says() -> None:
    for name, (module, attribute) in registry.KNOWN.items():
        (point,) = entry_points(group=registry.GROUP, name=name)
        assert point.value == f"{module}:{attribute}"
