from __future__ import annotations

import io

import pytest
from PIL import Image

from digitrec.emulator.reading import Picture, Word, lines, open_reader, outline
from digitrec.errors import ImageError, NotConfigured, UnknownProvider

from .clients import picture


def words(*boxes: tuple[float, float, float, float]) -> list[Word]:
    return [Word(str(number), 1.0, box) for number, box in enumerate(boxes)]


def texts(rows: list[list[Word]]) -> list[list[str]]:
    return [[word.text for word in row] for row in rows]


class TestPicture:
    @pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
    def test_its_format_and_size(self, form):
        found = Picture.decode(picture((200, 120), form))
        assert (found.format, found.width, found.height) == (form, 200, 120)
        assert found.image.pixels.shape[:2] == (120, 200)

    def test_one_that_lies_on_its_side_is_stood_up(self):
        file = io.BytesIO()
        exif = Image.Exif()
        exif[0x0112] = 6
        Image.new("L", (200, 120), 255).save(file, "JPEG", exif=exif)
        found = Picture.decode(file.getvalue())
        assert (found.width, found.height) == (120, 200)
        assert found.image.pixels.shape[:2] == (200, 120)

    @pytest.mark.parametrize("data", [b"", b"no picture", picture()[:100]])
    def test_no_picture(self, data):
        with pytest.raises(ImageError):
            Picture.decode(data)


class TestLines:
    def test_words_level_with_each_other_are_one_line(self):
        assert texts(lines(words((0, 0, 10, 10), (20, 4, 30, 12), (0, 20, 10, 30)))) == [["0", "1"], ["2"]]

    def test_no_words_are_no_lines(self):
        assert lines([]) == []

    def test_the_outline_holds_all_of_them(self):
        assert outline(words((5, 0, 10, 10), (20, 4, 30, 12))) == (5, 0, 30, 12)


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
