from __future__ import annotations

import pytest

from digitrec.emulator import Picture, Word
from digitrec.emulator.reading import open_reader
from digitrec.errors import NotConfigured, UnknownProvider

from .clients import picture


class TestScript:
    def read(self, tmp_path, text: str, times: int = 1) -> list[list[Word]]:
        (tmp_path / "answers.jsonl").write_text(text)
        reader = open_reader(f"script:{tmp_path / 'answers.jsonl'}")
        assert reader.name == "script"
        return [list(reader.read(Picture.decode(picture()))) for _ in range(times)]

    def test_answers_come_in_order_and_from_the_top_again(self, tmp_path):
        script = (
            '[{"text": "7", "confidence": 0.5, "box": [1, 2, 3, 4]}]\n'
            "[]\n\n"
            '[{"text": "4", "confidence": 1}, {"text": "2", "confidence": 0}]\n'
        )
        seven = [Word("7", 0.5, (1, 2, 3, 4))]
        both = [Word("4", 1, (0, 0, 200, 120)), Word("2", 0, (0, 0, 200, 120))]
        assert self.read(tmp_path, script, times=4) == [seven, [], both, seven]

    @pytest.mark.parametrize(
        "text",
        [
            "", "no json", "[7]", "7", '[{"confidence": 1}]', '[{"text": "7"}]',
            '[{"text": "", "confidence": 1}]', '[{"text": "7 8", "confidence": 1}]',
            '[{"text": 7, "confidence": 1}]', '[{"text": "7", "confidence": 98}]',
            '[{"text": "7", "confidence": 1, "box": [1, 2]}]',
        ],
    )  # fmt: skip
    def test_a_script_that_is_none_is_named(self, tmp_path, text):
        with pytest.raises(NotConfigured, match=r"answers\.jsonl"):
            self.read(tmp_path, text)

    def test_a_missing_script(self, tmp_path):
        with pytest.raises(NotConfigured, match=r"none\.jsonl"):
            open_reader(f"script:{tmp_path / 'none.jsonl'}")


def test_an_unknown_engine():
    with pytest.raises(UnknownProvider, match="no provider is called 'crystal-ball'"):
        open_reader("crystal-ball")


def test_an_engine_that_reads_elsewhere_is_none(monkeypatch):
    monkeypatch.setenv("VISION_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("VISION_KEY", "k")
    with pytest.raises(NotConfigured, match="azure does not read on this machine"):
        open_reader("azure")
