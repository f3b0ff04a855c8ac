"""What every test may rely on: a clean environment, nothing from the developer's own."""

from __future__ import annotations

import os
import signal

import pytest

OURS = (
    "DIGITREC_", "GOOGLE_", "AWS_", "AZURE_", "VISION_", "COMPUTER_VISION_", "CLOUDSDK_",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_COLOR", "FORCE_COLOR",
)  # fmt: skip

# A shell without job control starts what it puts into the background with Ctrl-C ignored; so would be the
# programs that tests start and stop by it, which would then run on for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """No credentials, no proxy, and a home of its own: no test sees or touches the developer's files."""
    for name in os.environ:
        if name.upper().startswith(OURS):
            monkeypatch.delenv(name)
    home = str(tmp_path_factory.mktemp("home"))
    for name in ("HOME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "XDG_CONFIG_HOME", "XDG_DATA_HOME",
                 "XDG_CACHE_HOME", "XDG_STATE_HOME"):  # fmt: skip
        monkeypatch.setenv(name, home)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
