"""Fields of a form: alignment, one number for each, and errors in their file."""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digitrec.answer import Answer, Candidate, Failure, Number, Sheet, Sign
from digitrec.emulator.kit import FakeProvider
from digitrec.engine import Engine
from digitrec.errors import DataError, NotConfigured
from digitrec.image import Box, DigitImage, InputSpec, PreparedImage
from digitrec.prepare.components import components
from digitrec.providers.openai import OpenAi
from digitrec.recognise.align import align
from digitrec.recognise.forms import Form, load_form, read_forms

SIZE = 900, 700
FRAME = 0.1, 0.1, 0.9, 0.9
FIELDS: dict[str, Box] = {
    "one": (0.2, 0.2, 0.4, 0.3), "two": (0.6, 0.2, 0.8, 0.3), "none": (0.2, 0.5, 0.4, 0.6),
    "both": (0.5, 0.6, 0.85, 0.8),
}  # fmt: skip
MARKS = {"3": (0.3, 0.25), "4": (0.7, 0.25), "5": (0.6, 0.7), "6": (0.75, 0.7)}
"""Places of a form's black blocks, as shares of the page; `Blocks` reads each as its mark."""


class Blocks(FakeProvider):
    """Reads each black block of the page as the number of the mark that is nearest on the level page."""

    def __init__(self) -> None:
        super().__init__(wants=InputSpec(encoding="rgb"), name="blocks")

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        parts = components(np.asarray(image.picture().convert("L")) < 100)
        solid = np.flatnonzero((parts.height > 15) & (parts.area > 0.5 * parts.width * parts.height))
        order = sorted(solid, key=lambda at: (round(parts.top[at] / 150), parts.left[at]))
        boxes = np.stack([parts.left, parts.top, parts.right, parts.bottom], axis=1).astype(float)
        found = zip(MARKS, (tuple(boxes[at].tolist()) for at in order), strict=False)
        return Answer(tuple(Candidate(text, 0.9, box, (Sign(0.9, box),)) for text, box in found))


def form(frame: bool = True, lines: bool = False, stroke: tuple[float, ...] = ()) -> Image.Image:
    picture = Image.new("L", SIZE, 235)
    draw = ImageDraw.Draw(picture)
    if frame:
        sides = [share * side for share, side in zip(FRAME, SIZE * 2, strict=True)]
        draw.rectangle(sides, outline=40, width=4)
    for at in range(5) if lines else ():
        y = (0.15 + 0.17 * at) * SIZE[1]
        draw.line([0.05 * SIZE[0], y, 0.95 * SIZE[0], y], fill=60, width=3)
    draw.line([share * SIZE[at % 2] for at, share in enumerate(stroke)], fill=40, width=4)
    for across, down in MARKS.values():
        x, y = across * SIZE[0], down * SIZE[1]
        draw.rectangle([x - 12, y - 16, x + 12, y + 16], fill=20)
    return picture


STRUCK = form(frame=False, stroke=(0.01, 0.01, 0.99, 0.99))
TABLED = form(stroke=(0.15, 0.15, 0.55, 0.15, 0.55, 0.85, 0.15, 0.85, 0.15, 0.15))
EDGED = form(stroke=(0.003, 0.003, 0.003, 0.997, 0.997, 0.997, 0.997, 0.003, 0.003, 0.003))
TRIANGLE = form(frame=False, stroke=(0.5, 0.05, 0.95, 0.95, 0.05, 0.95, 0.5, 0.05))


def on_grey() -> Image.Image:
    """Return a form with darker paper around its frame, as in a newspaper."""
    page, inside = Image.new("L", SIZE, 170), (85, 65, 815, 635)
    page.paste(form().crop(inside), inside)
    return page


def photographed(picture: Image.Image, table: int = 235) -> Image.Image:
    """Return a form as a camera sees it from the side, with a margin: its lines alone do not place it."""
    corners = (-150, -100, -60, 800, 1000, 760, 940, -60)  # of the photo on the form, from the top left
    return picture.transform(SIZE, Image.Transform.QUAD, corners, Image.Resampling.BICUBIC, fillcolor=table)


