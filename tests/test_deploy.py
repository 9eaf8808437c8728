"""The examples of deployment: they parse, and say to the commands what those accept."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main

from vivant.cli.main import command_line

yaml = pytest.importorskip("yaml")

DEPLOY = Path(__file__).parent.parent / "deploy"


def understood(words: list[str]) -> dict[str, Any]:
    """What a command makes of its words, without running it."""
    group: Any = typer.main.get_command(command_line())
    command = group.get_command(None, words[0])
    return dict(command.make_context(words[0], [str(word) for word in words[1:]]).params)


def test_compose_runs_a_web_process_two_workers_and_a_database() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    assert set(services) == {"database", "web", "worker"}
    web, worker = (understood(services[name]["command"]) for name in ("web", "worker"))
    assert web["no_worker"]
    assert web["queue"] == worker["queue"]
    assert web["queue"].startswith("postgresql://vivant:${POSTGRES_PASSWORD")
    assert web["folder"] == worker["folder"] == Path("/data")
    assert services["worker"]["deploy"]["replicas"] == 2
    for name in ("web", "worker"):
        assert services[name]["depends_on"] == {"database": {"condition": "service_healthy"}}
        assert services[name]["volumes"] == ["data:/data"]
    assert f"127.0.0.1:{web['port']}:{web['port']}" in services["web"]["ports"]
    health = services["web"]["healthcheck"]["test"]
    assert f":{web['port']}/health" in health[-1]
    compile(health[-1], "healthcheck", "exec")
    assert "pg_isready" in services["database"]["healthcheck"]["test"][1]


def test_kubernetes_objects_fit_together() -> None:
    text = (DEPLOY / "kubernetes" / "vivant.yaml").read_text("utf-8")
    found = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(text)}
    claim = found["PersistentVolumeClaim", "vivant-data"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]
    said = {}
    for part in ("web", "worker"):
        spec = found["Deployment", f"vivant-{part}"]["spec"]
        assert spec["selector"]["matchLabels"] == spec["template"]["metadata"]["labels"]
        pod = spec["template"]["spec"]
        (container,) = pod["containers"]
        said[part] = understood(container["args"])
        assert said[part]["queue"] == "$(QUEUE)"
        assert [one["name"] for one in container["env"]] == ["QUEUE"]
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        assert mounted == {volume["name"] for volume in pod["volumes"]}
    web = found["Deployment", "vivant-web"]["spec"]["template"]["spec"]["containers"][0]
    assert web["ports"] == [{"name": "http", "containerPort": said["web"]["port"]}]
    for probe in ("startupProbe", "readinessProbe"):
        assert web[probe]["httpGet"]["path"] == "/health"
        assert web[probe]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "localhost"}]
    service = found["Service", "vivant"]["spec"]
    assert service["selector"] == {"app": "vivant-web"}
    assert service["ports"][0]["targetPort"] == "http"


def test_the_image_runs_a_command_that_there_is() -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    words = re.search(r"^CMD (\[.*\])$", text, re.MULTILINE)
    assert words is not None
    assert understood(json.loads(words[1]))["folder"] == Path("/data")
    root = DEPLOY.parent
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE):
        assert all((root / name).exists() for name in sources.split())
