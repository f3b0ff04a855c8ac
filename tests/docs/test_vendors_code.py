"""The vendors' own SDKs, used as docs/emulator.md says, against an emulator on a free port."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_parts import fences
from PIL import Image

from digitrec.emulator import Emulator
from digitrec.emulator.kit import drawn_seven

PORTS = {
    "8001": "google", "8002": "aws", "8003": "azure", "8004": "azure-analysis", "8005": "azure-document",
    "8006": "openai",
}  # fmt: skip
BLOCKS = {
    PORTS[port]: block for block in fences("docs/emulator.md", "python")
    for port in re.findall(r"http://127\.0\.0\.1:(\d+)", block)
}  # fmt: skip


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator([*PORTS.values()], engine="local") as running:
        yield running


def test_each_vendor_has_its_code_on_the_page() -> None:
    assert set(BLOCKS) == set(PORTS.values())


@pytest.mark.parametrize("vendor", sorted(BLOCKS))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")  # the page opens a file as a reader does
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_vendors_code_runs_as_it_stands(
    vendor: str, emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(drawn_seven().pixels).resize((200, 200)).save("7.png")
    for name, value in (
        ("ACCESS_KEY_ID", "test"),
        ("SECRET_ACCESS_KEY", "test"),
        ("DEFAULT_REGION", "us-east-1"),
    ):
        monkeypatch.setenv(f"AWS_{name}", value)
    said: list[str] = []
    code = re.sub(r"http://127\.0\.0\.1:\d+", emulator.endpoints[vendor], BLOCKS[vendor])
    exec(
        compile(code, "emulator.md", "exec"), {"print": lambda *words: said.append(" ".join(map(str, words)))}
    )
    promised = re.search(r"#\s(Operation[\w.]+|\{.*\})", BLOCKS[vendor])
    assert (promised[1] if promised else "7") in said[0]
