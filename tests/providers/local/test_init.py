"""Our own network as a provider."""

from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from digitrec import Prediction, predict, predict_many
from digitrec.answer import Answer
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.emulator.kit import LocalProviderContract, drawn_seven
from digitrec.errors import ModelError, NotConfigured
from digitrec.image import DigitImage, Findings
from digitrec.lab.handwriting.corruptions import corrupt
from digitrec.lab.handwriting.nondigits import scribbles
from digitrec.lab.training.card import description
from digitrec.models import store
from digitrec.models.network import described, evidence
from digitrec.prepare import prepare
from digitrec.providers.base import Provider
from digitrec.providers.local import Local


class TestLocal(LocalProviderContract):
    def provider(self) -> Provider:
        return Local()


def torn() -> tuple[list[NDArray[np.uint8]], list[int]]:
    """Digits of 28x28 whose halves are separated, and their labels."""
    digits = mnist_test()[:1000]
    pictures = digits.images.copy()
    pictures[:, 13:15] = 0
    apart = [prepare(DigitImage.open(one), Local.wants).findings.reason is not None for one in pictures]
    return list(pictures[apart]), digits.labels[apart].tolist()


def test_a_digit_in_two_parts_that_the_network_plainly_knows_is_read() -> None:
    pictures, labels = torn()
    read = [one.digit for one in predict_many(pictures) if isinstance(one, Prediction)]
    assert len(pictures) >= 5
    right = sum(digit == label for digit, label in zip(read, labels, strict=True))
    assert right >= 0.6 * len(labels) and right + read.count(None) == len(labels)


class Obedient(Local):
    """Our own network, bound to the foreground check."""

    wants = replace(Local.wants, overrules=False)


def test_an_engine_that_does_not_overrule_is_not_asked() -> None:
    pictures, _ = torn()
    told = [one for one in predict_many(pictures, Obedient()) if isinstance(one, Prediction)]
    assert {(one.digit, one.reason, one.attempts) for one in told} == {(None, "more than one digit", 0)}