def read(
    picture: Image.Image, fields: Form = Form(FIELDS), answer: Answer | None = None, **how: Any
) -> dict[str | None, Number]:
    """Return the number of each field, with `Blocks` or an engine that gives this answer."""
    provider = Blocks() if answer is None else FakeProvider([answer], wants=InputSpec(encoding="rgb"))
    with Engine(provider) as engine:
        (sheet,) = read_forms([picture], fields, engine, **how)
    assert isinstance(sheet, Sheet) and sheet.size == SIZE
    assert [number.field for number in sheet.numbers] == list(fields.fields)
    return {number.field: number for number in sheet.numbers}


@pytest.mark.parametrize(("picture", "frame"), [
    (form(), None), (form(), FRAME), (form().rotate(6, fillcolor=235), None),
    (form().rotate(-7, fillcolor=235), FRAME), (photographed(form()), FRAME),
    (form(frame=False, lines=True).rotate(5, fillcolor=235), None), (form(frame=False), None),
    (STRUCK, None), (TRIANGLE, None), (photographed(form(), table=110), FRAME), (EDGED, FRAME),
    (TABLED, FRAME), (on_grey().rotate(-7, fillcolor=170), FRAME),
    ],
    ids=["level", "level-frame", "turned", "turned-frame", "photo", "lines", "bare", "struck",
    "triangle", "dark-table", "edge-of-the-page", "table-inside", "grey",
])  # fmt: skip
def test_each_field_of_an_aligned_form_has_its_number(picture: Image.Image, frame: Box | None) -> None:
    found = read(picture, Form(FIELDS, frame))
    assert [(name, number.text, number.reason) for name, number in found.items()] == [
        ("one", "3", None), ("two", "4", None), ("none", "", "no number"),
        ("both", "5 6", "more than one number"),
    ]  # fmt: skip
    for name in ("one", "two"):
        left, top, right, bottom = (int(side) for side in found[name].box or ())
        assert (np.asarray(picture)[top:bottom, left:right] < 100).mean() > 0.5


TABLE = 0.15, 0.15, 0.85, 0.15, 0.85, 0.85, 0.15, 0.85, 0.15, 0.15


@pytest.mark.parametrize(
    "picture", [STRUCK, form(stroke=TABLE).rotate(0, translate=(-100, 0), fillcolor=235)], ids=["none", "cut"]
)
def test_without_its_frame_a_form_has_no_sure_number(picture: Image.Image) -> None:
    assert {number.value for number in read(picture, Form(FIELDS, FRAME)).values()} == {None}


def test_a_page_keeps_its_shape_and_a_field_off_the_photo_has_no_box() -> None:
    photo = Image.new("L", (SIZE[0], 2 * SIZE[1]), 235)
    photo.paste(form(), (0, 300))
    page = align(DigitImage.open(photo), FRAME)
    assert page is not None and np.divide(*page.image.size) == pytest.approx(SIZE[0] / SIZE[1], rel=0.01)
    turned = form(frame=False, lines=True).rotate(10, fillcolor=235)
    assert read(turned, Form({"corner": (0.98, 0.0, 1.0, 0.02)}))["corner"].box is None


def test_boxes_are_on_the_turned_picture_in_its_full_size() -> None:
    size = 3 * SIZE[0], 3 * SIZE[1]
    lying = photographed(form()).resize(size).transpose(Image.Transpose.ROTATE_90)
    with Engine(Blocks()) as engine:
        (sheet,) = read_forms([lying], Form(FIELDS, FRAME), engine, rotate=90)
    assert isinstance(sheet, Sheet) and (sheet.size, sheet.turned) == (size, 90)
    number = sheet.numbers[0]
    left, top, right, bottom = (int(side) for side in number.box or ())
    upright = np.asarray(lying.transpose(Image.Transpose.ROTATE_270))
    assert (upright[top:bottom, left:right] < 100).mean() > 0.5
    assert number.digits[0].box == pytest.approx(number.box)


@pytest.mark.parametrize(("picture", "frame", "degrees", "shift"), [
    (form(frame=False, lines=True).rotate(5, fillcolor=235), None, 5, 0),
    (form().rotate(0, translate=(24, 24), fillcolor=235), FRAME, 0, 24),
], ids=["turned", "shifted"])  # fmt: skip
def test_an_empty_field_has_its_place_on_the_photo(
    picture: Image.Image, frame: Box | None, degrees: float, shift: float
) -> None:
    left, top, right, bottom = FIELDS["none"]
    middle, turn = np.array(SIZE) / 2, np.radians(degrees)
    corners = np.array([(left, top), (right, top), (right, bottom), (left, bottom)]) * SIZE - middle
    corners = corners @ [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]] + middle + shift
    expected = *corners.min(axis=0), *corners.max(axis=0)
    assert read(picture, Form(FIELDS, frame))["none"].box == pytest.approx(expected, abs=2 if shift else 0.3)


