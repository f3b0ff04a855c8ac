"""HEIC, AVIF and files of several pictures: recognised by content, within the limits."""

import io
import struct
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pictures import assert_refused, corner, encoded, grey
from PIL import Image, features

from digitrec.errors import ImageError
from digitrec.image import DigitImage, decode, frames, headers, pixels


class TestNewFormats:
    @pytest.mark.parametrize("mode", ["I;16", "L"])
    def test_ten_bits_and_grey_become_eight(self, mode: str) -> None:
        ramp = np.tile(np.linspace(0, 65535 if mode == "I;16" else 255, 64), (64, 1))
        picture = Image.fromarray(ramp.astype(np.uint16 if mode == "I;16" else np.uint8))
        pixels = grey(DigitImage.open(encoded(picture, "HEIF", quality=90))).astype(int)
        assert pixels[32, 2] < 20 and abs(pixels[32, 32] - 129) < 12 and pixels[32, 61] > 235

    @pytest.mark.parametrize("form", ["HEIF", "AVIF"])
    def test_are_refused_by_header_if_too_large(self, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
        data = encoded(corner("RGB", size=(200, 100)), form)
        monkeypatch.setattr(pixels, "MAX_PIXELS", 19_999)
        monkeypatch.setattr(Image.Image, "load", None)
        assert_refused(data)

    def test_a_heif_whose_header_lies_is_not_decoded(self) -> None:
        data = encoded(corner("RGB", size=(2000, 2000)), "HEIF", quality=10)
        assert_refused(data.replace(struct.pack(">II", 2000, 2000), struct.pack(">II", 50, 50)))


class TestADecoderThatIsMissing:
    def test_is_asked_for_by_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = encoded(corner(), "HEIF")
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
        assert_refused(data, r"\[heif\]")
        monkeypatch.setitem(sys.modules, "pypdfium2", None)
        assert_refused(b"%PDF-1.7", r"\[pdf\]")
        assert DigitImage.open(encoded(corner(), "AVIF")).frames == 1

    def test_is_told_where_pillow_was_built_without_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = encoded(corner(), "AVIF")
        monkeypatch.setattr(features, "check", lambda name: name != "avif")
        assert_refused(data)


def box(major: bytes, *also: bytes) -> bytes:
    return struct.pack(">I", 16 + 4 * len(also)) + b"ftyp" + major + bytes(4) + b"".join(also)


@pytest.mark.parametrize(("data", "kind"), [
    (box(b"heic", b"mif1"), "HEIF"), (box(b"mif1", b"heic", b"avif"), "HEIF"),
    (box(b"mif1", b"miaf", b"avif"), "AVIF"), (box(b"msf1"), "HEIF"),
    (box(b"avis", b"msf1", b"heic"), "AVIF"), (box(b"isom", b"mp42"), None), (box(b"crx "), None),
    (b"%PDF-1.7", "PDF"), (b"\x89PNG\r\n\x1a\n", None), (b"", None),
])  # fmt: skip
def test_a_container_says_what_is_in_it(data: bytes, kind: str | None) -> None:
    assert headers.kind(data) == kind


def pages(form: str, number: int = 3, **options: object) -> bytes:
    """Return pages with a blot that is black, then red, then black again, ..."""
    each = [corner("RGB", "red" if place % 2 else "black", "white") for place in range(number)]
    return encoded(each[0], form, save_all=True, append_images=each[1:], **options)


class TestSeveralPictures:
    @pytest.mark.parametrize("form", ["TIFF", "GIF", "PNG", "WEBP", "MPO", "AVIF", "HEIF", "PDF"])
    def test_the_first_is_read_and_all_can_be(self, form: str) -> None:
        data = pages(form)
        first, all_of_them = DigitImage.open(data), frames(data)
        assert first.frames == first.ref.frames == 3
        assert [str(one) for one in all_of_them] == ["<bytes>[1]", "<bytes>[2]", "<bytes>[3]"]
        images = [DigitImage.open(one) for one in all_of_them]
        assert [image.source for image in images] == [str(one) for one in all_of_them]
        red = [int(Image.fromarray(image.pixels).convert("RGB").getpixel((4, 4))[0]) for image in images]
        assert red[0] < 60 and red[1] > 160 and red[2] < 60
        assert np.array_equal(images[0].pixels, first.pixels)
        assert [image.frames for image in images] == [1, 1, 1]
        assert len({image.sha256 for image in images} | {first.sha256}) == 4

    def test_frames_of_a_path_hold_the_path_alone(self, tmp_path) -> None:
        path = tmp_path / "scan.tif"
        path.write_bytes(pages("TIFF"))
        second = frames(path)[1]
        assert (second.source, second.number, second.name) == (path, 2, f"{path}[2]")
        assert repr(second) == f"Frame(number=2, name={str(second)!r})"
        assert frames(second) == [second]

    def test_a_stream_is_read_once_for_all_of_them(self) -> None:
        assert [DigitImage.open(one).size for one in frames(io.BytesIO(pages("GIF")))] == [(40, 60)] * 3
        assert [DigitImage.open(one).size for one in frames(encoded(corner(), "JPEG"))] == [(40, 60)]

    def test_a_damaged_page_costs_the_others_nothing(self) -> None:
        data = bytearray(pages("TIFF"))
        middle = Image.open(io.BytesIO(bytes(data)))
        middle.seek(1)
        place = middle._frame_pos[1]
        for entry in range(struct.unpack_from("<H", data, place)[0]):
            if struct.unpack_from("<H", data, place + 2 + 12 * entry)[0] == 259:  # an unknown Compression
                struct.pack_into("<H", data, place + 2 + 12 * entry + 8, 60000)
        read = []
        for one in frames(bytes(data)):
            try:
                read.append(DigitImage.open(one).source)
            except ImageError as error:
                read.append(str(error).partition(":")[0])
        assert read == ["<bytes>[1]", "<bytes>[2]", "<bytes>[3]"]
        assert DigitImage.open(bytes(data)).frames == 3

    def test_pages_that_are_cut_off_are_no_damage_to_the_first(self) -> None:
        data = pages("TIFF", compression="raw")
        for size in range(len(data) // 2, len(data), 997):
            assert DigitImage.open(data[:size]).frames >= 2

    def test_pages_that_lead_back_to_the_first_end(self) -> None:
        data = bytearray(pages("TIFF", 2))
        picture = Image.open(io.BytesIO(bytes(data)))
        picture.seek(1)
        second = picture._frame_pos[1]
        entries = struct.unpack_from("<H", data, second)[0]
        struct.pack_into("<I", data, second + 2 + 12 * entries, picture._frame_pos[0])
        assert DigitImage.open(bytes(data)).frames == 2

    @pytest.mark.parametrize("big", [False, True])
    def test_pages_are_counted_as_pillow_counts_them(self, big: bool) -> None:
        assert DigitImage.open(pages("TIFF", 7, big_tiff=big)).frames == 7

    def test_too_many_are_refused_and_no_more_are_counted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(headers, "MAX_FRAMES", 4)
        for form in ("TIFF", "GIF"):
            data = pages(form, 9)
            assert DigitImage.open(data).frames == 5
            with pytest.raises(ImageError):
                frames(data)

    def test_a_page_that_is_not_there_is_told(self) -> None:
        beyond = frames(pages("TIFF"))[2]
        for form in ("TIFF", "PDF"):
            assert_refused(type(beyond)(pages(form, 2), 3, beyond.name), r"\[3\]")

    def test_every_page_has_its_own_size_to_be_checked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = encoded(corner(), "TIFF", save_all=True, append_images=[corner(size=(200, 200))])
        monkeypatch.setattr(pixels, "MAX_PIXELS", 39_999)
        small, large = frames(data)
        assert DigitImage.open(small).pixels.shape[:2] == (60, 40)
        assert_refused(large)

    @pytest.mark.parametrize("form", ["GIF", "PNG", "TIFF"])
    def test_a_large_animations_late_frame_fails(self, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each frame of an animation needs all frames before it; a page of a TIFF does not."""
        monkeypatch.setattr(headers, "MAX_SCANNED", 2 * 60 * 40)
        *early, last = frames(pages(form))
        assert [DigitImage.open(one).pixels.shape[:2] for one in early] == [(60, 40)] * 2
        if form == "TIFF":
            assert DigitImage.open(last).pixels.shape[:2] == (60, 40)
        else:
            assert_refused(last)


def opens_or_is_refused(data: bytes) -> None:
    """Open every picture of a file; only an ImageError may be raised."""
    for read in (lambda: [data], lambda: frames(data)[:5]):
        try:
            for one in read():
                DigitImage.open(one)
        except ImageError:
            continue


FORMS: dict[str, dict[str, object]] = {
    "HEIF": {"quality": 30}, "AVIF": {}, "PDF": {}, "TIFF": {"compression": "tiff_lzw"}, "MPO": {}, "PNG": {},
    "JPEG": {}, "GIF": {}, "WEBP": {}, "BMP": {},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_damaged_bytes_never_raise_anything_but_our_error(form: str) -> None:
    good = encoded(corner("RGB"), form) if form in ("JPEG", "BMP") else pages(form, 2, **FORMS[form])

    @settings(max_examples=10 if form == "PDF" else 40, deadline=None)
    @given(data=st.data())
    def damaged(data: st.DataObject) -> None:
        bad = bytearray(good[: data.draw(st.integers(1, len(good)))])
        places = st.integers(0, len(bad) - 1)
        for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=12)):
            bad[place] = value
        opens_or_is_refused(bytes(bad))

    damaged()


def test_pages_of_a_pdf_are_read_in_several_threads_at_a_time() -> None:
    one = frames(pages("PDF", 2))
    with ThreadPoolExecutor(4) as pool:
        darkest = list(pool.map(lambda place: int(grey(DigitImage.open(one[place % 2])).min()), range(8)))
    assert darkest[0] < darkest[1]  # black ink and red
    assert darkest == darkest[:2] * 4


SHEET = encoded(corner(size=(144, 72)), "PDF", resolution=72)
"""A PDF of two inches by one."""


class TestAPdf:
    def test_is_drawn_at_its_resolution(self) -> None:
        assert DigitImage.open(SHEET).pixels.shape[:2] == (200, 400)

    def test_a_page_that_is_too_large_is_drawn_coarser(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decode, "PDF_MAX_PIXELS", 20_000)
        height, width = DigitImage.open(SHEET).pixels.shape[:2]
        assert 0.9 * 20_000 < width * height <= 20_000
        assert abs(width / height - 2) < 0.05

    @pytest.mark.parametrize("size", ["0 0", "1e30 1e-3", "1e9 0.001", "1e38 1e38", "-5 -5"])
    def test_a_page_of_any_size_is_drawn_or_refused(self, size: str) -> None:
        opens_or_is_refused(SHEET.replace(b"0 0 144.0 72.0", b"0 0 " + size.encode()))

    def test_a_long_thin_page_over_the_limit_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decode, "PDF_MAX_PIXELS", 1000)
        assert_refused(SHEET.replace(b"0 0 144.0 72.0", b"0 0 7200 0.1"))

    def test_the_entries_of_a_filled_in_form_are_drawn(self) -> None:
        assert grey(DigitImage.open(FORM))[100, 100] < 20

    def test_an_encrypted_one_says_so(self) -> None:
        locked = pages("PDF").replace(b"trailer\n<<", b"trailer\n<<" + LOCK)
        assert_refused(locked, "encrypted; save it without a password")


FORM = b"""%PDF-1.7
1 0 obj <</Pages 2 0 R /AcroForm <</Fields [4 0 R]>>>> endobj
2 0 obj <</Kids [3 0 R] /Count 1>> endobj 3 0 obj <</Type /Page /MediaBox [0 0 72 72] /Annots [4 0 R]>> endobj
4 0 obj <</Subtype /Widget /FT /Tx /T (a) /F 4 /Rect [0 0 72 72] /AP <</N 5 0 R>>>> endobj
5 0 obj <</Subtype /Form /BBox [0 0 72 72] /Length 14>> stream
9 9 54 54 re f
endstream endobj trailer <</Root 1 0 R>>"""
"""A PDF with a field that is filled in with a black square."""
LOCK = b"/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <%s> /U <%s> >>" % (
    b"41" * 32, b"42" * 32,
)  # fmt: skip
"""The dictionary of a PDF that needs an unknown password."""
