"""The files that run the bot on Kubernetes and under systemd say what the bot itself says."""

from __future__ import annotations

import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from bot.bootstrap.preflight import check_settings
from bot.settings import HttpSettings, load_settings

from .tree import ROOT

DEPLOY = ROOT / "deploy/kubernetes"
OVERLAYS = sorted(folder for folder in (DEPLOY / "overlays").iterdir() if folder.is_dir())
SUPPORTED = "1.32"
"""The version of Kubernetes whose schemas the objects must fit."""

needs_kubectl = pytest.mark.skipif(not shutil.which("kubectl"), reason="not installed here: kubectl")


def rendered(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the objects of an overlay by kind."""
    text = subprocess.run(["kubectl", "kustomize", folder], check=True, capture_output=True, text=True).stdout
    return {each["kind"]: each for each in yaml.safe_load_all(text)}


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda folder: folder.name)
class TestOverlays:
    def test_each_object_fits_the_schema(self, overlay: Path) -> None:
        for each in rendered(overlay).values():
            kubernetes_validate.validate(each, SUPPORTED, strict=True)

    def test_the_replicas_are_those_that_the_bot_expects_and_one_stays_up(self, overlay: Path) -> None:
        found = rendered(overlay)
        pod = found["StatefulSet"]["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        assert {each["name"]: each["value"] for each in container["env"]} == {
            "DINGERP_REPLICAS": str(found["StatefulSet"]["spec"]["replicas"])
        }
        assert found["PodDisruptionBudget"]["spec"]["minAvailable"] == 1
        assert "HorizontalPodAutoscaler" not in found
        # None runs beside others with different settings: they would refuse it.
        assert found["StatefulSet"]["spec"]["updateStrategy"] == {"type": "OnDelete"}

    def test_everything_asks_at_the_bots_port(self, overlay: Path) -> None:
        found = rendered(overlay)
        (container,) = found["StatefulSet"]["spec"]["template"]["spec"]["containers"]
        (port,) = container["ports"]
        assert port["containerPort"] == HttpSettings().port
        (served,) = found["Service"]["spec"]["ports"]
        assert (served["port"], served["targetPort"]) == (port["containerPort"], port["name"])
        probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("startup", "liveness", "readiness")}
        assert {name: (probe["path"], probe["port"]) for name, probe in probes.items()} == {
            "startup": ("/healthz", "http"),
            "liveness": ("/healthz", "http"),
            "readiness": ("/readyz", "http"),
        }
        assert all(port in (80, 443, 53, 5432, 6432) for port in out_ports(found["NetworkPolicy"]))

    def test_its_settings_and_rules_are_good_and_hold_no_secret(
        self, overlay: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name, text in rendered(overlay)["ConfigMap"]["data"].items():
            (tmp_path / name).write_text(text, encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        settings = load_settings(tmp_path / "dingerp.toml", data_dir=tmp_path / "data")
        check_settings(settings)
        assert settings.http.host == "0.0.0.0"
        assert not settings.database_url.get_secret_value()


def out_ports(policy: dict[str, Any]) -> list[int]:
    return [port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]]


def test_the_unit_starts_reloads_and_waits_as_the_bot_does() -> None:
    unit = RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names keep their capitals
    unit.read(ROOT / "deploy/systemd/dingerp.service", encoding="utf-8")
    service = unit["Service"]
    assert service["ExecStart"].endswith("/dingerp run --config /etc/dingerp.toml")
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"
    assert float(service["TimeoutStopSec"]) > 10, "what is in progress may take as long"
