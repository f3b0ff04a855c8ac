from __future__ import annotations

import pytest

from digitrec.answer import Candidate
from digitrec.emulator.kit import drawn_seven
from digitrec.errors import Rejected
from digitrec.image import PreparedImage
from digitrec.prepare import prepare

from .common import Opened, Prepared


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    aws = opened("aws")
    answer = aws.read(prepared(aws), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875),)
    assert "ResponseMetadata" not in answer.raw


def test_a_format_that_rekognition_does_not_read_is_refused(opened: Opened, prepared: Prepared) -> None:
    aws = opened("aws")
    tiff = PreparedImage(b"II*\0" + bytes(64), "image/tiff", aws.wants, drawn_seven().ref)
    with pytest.raises(Rejected):
        aws.read(tiff, timeout=10)


def test_what_mnist_is_made_of_is_enlarged_past_the_minimum_of_80_pixels(opened: Opened) -> None:
    picture = prepare(drawn_seven(), opened("aws").wants).picture()
    assert min(picture.size) >= 80
