import shutil
import sys
from pathlib import Path

import pytest

from digitrec.answer import Candidate
from digitrec.emulator.kit import LocalProviderContract, drawn_seven
from digitrec.errors import BadAnswer, NotConfigured, Rejected, TimedOut
from digitrec.prepare import PREPARATIONS, prepare
from digitrec.prepare.encode import spec_for
from digitrec.providers.tesseract import Tesseract, parse
from digitrec.recognise.normalise import normalise

from .documents import stored

needs_program = pytest.mark.skipif(shutil.which("tesseract") is None, reason="tesseract is not installed")


def stand_in(folder: Path, script: str) -> str:
    """Write a program that reports tesseract's version, and then runs this script."""
    program = folder / "tesseract"
    version = 'import sys\nif "--version" in sys.argv: sys.exit(print("tesseract 0.0"))\n'
    program.write_text(f"#!{sys.executable}\n{version}{script}\n")
    program.chmod(0o755)
    return str(program)


def test_parse() -> None:
    answer = parse(stored("tesseract", "seven"))
    assert answer.candidates == (Candidate("7", 95.80452 / 100, (37, 29, 78, 89)),)
    assert answer.model_version == "tesseract 5.3.0"


def test_parse_reads_no_words() -> None:
    head = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
    page = "1\t1\t0\t0\t0\t0\t0\t0\t114\t114\t-1\t"
    space = "5\t1\t1\t1\t1\t1\t0\t0\t114\t114\t95.0\t "
    assert parse({"tsv": "\n".join([head, page, space]), "version": "tesseract 5"}).candidates == ()


@pytest.mark.parametrize("table", ["a\tb\n1\t2", "conf\ttext\nhigh\t7", "conf\ttext\n90\t7"])
def test_parse_refuses(table: str) -> None:
    with pytest.raises(BadAnswer):
        parse({"tsv": table, "version": "tesseract 5"})


@needs_program
class TestContract(LocalProviderContract):
    def provider(self) -> Tesseract:
        return Tesseract()


@needs_program
@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_the_real_program_reads(preparation: str) -> None:
    tesseract = Tesseract()
    spec = spec_for(tesseract.wants, preparation)
    answer = tesseract.read(prepare(drawn_seven(), spec), timeout=30)
    assert normalise(answer, repeat=spec.repeat).digit == 7
    assert answer.model_version is not None
    assert answer.model_version.startswith("tesseract ")


@needs_program
def test_a_language_without_data_says_what_to_install() -> None:
    with pytest.raises(NotConfigured, match="language"):
        Tesseract(language="xxx").read(prepare(drawn_seven(), Tesseract.wants), timeout=30)


def test_no_program_says_how_to_install_it(tmp_path: Path) -> None:
    missing = str(tmp_path / "tesseract")
    with pytest.raises(NotConfigured, match="tesseract-ocr"):
        Tesseract(program=missing)
    status = Tesseract.status({"DIGITREC_TESSERACT": missing})
    assert not status.installed
    assert "brew install tesseract" in status.missing[0]


@pytest.mark.parametrize("script", ["exit 1", ""])
def test_another_program_in_its_place_is_told(tmp_path: Path, script: str) -> None:
    program = tmp_path / "tesseract"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    with pytest.raises(NotConfigured):
        Tesseract(program=str(program))


def test_status_finds_the_program_without_starting_it(tmp_path: Path) -> None:
    program = stand_in(tmp_path, "")
    Path(program).write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    assert Tesseract.status({"PATH": str(tmp_path)}).found == (program,)
    assert not (tmp_path / "started").exists()


@pytest.mark.parametrize(("script", "error", "timeout"), [
    ("import time; time.sleep(60)", TimedOut, 1.0), ("print('nothing tabular')", BadAnswer, 30.0),
    ("sys.stdout.buffer.write(bytes([255, 254]))", BadAnswer, 30.0),
    ("sys.exit('cannot read this image')", Rejected, 30.0),
    ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", Rejected, 30.0),
], ids=["hangs", "rubbish", "no UTF-8", "refuses", "crashes"])  # fmt: skip
def test_a_program_that_fails(tmp_path: Path, script: str, error: type[Exception], timeout: float) -> None:
    tesseract = Tesseract.from_env({"DIGITREC_TESSERACT": stand_in(tmp_path, script)})
    with pytest.raises(error):
        tesseract.read(prepare(drawn_seven(), tesseract.wants), timeout=timeout)
