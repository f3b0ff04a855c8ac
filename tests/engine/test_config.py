"""The configuration file: found and read; an error names the mistake."""

from pathlib import Path

import pytest

from digitrec.engine.config import Config, Month, Parameters, TokenPrice, config_path, example, load
from digitrec.errors import NotConfigured


def loaded(content: str | bytes) -> Config:
    config_path().parent.mkdir(parents=True, exist_ok=True)
    config_path().write_bytes(content if isinstance(content, bytes) else content.encode())
    return load()


def test_no_file_is_an_empty_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load() == Config()
    monkeypatch.setenv("DIGITREC_CONFIG", "")  # names no file
    assert load() == Config()


def test_a_link_that_leads_nowhere_is_no_missing_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITREC_CONFIG", "")
    config_path().parent.mkdir(parents=True, exist_ok=True)
    config_path().symlink_to("/nowhere/config.toml")
    with pytest.raises(NotConfigured, match="its link"):
        load()


def test_the_documented_file_has_every_setting() -> None:
    page = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text("utf-8")
    assert page.partition("```toml\n")[2].partition("```")[0] == example()
    assert loaded(example()) == Config(
        "local", Path("~/answers.sqlite").expanduser(), Month(10.0), {"azure": 0.001}, {"azure": 0.33},
        {"gpt-4o-mini": TokenPrice(0.15, 0.6)}, attempt_timeouts={"openai": 90.0},
        parameters={"openai": Parameters(("seed",), 512)},
    )  # fmt: skip


def test_found_in_the_users_folder_or_the_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert loaded("\ufeffprovider = 'aws'").provider == "aws"  # Windows' editors write the mark
    assert loaded("provider = 'google'".encode("utf-16")).provider == "google"  # PowerShell's encoding
    monkeypatch.setenv("DIGITREC_CONFIG", str(tmp_path / "other.toml"))
    assert loaded("provider = 'azure'").provider == "azure"
    assert loaded("ledger = 'paid.sqlite'").ledger == tmp_path / "paid.sqlite", "not in the current folder"
    monkeypatch.setenv("DIGITREC_CONFIG", str(tmp_path / "nowhere.toml"))
    with pytest.raises(NotConfigured, match="nowhere"):
        load()


MISTAKES = [
    ("provider = 7", "provider"), ("provider = ''", "provider"), ("ledger = ''", "ledger"),
    ("budjet = 1", "budjet"), ("budget = 10", "budget"), ("[budget]\nper_day = 1", "per_day"),
    *((f"[budget]\nper_month = {it}", "budget.per_month") for it in ("-1", "true", "1e10")),
    *((f"[prices]\nazure = {it}", "prices.azure") for it in ("'cheap'", "inf", "nan", "-0.1")),
    *((f"[{it}]\nazur = 1", f"{it}.azur") for it in ("prices", "rates", "attempt_timeouts", "parameters")),
    *((f"[{it}]\nazure = 0", f"{it}.azure") for it in ("rates", "attempt_timeouts")),
    ("[parameters]\nopenai = 1", "parameters.openai"), ("[parameters.openai]\nseed = 1", "seed"),
    ("[parameters.openai]\nleave_out = 'seed'", "parameters.openai.leave_out"),
    *((f"[parameters.openai]\nmax_tokens = {it}", "parameters.openai.max_tokens") for it in ("0", "true")),
    ("tokens = 1", "tokens"), ("[tokens]\nm = 1", "tokens.m"), ("[tokens.m]\ninput = 1", "output"),
    ("[tokens.m]\ninput = 1\noutput = -1", "tokens.m.output"), ("[rates]\nazure = 1e-7", "rates.azure"),
]  # fmt: skip
INVALID = [
    b"\xff\xfe=", b"a = " + b"[" * 20_000, b"a." * 5_000 + b"b = 1", b"ledger = 'x'" + b" " * 1_000_001,
    b"[budget]\nper_month = " + b"9" * 5_000, b"[budget]\nper_month = 1e999", b"ledger = '~nobody-here/x'",
    b'ledger = "a\\u0000b"', b'"a\\nb" = 1', b'[tokens."a\\nb"]',
]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "named"), [*MISTAKES, *((content, "") for content in INVALID)], ids=lambda it: repr(it[:40])
)
def test_a_mistake_is_named_with_its_file_in_one_printable_line(content: str | bytes, named: str) -> None:
    with pytest.raises(NotConfigured, match=r"config\.toml") as caught:
        loaded(content)
    assert named in str(caught.value) and str(caught.value).isprintable()


def test_a_provider_of_another_package_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "acme-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[digitrec.providers]\nacme = acme:Acme\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert loaded("[prices]\nacme = 0.001").prices == {"acme": 0.001}
