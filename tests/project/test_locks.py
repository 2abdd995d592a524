"""The lock files work anywhere: exact versions, no addresses, the same for use and development."""

from __future__ import annotations

import re
import tomllib

import pytest

from .tree import ROOT

HASHED = ("requirements.lock", "requirements-image.lock")
LOCKS = (*HASHED, "requirements-dev.lock")
PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[0-9][0-9a-z.]*)( ; [^\\]+?)?( --hash=sha256:[0-9a-f]{64})*$")


def lines(name: str) -> list[str]:
    text = re.sub(r" \\\n +", " ", (ROOT / name).read_text())
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]


def pins(name: str) -> dict[str, str]:
    found = [PIN.match(line) for line in lines(name)]
    assert found
    assert all(found), f"{name} holds a line that is not a plain pin"
    return {pin["name"]: pin["version"] for pin in found if pin}


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_a_pin_without_address(name: str) -> None:
    text = (ROOT / name).read_text()

    assert "://" not in text
    assert pins(name)


@pytest.mark.parametrize("name", HASHED)
def test_the_bot_runs_with_the_very_files_and_the_versions_it_was_tested_with(name: str) -> None:
    tested = pins("requirements-dev.lock")

    assert {package: tested.get(package) for package in pins(name)} == pins(name)
    assert [line for line in lines(name) if " --hash=sha256:" not in line] == []


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    def names(requirements: list[str]) -> set[str]:
        return {re.split(r"[\[<>=!~; ]", requirement, maxsplit=1)[0].lower() for requirement in requirements}

    extras = project["optional-dependencies"]
    assert names(project["dependencies"]) <= pins("requirements.lock").keys()
    assert names(extras["dev"] + extras["postgres"]) <= pins("requirements-dev.lock").keys()
