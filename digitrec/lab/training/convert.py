"""Write a network in another format with the same answers; recover our networks from their `.tflite` file."""

import json
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.errors import DigitrecError, ModelError
from digitrec.errors.text import first_line
from digitrec.image import atomic
from digitrec.lab.training.backend import keras
from digitrec.lab.training.card import description, save_keras
from digitrec.lab.training.networks import digitrec_cnn, together
from digitrec.models import store
from digitrec.models.inside import Inside, Weights
from digitrec.models.network import DESCRIPTION, Floats, LiteRt, described, scaled
from digitrec.providers.base import requires

ENDINGS = (".onnx", ".tflite", ".keras", ".h5")
"""Formats that a network can be written in."""
AGREED = 1e-4
"""Maximum difference between the new file's answers and the network's, in float32, as a share of the largest
answer if that is above 1."""
RECOVERED = 1e-3
"""Maximum difference of any probability between a `.tflite` file and the networks recovered from it."""
OF_BOTH = ("architecture", "changes", "kilobytes", "test", "validation_accuracy")
"""Facts on a card that are wrong without the second network, which only a `.tflite` file can hold."""
OPSET = 17
"""Version of ONNX's operators; runtimes since 2022 support it."""
_COMPARED = 128  # number of digits


def write(model: Path, out: Path) -> float:
    """Write the network in a model file as `out`, in the format of its ending and in float32.

    The file has the same description as `model`, except facts that `model` owes to a second network. It is
    written only if its answers equal the network's. A `.tflite` file of ours rounds between layers, so its
    answers differ from the new file's by some thousandths.

    Args:
        model: `.keras` or `.h5`, or a `.tflite` that `digitrec train` wrote without --arch.
        out: a file with one of `ENDINGS`.

    Returns:
        The maximum difference between the new file's answers and those of `model`.

    Raises:
        ModelError: the network cannot be converted, or `model` or `out` is of another kind.
        NotInstalled: the extra `onnx` or `train` is missing.
    """
    if out.suffix not in ENDINGS:
        raise ModelError(f"{out}: a network is written as {', '.join(ENDINGS)}")
    if model.suffix == ".skops":
        raise ModelError(f"{model}: a scikit-learn model cannot be exported; only networks can")
    loaded = store.load(model)
    ours = model.suffix == ".tflite"
    network = together(recovered(model)) if ours else keras.saving.load_model(model, compile=False)
    card = dict(loaded.card)
    if loaded.second is not None and out.suffix != ".tflite":
        card = {fact: value for fact, value in card.items() if fact not in OF_BOTH}
        card["parameters"] = network.count_params()
    about = description(loaded.name, card, **asdict(loaded.input))
    out.parent.mkdir(parents=True, exist_ok=True)
    digits = scaled(mnist_test().images[:_COMPARED], loaded.input.scale)
    ink = digits.reshape(-1, *network.input_shape[1:])
    try:
        if out.suffix == ".onnx":
            content, answers = _as_onnx(network, about, ink)
        elif out.suffix in (".keras", ".h5"):
            content, answers = _as_keras(network, out.name, about, digits)
        else:
            content = described(store.to_litert(network, quantised=False), about, loaded.second)
            answers = LiteRt(content, out)(ink)
    except DigitrecError:
        raise
    except Exception as error:  # the converters document no error class
        why = first_line(error)
        raise ModelError(f"{model}: cannot be written as {out.suffix} ({why}); choose .keras") from error
    (theirs,) = keras.tree.flatten(network.predict(ink, verbose=0))
    difference = float(np.abs(answers - theirs).max())
    if not difference <= AGREED * max(1, np.abs(theirs).max()):
        raise ModelError(f"{model}: the answers of {out.name} would differ by {difference:.1g}; report this")
    atomic.write(out, content)
    return float(np.abs(answers - loaded.forward(digits)).max())


def _as_keras(network: keras.Model, name: str, about: dict[str, Any], ink: Floats) -> tuple[bytes, Floats]:
    """Return a network as the content of a file of this name, and that file's answers to `ink`."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / name
        save_keras(network, file, about)
        return file.read_bytes(), np.asarray(store.load(file).forward(ink))


def _as_onnx(network: keras.Model, about: dict[str, Any], ink: Floats) -> tuple[bytes, Floats]:
    """Return a float32 network as the content of an ONNX file, and its answers to `ink`.

    The input "image" has the network's input shape, scaled as the metadata "digitrec.json" says. The output
    "probabilities" or "logits", (N, 10), has the network's answers, without the temperatures in the metadata.
    """
    with requires("Writing ONNX files", "onnx"):
        import onnx
        import onnxruntime
        import tf2onnx
    import tensorflow as tf

    name = "logits" if about["output"] == "logits" else "probabilities"
    takes = [tf.TensorSpec((None, *network.input_shape[1:]), tf.float32, name="image")]

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def answer(image: Any) -> dict[str, Any]:
        return {name: keras.tree.flatten(network(image, training=False))[0]}

    model, _ = tf2onnx.convert.from_function(answer, input_signature=takes, opset=OPSET)
    onnx.checker.check_model(model)
    onnx.helper.set_model_props(model, {DESCRIPTION: json.dumps(about)})
    content = bytes(model.SerializeToString())
    onnxruntime.disable_telemetry_events()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return content, np.asarray(session.run(None, {"image": ink})[0])


def recovered(path: Path) -> list[keras.Model]:
    """Return the float32 networks of a `.tflite` file by `digitrec train`; `together` joins them.

    Batch normalisation has become part of the convolutions. Written as a file again, the networks answer
    exactly as the file does, which is checked. In float32 their answers differ slightly, because the file
    also rounds values to int8 between layers.

    Raises:
        ModelError: the file cannot be read, or is not digitrec's own network.
        NotInstalled: the `train` extra is missing.
    """
    theirs: Any = store.load(path).forward
    foreign = ModelError(
        f"{path}: not digitrec's own network, or its weights cannot be recovered; start "
        "with `digitrec`, or a .tflite file that `digitrec train` wrote without --arch"
    )
    try:
        layers = Inside(theirs.as_litert()).weights()
        ends = [0, *(place for place, one in enumerate(layers, 1) if one.kernel.ndim == 2)]
        networks = [_with_weights(layers[first:last]) for first, last in pairwise(ends)]
        again = LiteRt(store.to_litert(together(networks)), path)
    except (ValueError, IndexError) as error:  # it has other layers
        raise foreign from error
    ink = scaled(mnist_test().images[:_COMPARED], "unit")
    if ends[-1] != len(layers) or not np.allclose(theirs(ink), again(ink), rtol=0, atol=RECOVERED):
        raise foreign
    return networks


def _with_weights(layers: list[Weights]) -> keras.Model:
    """Return digitrec's own network with these weights: the convolutions, then the dense layer.

    Raises:
        ValueError: the weights do not fit.
    """
    network = digitrec_cnn(tuple(one.kernel.shape[-1] for one in layers[:-1:2]), normalised=False)
    network.set_weights([array for one in layers for array in one])
    return network
