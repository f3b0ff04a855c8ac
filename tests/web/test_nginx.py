"""The lines for nginx in docs/deploying.md, in a real nginx on a port of its own."""

import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from digitrec.web.settings import Settings

from .fakes import listening, png

PAGE = Path(__file__).parents[2] / "docs" / "deploying.md"
NGINX = shutil.which("nginx")


def block() -> str:
    """Return the `server` block of the page."""
    found = re.search(r"(?ms)^    server \{\n.*?^    \}\n", PAGE.read_text())
    assert found
    return found[0]


@contextmanager
def nginx(folder: Path, server: str) -> Iterator[str]:
    """Start nginx with the page's lines in front of a server; yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    lines = re.sub(r"listen [^;]+;", f"listen 127.0.0.1:{port};", block())
    lines = lines.replace("http://127.0.0.1:5000", server)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    kept = "\n".join(f"{kind}_temp_path {folder / kind};" for kind in kinds)
    configuration = folder / "nginx.conf"
    alone = f"daemon off; master_process off; pid {folder / 'pid'}; error_log stderr;\nevents {{}}\n"
    configuration.write_text(f"{alone}http {{ access_log off;\n{kept}\n{lines}}}\n")
    assert NGINX
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(configuration)])
    try:
        for _ in range(300):
            with socket.socket() as trying:
                if trying.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed")
def test_the_page_behind_nginx_may_ask_on_any_port_and_send_all_that_the_server_takes(tmp_path: Path) -> None:
    with listening(settings=Settings(proxies=1)) as server, nginx(tmp_path, server) as url:
        for headers in ({"origin": url}, {"origin": url, "sec-fetch-site": "same-origin"}, {}):
            answer = httpx.post(f"{url}/predict", content=png(), headers=headers, timeout=60)
            assert (answer.status_code, answer.json()["prediction"]) == (200, 7)
        other = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
        assert httpx.post(f"{url}/predict", content=png(), headers=other, timeout=60).status_code == 403
        large = png() + bytes(9_900_000)
        assert httpx.post(f"{url}/predict", content=large, timeout=60).json()["prediction"] == 7
        too_large = httpx.post(f"{url}/predict", content=bytes(10_000_001), timeout=60)
        assert (too_large.status_code, too_large.json()["type"]) == (413, "urn:digitrec:problem:too-large")