def test_a_photo_aligned_to_other_frames_is_another_picture() -> None:
    photo = DigitImage.open(form().rotate(6, fillcolor=235))
    found = [align(photo, frame) for frame in (None, FRAME, (0.0, 0.0, 0.5, 0.5))]
    assert len({one.image.ref.view for one in found if one is not None}) == 3


def test_a_number_between_two_fields_belongs_to_one() -> None:
    halves = {"left": (0.0, 0.0, 0.5, 1.0), "right": (0.5, 0.0, 1.0, 1.0)}
    word = Answer((Candidate("7", 0.9, (440, 300, 460, 340)),))
    assert [number.text for number in read(form(frame=False), Form(halves), word).values()] == ["", "7"]
    places = ("3", 430), ("1", 452), ("1", 462)
    words = [Candidate(text, 0.9, (at, 300, at + 18, 340), (), 0.9) for text, at in places]
    apart, near = Answer((words[0], words[2])), Answer((words[0], words[1]))
    assert [number.value for number in read(form(frame=False), Form(halves), apart).values()] == [3, 1]
    signs = tuple(Sign(0.9, (left, 300, left + 18, 340)) for left in (430, 460))
    across = Answer((Candidate("31", 0.9, (430, 300, 478, 340), signs),))
    for answer in (near, across, Answer((Candidate("31", 0.9, (430, 300, 478, 340)),))):
        found = read(form(frame=False), Form(halves), answer).values()
        assert [(one.text, one.reason) for one in found] == [("3", "not sure"), ("1", "not sure")]


def boxed(text: str, gap: float = 40, chance: float | None = 0.9, top: float = 150) -> Answer:
    """Return an answer with one word for each character, as in the boxes of a form's field."""
    steps = enumerate(text)
    boxes = [(character, (200 + gap * at, top, 220 + gap * at, top + 30)) for at, character in steps]
    return Answer(tuple(Candidate(text, 0.8, box, (Sign(0.8, box),), chance) for text, box in boxes))


APART = "0 7 1", None, "more than one number"


@pytest.mark.parametrize(("answer", "how", "expected"), [
    (boxed("071"), {}, ("071", 71, None)), (boxed("071", chance=None), {}, ("071", 71, None)),
    (boxed("071"), {"digits": (2, 3)}, ("071", 71, None)), (boxed("071"), {"digits": 4}, APART),
    (boxed("071"), {"at_least": 0.8}, ("071", None, "not sure")),
    (boxed("071", chance=0.7), {}, ("071", None, "not sure")), (boxed("071", gap=67), {}, APART),
    (Answer(boxed("07").candidates + boxed("1", top=175).candidates), {}, APART),
    (Answer(boxed("07.10", gap=26).candidates[:2] + boxed("07.10", gap=26).candidates[3:]), {},
     ("0 7 1 0", None, "more than one number")),
    (Answer((Candidate("12", 0.9, (200, 150, 230, 180)), Candidate("3", 0.9, (260, 150, 275, 180)))), {},
     ("12 3", None, "more than one number")),
])  # fmt: skip
def test_digits_in_the_boxes_of_a_field_are_one_number(
    answer: Answer, how: dict[str, Any], expected: tuple[str, int | None, str | None]
) -> None:
    number = read(form(frame=False), answer=answer, **how)["one"]
    assert (number.text, number.value, number.reason) == expected
    assert "".join(str(it.digit) for it in number.digits) == expected[0].replace(" ", "")
    if number.value is not None:
        assert number.box == (200, 150, 300, 180) and [it.digit for it in number.digits] == [0, 7, 1]


@pytest.mark.parametrize(("how", "reason"), [
    ({"lenient": True}, None), ({}, "no number"),
    ({"lenient": True, "digits": 2}, "another number of digits"),
    ({"lenient": True, "at_least": 0.95}, "not sure"),
])  # fmt: skip
def test_the_options_of_reading_apply_to_the_fields(how: dict[str, Any], reason: str | None) -> None:
    one = read(form(frame=False), answer=Answer((Candidate("1O4", 0.9, (200, 150, 290, 190)),)), **how)["one"]
    assert (one.reason, one.value) == (reason, None if reason else 104)


