"""The configuration file: found, read, and every mistake in it named."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitrec.config import Config, config_path, default_ledger, load
from digitrec.errors import NotConfigured

WHOLE = """
provider = "google"
ledger = "~/answers.sqlite"
[budget]
per_month = 10
[prices]
azure = 0.001
[rates]
azure = 0.33
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "config.toml"
    path.write_text(text, "utf-8")
    return path


def test_no_file_is_an_empty_configuration() -> None:
    assert load() == Config("local", None, None, {}, {})


def test_every_setting(tmp_path: Path) -> None:
    assert load(written(tmp_path, WHOLE)) == Config(
        "google", Path("~/answers.sqlite").expanduser(), 10.0, {"azure": 0.001}, {"azure": 0.33}
    )


def test_the_documented_file_is_a_good_one(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "ledger.md").read_text("utf-8")
    example = page.partition("```toml\n")[2].partition("```")[0]
    assert load(written(tmp_path, example)).per_month == 10.0


def test_found_in_the_users_folder_or_where_the_variable_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config_path().parent.mkdir(parents=True)
    written(config_path().parent, "provider = 'aws'")
    assert load().provider == "aws"
    monkeypatch.setenv("DIGITREC_CONFIG", str(written(tmp_path, "provider = 'azure'")))
    assert load().provider == "azure"


def test_a_file_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITREC_CONFIG", str(tmp_path / "nowhere.toml"))
    with pytest.raises(NotConfigured, match=r"nowhere\.toml is not there"):
        load()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("provider = ", "cannot be read"),
        ("provider = 7", "the setting provider must be a text"),
        ("ledger = ''", "the setting ledger must be a text"),
        ("budjet = 1", "the setting budjet is unknown; there are: budget, ledger, prices, provider, rates"),
        ("budget = 10", "the setting budget must be a table"),
        ("[budget]\nper_day = 1", r"the setting budget\.per_day is unknown"),
        ("[budget]\nper_month = -1", r"the setting budget\.per_month must be a number, 0 or more"),
        ("[budget]\nper_month = true", r"the setting budget\.per_month must be a number"),
        ("[prices]\nazure = 'cheap'", r"the setting prices\.azure must be a number"),
        ("[prices]\nazure = inf", r"the setting prices\.azure must be a number"),
        ("[prices]\nazur = 0.001", r"the setting prices\.azur is unknown; there are: aws, azure, .*rapidocr"),
        ("[rates]\nazur = 1", r"the setting rates\.azur is unknown; there are: aws, azure, "),
        ("[rates]\nazure = 0", r"the setting rates\.azure must be more than 0"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(NotConfigured, match=message) as caught:
        load(written(tmp_path, text))
    assert "config.toml" in str(caught.value)


def test_a_provider_of_another_package_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "acme-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (package / "entry_points.txt").write_text("[digitrec.providers]\nacme = acme:Acme\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load(written(tmp_path, "[prices]\nacme = 0.001")).prices == {"acme": 0.001}


def test_the_ledger_lies_in_the_users_data_folder() -> None:
    assert default_ledger().name == "ledger.sqlite"
    assert default_ledger().parent.name == "digitrec"
