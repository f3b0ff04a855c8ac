"""The runtimes' own log lines are dropped, other lines are kept, and stderr is restored."""

import io

import pytest
from programs import python

from digitrec.commands import progress
from digitrec.commands.progress import bar

HEAD = "import os, threading\nfrom digitrec.commands.progress import quietly\n"


@pytest.mark.parametrize("greeting", [
    "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.",
    "I0000 00:00:1795203439.440818   12793 cpu_feature_guard.cc:227] This TensorFlow binary",
    "E0000 00:00:1795204165.119389   28383 cuda_platform.cc:52] failed call to cuInit: INTERNAL: CUDA error",
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
    "W0000 00:00:1795227440.376860    6033 tf_tfl_flatbuffer_helpers.cc:367] Ignored drop_control",
    "To enable the following instructions: AVX2, in other operations, rebuild TensorFlow",
    "WARNING:tensorflow:5 out of the last 8 calls to <function multi_step_on_iterator> triggered",
    "WARNING:absl:You are saving your model as an HDF5 file via `model.save()`.",
])  # fmt: skip
def test_what_is_no_greeting_is_passed_on(greeting: str) -> None:
    code = f"with quietly(): os.write(2, b'{greeting}\\nout of memory\\n')"
    assert python("-c", HEAD + code, timeout=60).stderr == "out of memory\n"


def test_each_part_of_the_work_has_its_own_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    log, now = io.StringIO(), 0.0
    monkeypatch.setattr(progress.time, "monotonic", lambda: now)
    with bar("training", log) as shown:
        for now, done in ((600, 0.5), (600, 0.0), (660, 0.25)):
            shown.at(done, f"at {now}")
    with bar("resumed", log, done=0.5) as shown:
        now += 60
        shown.at(0.6, f"at {now}")
    assert log.getvalue().splitlines() == [
        "training: 50%, at 600, about 10 min left", "training: 25%, at 660, about 3 min left",
        "resumed: 60%, at 720, about 4 min left",
    ]  # fmt: skip
