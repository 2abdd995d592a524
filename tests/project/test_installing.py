"""The setup uses pip's configuration, and pip itself where uv does not support it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType
from typing import Any

import pytest

from .tree import ROOT


def load() -> ModuleType:
    spec = spec_from_file_location("ci_install", ROOT / ".ci" / "install.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


install = load()
AS_PIP = ["--index-strategy", "unsafe-best-match"]


def test_the_environment_beats_the_files() -> None:
    lines = [
        "global.index_url='https://one.example/index'",
        "global.timeout='9'",
        "install.index_url='https://two.example/index'",
        ":env:.timeout='60'",
        "download.index_url='https://three.example/index'",
    ]
    assert install.settings(lines) == {"index-url": "https://two.example/index", "timeout": "60"}


def test_uv_is_told_what_pip_is_told() -> None:
    pip = {
        "index-url": "https://one.example/index",
        "extra-index-url": "https://two.example/index\nhttps://three.example/index",
        "find-links": "/wheels",
        "cert": "/etc/ca.pem",
        "proxy": "http://proxy.example:3128",
        "no-index": "false",
        "timeout": "60",
    }
    options, variables = install.spell(pip)
    assert options == [
        *("--default-index", "https://one.example/index"),
        *("--index", "https://two.example/index", "--index", "https://three.example/index"),
        *("--find-links", "/wheels"),
        *AS_PIP,
    ]
    proxy = "http://proxy.example:3128"
    assert variables == {"SSL_CERT_FILE": "/etc/ca.pem", "HTTP_PROXY": proxy, "HTTPS_PROXY": proxy}
    assert install.spell({"no-index": "true"}) == (["--no-index", *AS_PIP], {})
    assert install.spell({}) == (AS_PIP, {})


@pytest.mark.parametrize("name", ["no-binary", "client-cert", "target", "something-new"])
def test_what_uv_may_not_know_is_left_to_pip(name: str) -> None:
    assert install.spell({"index-url": "https://one.example/index", name: "x"}) is None


@pytest.mark.parametrize(("pip", "uv_fails", "by_pip"), [("", 0, 0), ("", 1, 1), ("global.no-binary=':all:'\n", 0, 1)])
def test_pip_does_what_uv_cannot(pip: str, uv_fails: int, by_pip: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        failed = uv_fails if command[0] == str(install.UV) else 0
        return subprocess.CompletedProcess(command, failed, stdout=pip if command[-2:] == ["config", "list"] else "")

    monkeypatch.setattr(subprocess, "run", run)
    assert install.main(["--python", "elsewhere/python", "-r", "some.lock"]) == 0
    installs = [command for command in asked if command[-2:] == ["-r", "some.lock"]]
    assert [command[0] for command in installs].count(sys.executable) == by_pip
    assert installs[-1][0] == (sys.executable if by_pip else str(install.UV))
    for command in installs:
        assert command[command.index("--python") + 1] == "elsewhere/python"