def test_a_doubtful_whole_keeps_the_reason_of_the_foreground_check(tmp_path: Path) -> None:
    page, digit = (
        prepare(DigitImage.open(255 - mnist_test().images[3] // 2), Local.wants), mnist_test().images[3],
    )  # fmt: skip
    two = replace(page, data=mnist_test().images[8].tobytes(), findings=Findings("more than one digit", 2))
    shown = float(evidence(store.load().probabilities(digit[None], [True]))[0])
    for least, reason in ((shown / 1.2, "more than one digit"), (shown / 1.4, None)):
        its = store.load().input
        engine = asking_for(least, tmp_path, temperature=its.temperature, prepared=its.prepared or 1.0)
        answer = engine.read(replace(two, whole=digit.tobytes()), timeout=1)
        assert (answer.reason, answer.candidates[0].text) == (reason, "0")
    assert Local().read(replace(two, whole=bytes(784)), timeout=1).reason == "more than one digit"


def test_the_model_may_be_named_by_a_variable(caplog: pytest.LogCaptureFixture) -> None:
    assert Local.from_env({"DIGITREC_MODEL": " "}).name == "local"
    with pytest.raises(ModelError, match="elsewhere"):
        Local.from_env({"DIGITREC_MODEL": "elsewhere.tflite", "DIGITREC_MODEL_SCALE": "byte\n"})
    with pytest.raises(NotConfigured, match="DIGITREC_MODEL_SCALE"):
        Local.from_env({"DIGITREC_MODEL_SCALE": "255"})
    Local.from_env({"DIGITREC_MODEL": str(store.SHIPPED)}).for_numbers()
    assert "reads single digits" in caplog.text


def asking_for(evidence: float, folder: Path, **temperatures: float) -> Local:
    """Our own network with this minimum logit margin."""
    content = Path(store.SHIPPED).read_bytes()
    bare = content[: content.index(b"PK\x03\x04")]
    file = folder / "asking.tflite"
    file.write_bytes(described(bare, description("asking", {}, evidence=evidence, **temperatures)))
    return Local(model=file)


def test_a_picture_that_had_to_be_prepared_is_read_less_surely_where_the_file_says_so(tmp_path: Path) -> None:
    plain, modest = asking_for(0.0, tmp_path, prepared=1.0), asking_for(0.0, tmp_path, prepared=4.0)
    digit, small = mnist_test().images[0], np.pad(mnist_test().images[3], 1)
    for image, less in ((drawn_seven(), True), (small, True), (digit, False)):
        one, other = predict(image, plain), predict(image, modest)
        assert one.digit == other.digit and one.confidence is not None and other.confidence is not None
        assert (other.confidence < one.confidence) == less


def test_a_low_margin_is_refused_and_keeps_its_probabilities(tmp_path: Path) -> None:
    sure, never_sure = asking_for(0.0, tmp_path), asking_for(100.0, tmp_path)
    assert predict(drawn_seven(), sure).digit == 7
    refused = predict(drawn_seven(), never_sure)
    assert (refused.digit, refused.confidence, refused.reason) == (None, None, "not clearly a digit")
    assert refused.probabilities == predict(drawn_seven(), sure).probabilities


def test_the_probabilities_of_both_readings_are_averaged() -> None:
    provider, images = Local(), mnist_test().images
    one, other = (store.load().probabilities(images[at : at + 1]) for at in (3, 8))
    plain = prepare(DigitImage.open(images[3]), provider.wants)
    twice = replace(plain, whole=images[8].tobytes())
    alone, both, again = provider.read_many([plain, twice, plain], timeout=1)
    assert isinstance(alone, Answer) and isinstance(both, Answer) and isinstance(again, Answer)
    assert alone.probabilities == again.probabilities == pytest.approx(one[0], abs=1e-6)
    mean = np.sqrt(one * other)[0]
    assert both.probabilities == pytest.approx(mean / mean.sum(), abs=1e-6)


def test_a_model_that_learned_no_whole_frames_does_not_read_them(tmp_path: Path) -> None:
    images, plain = mnist_test().images, asking_for(0.0, tmp_path)
    page = prepare(DigitImage.open(images[3]), plain.wants)
    alone, both = plain.read_many([page, replace(page, whole=images[8].tobytes())], timeout=1)
    assert isinstance(alone, Answer) and isinstance(both, Answer) and alone.candidates == both.candidates


def test_one_clear_reading_of_two_is_enough() -> None:
    images = mnist_test().images
    provider = Local()
    page = prepare(DigitImage.open(255 - images[3] // 2), provider.wants)
    nothing = bytes(784)
    for data, whole, reason in (
        (images[3].tobytes(), nothing, None),
        (nothing, images[3].tobytes(), None),
        (nothing, nothing, "not clearly a digit"),
    ):
        assert provider.read(replace(page, data=data, whole=whole), timeout=1).reason == reason


def test_a_line_across_a_digit_of_mnists_size_is_read_through() -> None:
    digits = mnist_test()[:100]
    crossed = digits.images.copy()
    crossed[:, 12:14, ::2] = 255
    found = [outcome.digit for outcome in predict_many(crossed) if isinstance(outcome, Prediction)]
    assert (np.array(found) == digits.labels).mean() > 0.85


def test_a_picture_in_mnist_form_is_always_read(tmp_path: Path) -> None:
    digit = mnist_test()[:1]
    assert predict(digit.images[0], asking_for(100.0, tmp_path)).digit == digit.labels[0]


def test_most_letters_and_scribbles_cut_to_28x28_are_refused_and_few_damaged_digits() -> None:
    """Each picture is read twice, which must not turn it into a digit."""
    strange = (one for one in scribbles(130, seed=7) if one.kind != "letter like a digit")
    grey = (Image.fromarray(one.pixels).convert("L") for one in islice(strange, 80))
    small = [np.asarray(ImageOps.fit(picture, (28, 28), Image.Resampling.BOX)) for picture in grey]
    assert _answered(small) < 25
    assert _answered(list(corrupt(mnist_test()[:100].images, "zigzag", 0))) > 95


def _answered(images: list[NDArray[np.uint8]]) -> int:
    return sum(isinstance(one, Prediction) and one.digit is not None for one in predict_many(images))
