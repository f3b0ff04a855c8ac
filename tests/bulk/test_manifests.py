"""What docs/batch.md tells to apply to Kubernetes: it is what the operator and the command take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

from digitrec.cli import main
from digitrec.commands.batch import batch

DEPLOY = Path(__file__).parents[2] / "deploy" / "dask"


def manifests() -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml", reason="the extra batch is not installed")
    return [one for file in sorted(DEPLOY.glob("*.yaml")) for one in yaml.safe_load_all(file.read_text())]


def found(kind: str) -> list[dict[str, Any]]:
    return [one for one in manifests() if one["kind"] == kind]


def pods() -> list[dict[str, Any]]:
    (cluster,), (job,) = found("DaskCluster"), found("Job")
    spec = cluster["spec"]
    return [spec["worker"]["spec"], spec["scheduler"]["spec"], job["spec"]["template"]["spec"]]


def test_the_jobs_command_is_one_that_we_take() -> None:
    (job,) = found("Job")
    program, name, *arguments = job["spec"]["template"]["spec"]["containers"][0]["command"]
    assert (program, main.get_command(click.Context(main), name)) == ("digitrec", batch)
    given = batch.make_context("batch", arguments).params
    (cluster,) = found("DaskCluster")
    assert given["scheduler"] == f"tcp://{cluster['metadata']['name']}-scheduler:8786"
    assert given["resume"], "the pod may be killed and started again"
    mounts = [
        mount["mountPath"] for mount in job["spec"]["template"]["spec"]["containers"][0]["volumeMounts"]
    ]
    for path in (*given["images"], str(given["out"]), str(given["ledger"])):
        assert any(path.startswith(mount + "/") for mount in mounts), path


def test_the_workers_are_told_what_the_page_tells_in_words_that_dask_knows() -> None:
    config = pytest.importorskip("dask.config")
    pytest.importorskip("distributed")  # its settings
    page = (DEPLOY.parents[1] / "docs" / "batch.md").read_text(encoding="utf-8")
    told = {one["name"]: one["value"] for one in pods()[0]["containers"][0]["env"]}
    for name, value in told.items():
        assert f"{name}={value}" in page
        if name.startswith("DASK_"):
            config.get(name.removeprefix("DASK_").lower().replace("__", "."))
    assert not {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"} - told.keys(), "photos take twice as long"


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    said = subprocess.run([hadolint, DEPLOY / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, ""), said.stdout
