"""The registry: from a name to a provider, ours or another package's."""

import sys
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine
from digitrec.errors import NotConfigured, NotInstalled, UnknownProvider
from digitrec.providers import registry
from digitrec.providers.base import Price
from digitrec.providers.local import Local


@pytest.mark.parametrize(("name", "env", "options"), [
    ("google", {"GOOGLE_API_KEY": "k"}, {"language_hints": ["en"]}),
    ("aws-textract", {"AWS_REGION": "us-east-1"}, {"access_key": "k", "secret_key": "s"}),
    ("azure", {"VISION_ENDPOINT": "https://a.example", "VISION_KEY": "k"}, {"name": "mine"}),
    ("azure-document", {"DOCUMENTINTELLIGENCE_API_KEY": "k"}, {"endpoint": "https://a.example"}),
    ("openai", {"MISTRAL_API_KEY": "k", "DIGITREC_OPENAI_MODEL": "m"}, {"preset": "mistral"}),
    ("local", {"DIGITREC_MODEL": "not there"}, {"model": None}),
    ("aws", {"AWS_PROFILE": "nobody", "AWS_REGION": "r"}, {"access_key": "k", "secret_key": "s"}),
    ("google", {"GOOGLE_APPLICATION_CREDENTIALS": "not/there.json"}, {"api_key": "k"}),
])  # fmt: skip
def test_options_override_the_environment(name: str, env: dict[str, str], options: dict[str, Any]) -> None:
    opened = registry.open_provider(name, env=env, **options)
    opened.close()
    assert opened.name == options.get("name", name)


def test_options_go_to_the_constructor_and_variables_to_from_env() -> None:
    assert registry.open_provider("local", name="mine").name == "mine"
    assert isinstance(registry.open_provider("local"), Local)
    with pytest.raises(NotConfigured, match="VISION_ENDPOINT"):
        registry.open_provider("azure", env={})


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31m", "", "\u200b"])
def test_a_name_that_is_not_one_printable_line_is_refused(name: str) -> None:
    provider = FakeProvider(["7"])
    provider.name = name
    with pytest.raises(NotConfigured) as error:
        Engine(provider)
    assert str(error.value).isprintable()


def test_an_unknown_name_lists_those_there_are() -> None:
    with pytest.raises(UnknownProvider, match="local"):
        registry.open_provider("nobody")


# ---- other packages

PROVIDER = """
from digitrec.providers.base import Price, Status
from digitrec.emulator.kit import FakeProvider
class Stranger(FakeProvider):
    price = Price(0.25, "made up")
    @classmethod
    def from_env(cls, env): return cls(name="stranger")
"""

Package = Callable[..., None]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Package:
    """Install a package of one module with this metadata."""

    def install(name: str, points: str | bytes, code: str = PROVIDER, *, first: bool = True) -> None:
        folder = tmp_path / name
        info = folder / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        said = points if isinstance(points, bytes) else f"[{registry.GROUP}]\n{points}\n".encode()
        (info / "entry_points.txt").write_bytes(said)
        (folder / f"{name.replace('-', '_')}_code.py").write_text(code)
        monkeypatch.setattr(sys, "path", [str(folder), *sys.path] if first else [*sys.path, str(folder)])
        monkeypatch.delitem(sys.modules, f"{name.replace('-', '_')}_code", raising=False)

    return install


def test_a_configured_price_replaces_the_providers() -> None:
    prices = {one.name: one.price and one.price.usd for one in registry.listings({}, {"openai": 0.25})}
    assert (prices["openai"], prices["local"]) == (0.25, 0)


def listing(name: str) -> registry.Listing:
    (found,) = [found for found in registry.listings({}, {}) if found.name == name]
    return found


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("name", ["google", "local", "azure-analysis"])
def test_nobody_takes_the_name_of_one_of_ours(package: Package, name: str, first: bool) -> None:
    package("evil-ocr", f"{name} = evil_ocr_code:Stranger", first=first)
    assert registry.provider_class(name).__module__.startswith("digitrec.providers.")
    assert listing(name).price == registry.provider_class(name).price


