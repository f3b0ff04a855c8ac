from __future__ import annotations

import pytest

from digitrec.answer import Candidate
from digitrec.emulator.kit import drawn_seven
from digitrec.errors import Rejected
from digitrec.image import PreparedImage

from .common import Opened, Prepared


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    document = opened("azure-document")
    answer = document.read(prepared(document), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875, (10, 20, 30, 60)),)
    assert answer.model_version == "emulated-function 2024-11-30"


def test_what_is_no_document_is_refused(opened: Opened) -> None:
    document = opened("azure-document")
    page = PreparedImage(b"<html>" + bytes(64), "image/png", document.wants, drawn_seven().ref)
    with pytest.raises(Rejected):
        document.read(page, timeout=10)