@pytest.mark.parametrize("words", [
    [("1250", (230, 150, 410, 190))], [("12", (250, 150, 290, 190)), ("345", (292, 150, 350, 190))],
    [("-", (60, 165, 78, 172)), ("45", (84, 150, 140, 190))],
])  # fmt: skip
def test_a_number_that_goes_on_beyond_its_field_is_not_sure(words: list[tuple[str, Box]]) -> None:
    answer = Answer(tuple(Candidate(text, 0.99, box, (), 0.9) for text, box in words))
    one = read(form(frame=False), Form({"one": (80 / SIZE[0], 0.2, 300 / SIZE[0], 0.35)}), answer)["one"]
    assert (one.value, one.reason) == (None, "not sure")


def test_a_word_without_a_box_costs_no_other_field() -> None:
    answer = Answer((Candidate("104", 0.9, (200, 150, 290, 190)), Candidate("99", 0.5)))
    assert read(form(frame=False), answer=answer)["one"].value == 104


def test_an_engine_without_boxes_cannot_fill_fields() -> None:
    others = FakeProvider([Answer((Candidate("7", 0.9),))], wants=InputSpec(encoding="rgb"))
    # Were it asked, there would be a Failure.
    for provider in (others, OpenAi(model="m", key="k", endpoint="http://localhost:9")):
        with Engine(provider) as engine, pytest.raises(NotConfigured):
            list(read_forms([form()], Form(FIELDS), engine))


def test_a_bad_picture_takes_its_own_place_only() -> None:
    with Engine(Blocks()) as engine:
        missing, sheet = read_forms(["not-there.png", form()], Form(FIELDS), engine)
    assert isinstance(missing, Failure) and isinstance(sheet, Sheet)
    assert (missing.provider, missing.image.source) == ("blocks", "not-there.png")


def test_a_page_without_a_frame_is_read_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "digitrec"):
        assert read(form(frame=False))["one"].value == 3
    assert "<image>" in caplog.text


@pytest.mark.parametrize(("fields", "named"), [
    ({"total": [0.9, 0.1, 0.2, 0.1]}, "total"), ({"total": [-0.1, 0, 1, 1]}, "total"),
    ({"total": [0.1, 0.1, 0, 0.1]}, "total"), ({"total": [0.1, 0.1, 0.1]}, "fields.json"),
    ({"a": [0, 0, 0.5, 0.5], "bee": [0.4, 0.4, 0.3, 0.3]}, "bee"), ({}, "fields.json"),
    ([1, 2], "fields.json"), ({"a": ["x", 0, 1, 1]}, "fields.json"), ("{", "fields.json"),
    ('{"frame": null}', "`fields`"),
    ({"a": [float("nan"), 0, 1, 1]}, "a"), ({"a": [10**400, 0, 1, 1]}, "json"), ({"\ud800": 0}, "utf-8"),
    ('{"fields": {"a": [0, 0, 1, 1]}, "farme": [0, 0, 1, 1]}', "farme"),
    ('{"fields": {"tax": [0, 0, 1, 0.5], "tax": [0, 0.5, 1, 0.5]}}', "'tax' occurs twice"),
])  # fmt: skip
def test_a_wrong_fields_file_names_the_field(fields: object, named: str, tmp_path: Path) -> None:
    file = tmp_path / "fields.json"
    file.write_text(fields if isinstance(fields, str) else json.dumps({"fields": fields}))
    with pytest.raises(DataError, match=named):
        load_form(file)


def test_a_file_of_fields_may_have_a_frame(tmp_path: Path) -> None:
    file = tmp_path / "fields.json"
    file.write_text(json.dumps({"fields": {"a": [0.1, 0.2, 0.9, 0.8]}, "frame": [0, 0, 1, 1]}))
    assert load_form(file) == Form({"a": (0.1, 0.2, 1.0, 1.0)}, (0, 0, 1, 1))
    for encoding in ("utf-8-sig", "utf-16"):  # as by Notepad and by PowerShell
        file.write_text(json.dumps({"fields": {"a": [0, 0, 1, 1]}, "frame": None}), encoding)
        assert load_form(file) == Form({"a": (0, 0, 1, 1)}, None)
    file.write_text(json.dumps({"fields": {"a": [0.1, 0.2, 0.3, 0.4], "beside it": [0.4, 0.2, 0.3, 0.4]}}))
    assert load_form(file).fields["a"] == pytest.approx((0.1, 0.2, 0.4, 0.6))