@pytest.mark.parametrize("first", [True, False])
def test_our_own_metadata_twice_is_no_conflict(package: Package, first: bool) -> None:
    ours = "\n".join(f"{point.name} = {point.value}" for point in entry_points(group=registry.GROUP))
    before = registry.listings({}, {})
    package("digitrec", ours, first=first)  # as an editable installation beside an egg-info
    assert registry.listings({}, {}) == before


def test_of_two_strangers_with_one_name_the_first_on_the_path_counts(package: Package) -> None:
    package("two-ocr", "same = two_ocr_code:Stranger", first=False)
    package("one-ocr", "same = one_ocr_code:Stranger")
    assert registry.provider_class("same").__module__ == "one_ocr_code"


def test_a_price_may_be_a_property(package: Package) -> None:
    made = "property(lambda self: Price(0.5, 'made up'), lambda self, price: None)"
    package("one-ocr", "mine = one_ocr_code:Stranger", PROVIDER.replace('Price(0.25, "made up")', made))
    assert listing("mine").status.installed and listing("mine").price is None
    assert registry.open_provider("mine").price == Price(0.5, "made up")


def test_a_package_that_is_installed_later_is_found(package: Package, tmp_path: Path) -> None:
    package("one-ocr", "mine = one_ocr_code:Stranger")
    assert "other" not in registry.found()
    package("two-ocr", "other = one_ocr_code:Stranger", first=False)
    sys.path.pop()
    (tmp_path / "two-ocr" / "two-ocr-1.0.dist-info").rename(tmp_path / "one-ocr" / "two-ocr-1.0.dist-info")
    assert "other" in registry.found()


@pytest.mark.parametrize(("signature", "variables"), [("env, **options", True), ("env", False)])
def test_a_strangers_from_env_gets_what_it_takes(package: Package, signature: str, variables: bool) -> None:
    given = "**{'endpoint': env['AT'], **options}" if variables else ""
    from_env = f"(cls, {signature}): return cls({given})"
    code = PROVIDER.replace('(cls, env): return cls(name="stranger")', from_env)
    package("one-ocr", "mine = one_ocr_code:Stranger", code)
    opened = registry.open_provider("mine", env={"AT": "https://a.example"}, name="named")
    assert opened.name == "named"
    assert opened.endpoint == ("https://a.example" if variables else None)


IMPORTS = {
    "syntax": "this is no Python", "exit": "raise SystemExit(3)",
    "worse": "class Own(BaseException):\n    def __str__(self): raise ValueError\nraise Own", "nothing": "",
    "no class": "Stranger = 7", "no methods": "class Stranger: pass",
    "no close": PROVIDER + "\nStranger.close = None", "price": PROVIDER + "\nStranger.price = 'cheap'",
    "negative": PROVIDER + "\nStranger.price = Price(-1.0, '')",
}  # fmt: skip


@pytest.mark.parametrize("code", IMPORTS.values(), ids=IMPORTS.keys())
def test_a_broken_one_is_listed_with_the_reason_and_the_others_work(package: Package, code: str) -> None:
    package("bad-ocr", "bad = bad_ocr_code:Stranger", code)
    package("good-ocr", "good = good_ocr_code:Stranger")
    told = listing("bad")
    assert not told.status.installed
    assert "bad-ocr" in told.status.missing[0]
    assert "\n" not in told.status.missing[0]
    with pytest.raises(NotInstalled, match="bad-ocr"):
        registry.open_provider("bad", env={})
    assert listing("good").price is not None
    assert registry.open_provider("good", env={}).name == "stranger"


@pytest.mark.parametrize("method", [
    "raise KeyError('MY_KEY')", "raise SystemExit", "return 7", "it = cls(); it.price = 7; return it",
    "it = cls(); del it.name; return it", "it = cls(); it.rate = 0; return it",
])  # fmt: skip
def test_one_that_cannot_be_built_is_one_line(package: Package, method: str) -> None:
    built = f"class Stranger(Stranger):\n    @classmethod\n    def from_env(cls, env): {method}\n"
    package("bad-ocr", "bad = bad_ocr_code:Stranger", f"{PROVIDER}\n{built}")
    with pytest.raises(NotInstalled, match="bad-ocr"):
        registry.open_provider("bad", env={})
