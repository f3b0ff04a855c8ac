from __future__ import annotations

import pytest

from digitrec.answer import Candidate
from digitrec.emulator.kit import drawn_seven
from digitrec.errors import Rejected
from digitrec.image import PreparedImage

from .common import Opened, Prepared


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    textract = opened("aws-textract")
    answer = textract.read(prepared(textract), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875),)
    assert {block["BlockType"] for block in answer.raw["Blocks"]} == {"PAGE", "LINE", "WORD"}
    assert answer.model_version == "emulated-function"


def test_what_is_no_document_is_refused(opened: Opened) -> None:
    textract = opened("aws-textract")
    page = PreparedImage(b"<html>" + bytes(64), "image/png", textract.wants, drawn_seven().ref)
    with pytest.raises(Rejected, match="UnsupportedDocument"):
        textract.read(page, timeout=10)
