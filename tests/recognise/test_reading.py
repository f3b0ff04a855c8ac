"""From a picture to a Sheet: the same request as for a digit, boxes on the user's picture, failures."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pandas
import pytest
from pictures import encoded, exif
from PIL import Image, ImageDraw, ImageFont

import digitrec
from digitrec.answer import Answer, Candidate, Failure
from digitrec.emulator import VENDORS, Emulator, environment
from digitrec.emulator.kit import FakeProvider
from digitrec.emulator.reading import Picture, Word
from digitrec.errors import BadAnswer, ImageError, NotConfigured, NotInstalled, TimedOut
from digitrec.image import Box, DigitImage, ImageSource, InputSpec, PreparedImage, Turned, headers
from digitrec.providers import openai
from digitrec.providers.base import Provider
from digitrec.providers.registry import open_provider


def photo(size: tuple[int, int], marks: list[Box], orientation: int = 1, form: str = "PNG") -> bytes:
    """Return a picture of black boxes, encoded, with an EXIF orientation."""
    picture = Image.new("RGB", size, "white")
    for mark in marks:
        ImageDraw.Draw(picture).rectangle(mark, fill="black")
    return encoded(picture, form, exif=exif({0x0112: orientation}))


class Boxes(FakeProvider):
    """Reads each dark box on the picture that it is sent as a 7."""

    def __init__(self, wants: InputSpec) -> None:
        super().__init__(wants=wants, name="boxes")

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        dark = np.asarray(image.picture().convert("L")) < 128
        columns = np.flatnonzero(np.diff(dark.any(axis=0), prepend=False, append=False))
        found = []
        for left, right in columns.reshape(-1, 2).tolist():
            rows = np.flatnonzero(dark[:, left:right].any(axis=1))
            found.append(Candidate("7", 0.9, (left, int(rows[0]), right, int(rows[-1]) + 1)))
        return Answer(tuple(found))


WANTS = [
    InputSpec(encoding="rgb"), InputSpec(encoding="rgb", enough=1500), InputSpec(encoding="png", margin=0.1),
    InputSpec(encoding="png", min_side=1000), InputSpec(encoding="jpeg", max_side=300, margin=0.3),
]  # fmt: skip


@pytest.mark.parametrize("wants", WANTS, ids=lambda wants: f"{wants.encoding}-{wants.enough}-{wants.margin}")
@pytest.mark.parametrize("size", [(300, 200), (3200, 2400)])
def test_boxes_are_pixels_of_the_upright_picture(wants: InputSpec, size: tuple[int, int]) -> None:
    across, down = size[0] // 10, size[1] // 10
    mark = (2 * across, 3 * down, 4 * across - 1, 5 * down - 1)
    for orientation, (width, height), box in (
        (1, size, (2 * across, 3 * down, 4 * across, 5 * down)),
        (6, size[::-1], (5 * down, 2 * across, 7 * down, 4 * across)),
    ):
        sheet = digitrec.read(photo(size, [mark], orientation, "JPEG"), Boxes(wants))
        assert sheet.size == (width, height)
        assert sheet.numbers[0].box == pytest.approx(box, abs=max(size) / 150)


@pytest.mark.parametrize(("rotate", "region", "box"), [
    (0, None, (40, 60, 80, 100)), (90, None, (100, 40, 140, 80)), (0, (20, 30, 120, 150), (40, 60, 80, 100)),
    (0, (0.1, 0.1, 0.6, 0.9), (40, 60, 80, 100)), (90, (0.25, 0.0, 1.0, 0.5), (100, 40, 140, 80)),
])  # fmt: skip
def test_a_turned_picture_and_a_part_keep_the_places(
    rotate: int, region: tuple[float, float, float, float] | None, box: tuple[int, ...]
) -> None:
    picture = photo((300, 200), [(40, 60, 79, 99)])
    sheet = digitrec.read(picture, Boxes(WANTS[0]), rotate=rotate, region=region)
    assert sheet.turned == rotate and sheet.size == ((300, 200) if rotate == 0 else (200, 300))
    assert sheet.numbers[0].box == pytest.approx(box, abs=1)


def test_a_region_outside_an_opened_picture_names_it() -> None:
    opened = DigitImage.open(np.full((40, 40), 255, np.uint8))
    (failed,) = digitrec.read_many([opened], Boxes(WANTS[0]), region=(0, 0, 99_999, 9))
    assert failed.image == opened.ref


def test_a_region_contains_the_pixels_at_its_edges() -> None:
    picture = photo((300, 200), [(40, 60, 79, 99)])
    sheet = digitrec.read(picture, Boxes(WANTS[0]), region=(40.5, 60.5, 79.5, 99.5))
    assert sheet.numbers[0].box == (40, 60, 80, 100)


def test_a_region_of_a_large_picture_is_read_at_its_full_resolution() -> None:
    large = photo((3200, 2400), [(1601, 1202, 1603, 1207)])
    for provider, rotate in ((Boxes(WANTS[0]), 0), (Boxes(WANTS[2]), 180)):
        region = (1500, 1100, 1700, 1300)
        sheet = digitrec.read(large, provider, region=region, rotate=rotate)  # type: ignore[arg-type]
        box = (1601, 1202, 1604, 1208) if rotate == 0 else (1596, 1192, 1599, 1198)
        assert (sheet.numbers[0].box, sheet.size) == (box, (3200, 2400))
    part = DigitImage.open(Turned(large, 90, (0, 0, 2400, 3000)))
    assert part.size == (800, 1000), "a large region is shrunk"


def test_a_picture_of_a_batch_is_read_at_the_resolution_of_one_alone() -> None:
    large = np.full((3200, 2400), 255, np.uint8)
    large[1202:1207, 1601:1604] = 0
    for region in (None, (1500, 1100, 1700, 1300)):
        (alone,) = digitrec.read_many([large], Boxes(WANTS[1]), region=region)
        (stacked,) = digitrec.read_many(large[None], Boxes(WANTS[1]), region=region)
        assert stacked.numbers[0].box == alone.numbers[0].box
        assert stacked.image.sha256 == alone.image.sha256


def test_a_region_of_a_huge_jpeg_is_read_at_half_its_resolution(monkeypatch: pytest.MonkeyPatch) -> None:
    huge = photo((3200, 2400), [(1600, 1200, 1619, 1239)], form="JPEG")
    monkeypatch.setattr(headers, "MAX_DECODING_BYTES", 40_000_000)  # all its pixels take 54 MB
    sheet = digitrec.read(huge, Boxes(WANTS[0]), region=(1500, 1100, 1700, 1300))
    assert sheet.numbers[0].box == pytest.approx((1600, 1200, 1620, 1240), abs=2)


@pytest.mark.parametrize("region", [
    (0, 0, 301, 10), (-1, 0, 9, 9), (10, 10, 10, 20), (0.5, 0.5, 0.4, 1), (0, np.nan, 9, 9),
    (0, 0, 9, np.inf),
])  # fmt: skip
def test_a_region_that_is_not_inside_the_picture_fails_in_its_place(region: Any) -> None:
    good, bad = photo((400, 300), []), photo((300, 200), [])
    (failure,) = digitrec.read_many([bad], Boxes(WANTS[0]), region=region)
    assert isinstance(failure, Failure) and isinstance(failure.error, ImageError)
    with pytest.raises(ImageError):
        digitrec.read(bad, Boxes(WANTS[0]), region=region)
    assert digitrec.read(good, Boxes(WANTS[0]), region=(0, 0, 301, 10)).numbers == ()


def test_nothing_written_is_an_empty_sheet() -> None:
    sheet = digitrec.read(photo((200, 200), []), FakeProvider([Answer()]))
    assert (sheet.numbers, sheet.rows(), sheet.to_frame().shape[0]) == ((), [], 0)


def test_a_bad_picture_and_a_failed_call_cost_only_their_own_place() -> None:
    good, script = photo((200, 200), []), ["1", TimedOut("too slow"), "3"]
    outcomes = digitrec.read_many([good, b"no picture", good, good], FakeProvider(script))
    assert [type(outcome).__name__ for outcome in outcomes] == ["Sheet", "Failure", "Failure", "Sheet"]
    with pytest.raises(TimedOut):
        digitrec.read(good, FakeProvider(script[1:]))


@pytest.mark.parametrize(("options", "error"), [
    ({"digits": 0}, ValueError), ({"digits": (3, 2)}, ValueError), ({"digits": "4"}, TypeError),
    ({"rotate": 45}, ValueError), ({"at_least": 2}, ValueError), ({"region": (0, 0, 1)}, ValueError),
    ({"region": "0,0,1,1"}, ValueError), ({"region": 5}, ValueError), ({"region": [[0], 1]}, ValueError),
    ({"region": (False, False, True, True)}, ValueError),
    ({"region": (0, 0, None, 1)}, ValueError), ({"region": ("0", "0", "1", "1")}, ValueError),
])  # fmt: skip
def test_wrong_arguments_fail_before_a_request(options: dict[str, Any], error: type[Exception]) -> None:
    fake = FakeProvider()
    with pytest.raises(error, match=next(iter(options))):
        digitrec.read_stream([photo((200, 200), [])], fake, **options)
    assert fake.calls == 0


def test_a_stream_takes_its_pictures_as_it_needs_them() -> None:
    taken = []

    def endless() -> Iterator[ImageSource]:
        while True:
            taken.append(1)
            yield photo((100, 100), [])

    assert next(digitrec.read_stream(endless(), FakeProvider())).provider == "fake" and len(taken) < 5


def test_it_can_be_awaited() -> None:
    assert anyio.run(digitrec.aread, photo((200, 200), [])).provider == "local"
    sheet = anyio.run(lambda: digitrec.aread(photo((200, 200), []), FakeProvider(["12"]), digits=2))
    assert [number.value for number in sheet.numbers] == [Decimal(12)]


@pytest.mark.parametrize("preparation", ["repeated", "plain"])
def test_an_engine_that_wants_the_digit_alone_is_sent_the_whole_picture_for_numbers(preparation: str) -> None:
    class Counting(FakeProvider):
        closed = 0

        def close(self) -> None:
            self.closed += 1

    wants = InputSpec(encoding="png", preparation=preparation, crop=True, repeat=3, margin=0.5)
    fake, picture = Counting(["12"], wants=wants), photo((200, 200), [(50, 50, 80, 90)])
    assert [number.text for number in digitrec.read(picture, fake).numbers] == ["12"]
    assert fake.images[0].spec.preparation == "plain" and fake.images[0].spec.repeat == 1
    assert not fake.images[0].spec.crop and fake.wants == wants
    with digitrec.Engine(fake) as engine:
        assert engine.for_numbers.provider is fake, "what it opens on demand, its own close() closes"
    assert fake.closed


def test_an_engine_of_28x28_pixels_cannot_be_asked() -> None:
    with pytest.raises(NotConfigured):
        digitrec.read(photo((200, 200), []), FakeProvider(wants=InputSpec(encoding="mnist")))


def test_a_provider_may_bring_another_one_for_numbers() -> None:
    class Reader(FakeProvider):
        closed = 0

        def for_numbers(self) -> Provider:
            return Reader(["42"], wants=InputSpec(encoding="rgb"), name=self.name)

        def close(self) -> None:
            Reader.closed += 1

    with digitrec.Engine(Reader(["7"])) as engine:
        picture = photo((300, 200), [])
        assert digitrec.predict(picture, engine).digit == 7
        assert [digitrec.read(picture, engine).numbers[0].text for _ in range(2)] == ["42", "42"]
    assert Reader.closed == 2


def test_a_sheet_can_be_taken_to_json_and_to_pandas() -> None:
    words = (Candidate("7.50", 0.9, (70, 70, 110, 90)), Candidate("12:30", None, (70, 110, 120, 130)))
    sheet = digitrec.read(photo((600, 400), []), FakeProvider([Answer(words)]))
    assert [(row["text"], row["value"], row["reason"]) for row in sheet.as_dict()["numbers"]] == [
        ("7.50", "7.50", None), ("12:30", None, "not one number")
    ]  # fmt: skip
    frame = sheet.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert frame["value"].tolist() == [Decimal("7.50"), None] and frame["row"].tolist() == [0, 1]


@pytest.mark.parametrize("cloud", [name for name in VENDORS if name != "openai"])
def test_what_predict_paid_for_is_read_from_the_ledger_with_its_boxes(cloud: str, tmp_path: Path) -> None:
    def engine(picture: Picture) -> list[Word]:
        margin = picture.width / 12  # a tenth of the picture's longer side on each side of it
        side = picture.width - 2 * margin
        found = ("12", 0.1, 0.2, 100), ("7.5", 0.6, 0.7, 105), ("total", 0.1, 0.4, 200)
        return [Word(text, 0.9, (margin + left * side, top, margin + right * side, top + 40))
                for text, left, right, top in found]  # fmt: skip

    with Emulator([cloud], engine=engine) as emulator:
        provider = open_provider(cloud, env=environment(cloud, emulator.endpoints[cloud]))
        picture = photo((2000, 1600), [(100, 100, 300, 300)])
        with digitrec.Engine(provider, digitrec.Options(ledger=tmp_path / "paid.sqlite")) as asked:
            assert digitrec.predict(picture, asked).reason == "more than one digit"
            sheet = digitrec.read(picture, asked)
        assert emulator.counts(cloud).billed == 1
    assert (sheet.replayed, sheet.emulated, sheet.cost_usd) == (True, True, 0.0)
    assert [number.text for number in sheet.numbers] == ["12", "7.5"]
    assert [number.box[0] for number in sheet.numbers if number.box] == pytest.approx([200, 1200], abs=10)


@pytest.mark.parametrize("name", ["tesseract", "rapidocr"])
def test_the_ocr_engines_of_this_machine_find_the_numbers_of_a_page(name: str) -> None:
    page = Image.new("L", (500, 300), 255)
    for text, x, y in (("12", 50, 50), ("7.50", 300, 50), ("total", 40, 180), ("834", 300, 180)):
        ImageDraw.Draw(page).text((x, y), text, fill=0, font=ImageFont.load_default(40))
    try:
        provider = open_provider(name)
    except (NotConfigured, NotInstalled) as error:
        pytest.skip(str(error))
    sheet = digitrec.read(page, provider)
    assert [(number.text, number.row) for number in sheet.numbers] == [("12", 0), ("7.50", 0), ("834", 1)]
    for number, left in zip(sheet.numbers, (50, 300, 300), strict=True):
        assert number.box is not None and number.box[0] == pytest.approx(left, abs=20)


@pytest.mark.parametrize("leave_out", [(), ("response_format", "logprobs")])
def test_language_models_get_another_prompt_for_numbers(leave_out: tuple[str, ...], tmp_path: Path) -> None:
    words = [Word("12", 0.9, (10, 10, 60, 40)), Word("-7.5", 0.8, (10, 100, 60, 130))]
    with Emulator(["openai"], engine=lambda picture: words) as emulator:
        env = environment("openai", emulator.endpoints["openai"])
        provider = open_provider("openai", env=env, leave_out=leave_out)
        with digitrec.Engine(provider, digitrec.Options(ledger=tmp_path / "paid.sqlite")) as engine:
            picture = photo((600, 400), [])
            assert digitrec.predict(picture, engine).digit is None
            sheets = [digitrec.read(picture, engine) for _ in range(2)]
        assert emulator.counts("openai").billed == 2
    assert [number.text for number in sheets[1].numbers] == ["12", "-7.5"]
    assert [sheet.replayed for sheet in sheets] == [False, True]
    sure = [number.confidence for number in sheets[0].numbers]
    assert sure == ([None, None] if leave_out else [pytest.approx(0.9), pytest.approx(0.8)])


def test_a_number_that_a_model_writes_as_json_keeps_its_zeros() -> None:
    completion = {"choices": [{"message": {"content": '{"numbers": [7.50, "012", 30]}'}}]}
    assert [one.text for one in openai.parse(completion, openai.Numbers).candidates] == ["7.50", "012", "30"]


@pytest.mark.parametrize("content", ['{"numbers": 7}', '{"digit": 7}', "no JSON", '{"numbers": [[1]]}'])
def test_an_answer_without_the_list_of_numbers_is_a_bad_answer(content: str) -> None:
    with pytest.raises(BadAnswer):
        openai.parse({"choices": [{"message": {"content": content}}]}, openai.Numbers)
