"""The Dockerfile and the compose file, checked as text, because tests have no container engine."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from fnmatch import fnmatch
from importlib.metadata import requires
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bot.charts.fonts import PLACES

from .test_locks import pins
from .tree import ROOT, files, markdown_files

LINES = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE))
INSTRUCTIONS = [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in LINES.splitlines()) if word]


def of(kind: str) -> list[str]:
    return [rest for word, rest in INSTRUCTIONS if word == kind]


def last_stage() -> list[tuple[str, str]]:
    start = max(number for number, (word, _) in enumerate(INSTRUCTIONS) if word == "FROM")
    return INSTRUCTIONS[start:]


def sources() -> list[str]:
    return [name for copied in of("COPY") if "--from=" not in copied for name in shlex.split(copied)[:-1]]


@pytest.mark.parametrize("source", sources())
def test_what_is_copied_exists_and_reaches_the_builder(source: str) -> None:
    admitted = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]

    assert any((ROOT / source) in (path, *path.parents) for path in files())
    assert any(fnmatch(source, pattern) for pattern in admitted)


def test_the_wheel_holds_what_the_image_copies() -> None:
    folders = {name for name in sources() if (ROOT / name).is_dir()}

    assert folders == {"bot", "commands", "templates"}


def test_the_builder_gets_nothing_else() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()

    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == set(sources())


def test_stages_are_slim_and_of_one_python() -> None:
    images = {image.split()[0] for image in of("FROM")}

    assert len(of("FROM")) == 2
    assert len(images) == 1
    assert re.fullmatch(r"python:3\.1[1-9]-slim-trixie@sha256:[0-9a-f]{64}", images.pop())


def test_the_image_holds_a_font_for_charts() -> None:
    copied = [Path(name) for word, rest in last_stage() if word == "COPY" for name in shlex.split(rest)[:-1]]

    assert PLACES[0] in copied
    assert any("fonts-noto-cjk" in command for command in of("RUN"))


def test_the_image_has_every_extra() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {name: needs for name, needs in project["optional-dependencies"].items() if name != "dev"}
    wanted = [Requirement(need) for needs in (project["dependencies"], *extras.values()) for need in needs]
    packages = {one.name for one in wanted}
    for one in wanted:
        parts = [Requirement(part) for part in (requires(one.name) or ()) if one.extras]
        environments = [{"extra": extra, "python_version": "3.13"} for extra in one.extras]
        packages |= {part.name for part in parts if part.marker and any(map(part.marker.evaluate, environments))}
    (installing,) = [command for command in of("RUN") if "--requirement" in command]
    assert "--require-hashes --no-deps --requirement requirements-image.lock" in installing
    assert {canonicalize_name(package) for package in packages} <= pins("requirements-image.lock").keys()
    named = {
        name for page in markdown_files() for name in re.findall(r"dingerp\[(\w+)\]", page.read_text(encoding="utf-8"))
    }
    assert named <= extras.keys()


def test_the_image_saves_the_postgresql_that_compose_offers(compose: dict[str, Any]) -> None:
    installed = " ".join(rest for word, rest in last_stage() if word == "RUN")
    client = re.search(r"\bpostgresql-client-(\d+)\b", installed)
    server = re.match(r"postgres:(\d+)", compose["services"]["postgres"]["image"])
    assert client is not None
    assert server is not None
    assert int(client[1]) >= int(server[1])
    asked_for = next(number for number, (word, _) in enumerate(last_stage()) if word == "USER")
    assert any("postgresql-client" in rest for _, rest in last_stage()[:asked_for]), "only root can install it"


def test_the_image_runs_the_bot_as_nobody_special() -> None:
    stage = last_stage()
    settings = " ".join(rest for word, rest in stage if word == "ENV")

    assert [rest for word, rest in stage if word == "USER"] == ["dingerp"]
    assert json.loads(next(rest for word, rest in stage if word == "ENTRYPOINT")) == ["dingerp"]
    assert json.loads(next(rest for word, rest in stage if word == "CMD")) == ["run"]
    assert "DINGERP_DATA_DIR=/data" in settings
    assert "DINGERP_HTTP__HOST=0.0.0.0" in settings
    assert ("VOLUME", "/data") in stage


def test_the_health_check_needs_nothing_but_python() -> None:
    check = next(rest for word, rest in last_stage() if word == "HEALTHCHECK")
    command = json.loads(check[check.index("[") :])

    assert command[:2] == ["python", "-c"]
    compile(command[2], "HEALTHCHECK", "exec")
    assert "http://127.0.0.1:8788/healthz" in command[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


def test_compose_keeps_one_bot_running(compose: dict[str, Any]) -> None:
    bot = compose["services"]["dingerp"]

    assert bot["build"] == "."
    assert bot["env_file"] == ".env"
    assert bot["restart"] == "unless-stopped"
    assert "deploy" not in bot, "each replica needs a data folder of its own"
    assert int(bot["stop_grace_period"].rstrip("s")) > 10


def test_compose_volumes_are_declared(compose: dict[str, Any]) -> None:
    used = {mount.split(":")[0] for service in compose["services"].values() for mount in service.get("volumes", [])}
    folders = {name for name in used if name.startswith("./")}

    assert used - folders == compose["volumes"].keys()
    assert all((ROOT / name).is_dir() for name in folders)
    assert "data:/data" in compose["services"]["dingerp"]["volumes"]


def test_compose_publishes_to_this_machine_only(compose: dict[str, Any]) -> None:
    ports = [port for service in compose["services"].values() for port in service.get("ports", [])]

    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert [port for port in ports if port.endswith(":8788")] == ["127.0.0.1:8788:8788", "127.0.0.1:8789:8788"]


def test_a_second_replica_differs_in_its_folder_and_port_alone(compose: dict[str, Any]) -> None:
    first, second = compose["services"]["dingerp"], compose["services"]["second"]

    assert second["profiles"] == ["replicas"]
    assert {name for name in second if second[name] != first.get(name)} == {"profiles", "volumes", "ports"}


def test_postgres_is_asked_for(compose: dict[str, Any]) -> None:
    postgres = compose["services"]["postgres"]

    assert postgres["profiles"] == ["postgres"]
    assert "test" in postgres["healthcheck"]
    assert compose["services"]["dingerp"]["depends_on"]["postgres"] == {
        "condition": "service_healthy",
        "required": False,
    }


def test_secrets_stay_out_of_the_image_and_the_repository() -> None:
    assert ".env" in (ROOT / ".gitignore").read_text().split()
    assert not any(Path(name).name.startswith(".env") for name in sources())
