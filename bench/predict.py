"""Measure the speed of reading a digit: cold, warm, in bulk, from drawings, and from photos small and large.

Needs the extra `train`, because it compares with Keras. Prints ratios from one run, writes them into
docs/benchmarks.md, and exits with an error if a goal is missed.
"""

import io
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from figures import Figure, Process, alternate, processor, publish, run, seconds
from PIL import Image

import digitrec
from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting.photo import ink_on_paper, random_look
from digitrec.lab.handwriting.writer import enlarge
from digitrec.models import store
from digitrec.prepare import prepare

KERAS_SCRIPT = """
import sys, numpy as np, keras
from PIL import Image
model = keras.models.load_model(sys.argv[1])
image = np.asarray(Image.open(sys.argv[2]).convert("L").resize((28, 28)), np.float32) / 255
print(model.predict(image.reshape(1, 28, 28, 1), verbose=0).argmax())
"""
FLOOR_SCRIPT = """
import sys, numpy as np
from PIL import Image
from ai_edge_litert.interpreter import Interpreter
network = Interpreter(sys.argv[1])
network.allocate_tensors()
image = np.asarray(Image.open(sys.argv[2]).convert("L").resize((28, 28)), np.float32) / 255
network.set_tensor(network.get_input_details()[0]["index"], image.reshape(1, 28, 28, 1))
network.invoke()
print(network.get_tensor(network.get_output_details()[0]["index"]).argmax())
"""
ROUNDS = 9
BATCH = 50
"""Number of digits in one pass of the bare loop: nearly best for the cache, and a divisor of 10,000."""


PART = 5
"""One of this many photos is read."""
KINDS = 10
"""The digits that are drawn and photographed, one of each class."""


def cold_start(folder: Path) -> Iterator[Figure]:
    """Compare a whole process for one digit or photo with Keras, and with the minimum that LiteRT needs."""
    image, photo, keras_file = folder / "one.png", folder / "cold.jpg", folder / "network.keras"
    Image.fromarray(mnist_test().images[0]).save(image)
    photo.write_bytes(_photos()[0])
    _same_network().save(keras_file)
    ours = str(Path(sys.executable).with_name("digitrec")), "predict"
    floor = sys.executable, "-c", FLOOR_SCRIPT, str(store.SHIPPED)
    keras = sys.executable, "-c", KERAS_SCRIPT, str(keras_file)
    commands = [(*it, str(image)) for it in (ours, keras, floor)] + [
        (*it, str(photo)) for it in (ours, floor)
    ]
    runs = [[run(command) for command in commands] for _ in range(ROUNDS)]
    (our_s, our_mb), (keras_s, keras_mb), (floor_s, _), (photo_s, _), (bare_s, _) = (
        _medians(column) for column in zip(*runs, strict=True)
    )
    times = f"{our_s * 1e3:.0f} ms; Keras {keras_s * 1e3:.0f} ms; floor {floor_s * 1e3:.0f} ms"
    yield Figure("cold start: Keras / ours", keras_s / our_s, 10, True, times)
    yield Figure("cold start: ours / bare LiteRT", our_s / floor_s, 1.8, False, times)
    detail = f"{our_mb:.0f} MB; Keras {keras_mb:.0f} MB"
    yield Figure("peak memory: Keras / ours", keras_mb / our_mb, 8, True, detail)
    detail = f"{photo_s * 1e3:.0f} ms; floor {bare_s * 1e3:.0f} ms"
    yield Figure("cold start on a photo: ours / bare LiteRT", photo_s / bare_s, 1.7, False, detail)


def warm_pictures() -> Iterator[Figure]:
    """Compare predicting drawings with predicting MNIST's digits, and predicting photos with decoding them.

    The times are processor times, because other work on the machine would count otherwise.
    """
    digits = list(_one_of_each())
    drawings, photos = _drawings(), _photos()
    textured = _photos(ruling="squares", crumple=0.25)

    digit_s, drawing_s, photo_s, textured_s, decode_s = alternate(
        lambda: processor(lambda: [digitrec.predict(digit) for digit in digits]),
        lambda: processor(lambda: [digitrec.predict(drawing) for drawing in drawings]),
        lambda: processor(lambda: [digitrec.predict(photo) for photo in photos]),
        lambda: processor(lambda: [digitrec.predict(photo) for photo in textured]),
        lambda: processor(lambda: [_decode(photo) for photo in photos]),
        rounds=2 * ROUNDS,
    )
    detail = f"{drawing_s / KINDS * 1e3:.2f} ms; digit {digit_s / KINDS * 1e3:.2f} ms"
    yield Figure("280x280 drawing / digit in MNIST's form, CPU", drawing_s / digit_s, 10, False, detail)
    detail = f"{photo_s / KINDS * 1e3:.2f} ms; decoding {decode_s / KINDS * 1e3:.2f} ms"
    yield Figure("800x800 photo: ours / Pillow's decode, CPU", photo_s / decode_s, 4, False, detail)
    detail = f"{textured_s / KINDS * 1e3:.2f} ms"
    yield Figure("the same on squared, creased paper / photo, CPU", textured_s / photo_s, 2, False, detail)


def real_photos() -> Iterator[Figure]:
    """Compare reading the photos in DIGITREC_DATA, if it has any, with decoding them."""
    folder = Path(os.environ.get("DIGITREC_DATA", "none"), "photos-dev")
    files = [file.read_bytes() for file in sorted(folder.glob("*.jpg"))[::PART]]
    if not files:
        return

    each = [
        alternate(
            lambda file=file: processor(lambda: digitrec.predict(file)),
            lambda file=file: processor(lambda: _decode(file)),
            rounds=3,
        )
        for file in files
    ]
    ours_s, decode_s = np.array(each).T
    median, late = np.percentile(ours_s, (50, 90))
    detail = f"{median * 1e3:.1f} ms; decoding {np.median(decode_s) * 1e3:.1f} ms"
    ratio = float(np.median(ours_s / decode_s))
    yield Figure(f"{len(files)} real photos: ours / Pillow's decode, CPU, median", ratio, 4, False, detail)
    yield Figure("the same: 90th percentile / median", late / median, 2, False, f"{late * 1e3:.1f} ms")


