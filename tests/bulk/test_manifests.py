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


def test_every_volume_that_is_mounted_is_there() -> None:
    claims = {one["metadata"]["name"]: one["spec"]["accessModes"] for one in found("PersistentVolumeClaim")}
    for pod in pods():
        volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
        for container in pod["containers"]:
            assert {mount["name"] for mount in container.get("volumeMounts", [])} == set(volumes)
        for volume in volumes.values():
            assert volume["persistentVolumeClaim"]["claimName"] in claims
    assert claims == {"digitrec-shared": ["ReadWriteMany"], "digitrec-ledger": ["ReadWriteOnce"]}


def test_the_service_leads_to_the_scheduler() -> None:
    (cluster,) = found("DaskCluster")
    scheduler = cluster["spec"]["scheduler"]
    ports = {port["name"]: port["containerPort"] for port in scheduler["spec"]["containers"][0]["ports"]}
    for port in scheduler["service"]["ports"]:
        assert ports[port["targetPort"]] == port["port"]
    assert scheduler["service"]["selector"]["dask.org/cluster-name"] == cluster["metadata"]["name"]


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


def test_workers_have_one_thread_each_and_the_options_are_dasks() -> None:
    worker = pytest.importorskip("distributed.cli.dask_worker").main
    _, name, *arguments = found("DaskCluster")[0]["spec"]["worker"]["spec"]["containers"][0]["args"]
    assert name == "worker"
    assert worker.make_context("worker", arguments).params["nthreads"] == 1


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