def _decode(file: bytes, mode: str = "RGB") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(file)).convert(mode))


def _one_of_each() -> Iterator[np.ndarray]:
    test = mnist_test()
    for label in range(KINDS):
        yield test.images[np.flatnonzero(test.labels == label)[0]]


def _drawings() -> list[bytes]:
    """280x280, black on white, as our page and other drawing fields send them."""
    return [_file(255 - np.pad(enlarge(digit, 200), 40), "PNG") for digit in _one_of_each()]


def _photos(**texture: Any) -> list[bytes]:
    """800x800, each with another pen, light and paper; ``texture`` replaces some of its `Look`."""
    rng = np.random.default_rng(0)
    inks = [np.pad(enlarge(digit, 480), 160) for digit in _one_of_each()]
    return [_file(ink_on_paper(ink, rng, replace(random_look(rng), **texture)), "JPEG") for ink in inks]


def _file(pixels: np.ndarray, form: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).convert("RGB").save(file, form)
    return file.getvalue()


def _medians(runs: tuple[Process, ...]) -> tuple[float, float]:
    return float(np.median([one.seconds for one in runs])), float(np.median([one.megabytes for one in runs]))


def warm() -> Figure:
    """Compare reading one prepared digit many times with `keras.Model.predict`."""
    provider = digitrec.open_provider("local")
    digit = mnist_test().images[0]
    prepared = prepare(digitrec.DigitImage.open(digit), provider.wants)
    network = _same_network()
    batch = digit.reshape(1, 28, 28, 1) / np.float32(255)
    network.predict(batch, verbose=0)

    def ours() -> float:
        return seconds(lambda: [provider.read(prepared, timeout=1) for _ in range(200)]) / 200

    def keras() -> float:
        return seconds(lambda: [network.predict(batch, verbose=0) for _ in range(5)]) / 5

    our_s, keras_s = alternate(ours, keras, rounds=ROUNDS)
    detail = f"{our_s * 1e6:.0f} us; Keras {keras_s * 1e3:.1f} ms"
    return Figure("warm, one digit: Keras predict / provider.read", keras_s / our_s, 50, True, detail)


def bulk() -> Figure:
    """Time the whole path for the 10,000 test digits against the bare batch loop of LiteRT's two networks."""
    from ai_edge_litert.interpreter import Interpreter

    digits, second = mnist_test().images, store.load().second
    assert second is not None
    networks = []
    for content in (store.SHIPPED.read_bytes(), second.as_litert()):
        network = Interpreter(model_content=content, num_threads=1)
        entry = network.get_input_details()[0]["index"]
        network.resize_tensor_input(entry, [BATCH, 28, 28, 1])
        network.allocate_tensors()
        networks.append((network, entry))

    def bare() -> None:
        for start in range(0, len(digits), BATCH):
            batch = digits[start : start + BATCH, :, :, None] / np.float32(255)
            for network, entry in networks:
                network.set_tensor(entry, batch)
                network.invoke()
                network.get_tensor(network.get_output_details()[0]["index"])

    our_s, bare_s = alternate(
        lambda: seconds(lambda: digitrec.predict_many(digits)), lambda: seconds(bare), rounds=ROUNDS
    )
    detail = f"{our_s:.2f} s; bare {bare_s:.2f} s"
    return Figure("10,000 digits: predict_many / bare LiteRT loop", our_s / bare_s, 1.5, False, detail)


def large_photo(folder: Path) -> Figure:
    """Time a 12-megapixel JPEG from disk to Prediction against decoding it and converting it to grey."""
    file = folder / "photo.jpg"
    _large_photo().save(file, quality=90)

    digitrec.predict(file)
    our_s, pillow_s = alternate(
        lambda: seconds(lambda: digitrec.predict(file)),
        lambda: seconds(lambda: _decode(file.read_bytes(), "L")),
        rounds=ROUNDS,
    )
    detail = f"{our_s * 1e3:.0f} ms; Pillow {pillow_s * 1e3:.0f} ms"
    return Figure("12-megapixel JPEG: ours / Pillow's decode to grey", our_s / pillow_s, 1.0, False, detail)


def _large_photo() -> Image.Image:
    """Draw a digit in pen strokes on unevenly lit, grainy paper, 4000x3000."""
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:3000, 0:4000]
    light = 225 - 60 * np.hypot(rows / 3000 - 0.3, columns / 4000 - 0.4)
    ink = Image.fromarray(mnist_test().images[0]).resize((1600, 1600), Image.Resampling.BICUBIC)
    light[700:2300, 1200:2800] -= np.asarray(ink) * 0.6
    light += rng.normal(0, 3, light.shape)
    grey = np.clip(light, 0, 255).astype(np.uint8)
    return Image.fromarray(np.stack([grey, grey, (grey * 0.95).astype(np.uint8)], axis=2))


def _same_network():  # type: ignore[no-untyped-def]
    """Build the shipped architecture in Keras; its speed does not depend on its weights."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    from digitrec.lab.training.networks import digitrec_cnn

    return digitrec_cnn()


def main() -> None:
    """Measure everything and publish the table."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = [*cold_start(folder), warm(), *warm_pictures(), *real_photos(), bulk()]
        figures.append(large_photo(folder))
    publish("Reading digits", figures)


if __name__ == "__main__":
    main()
