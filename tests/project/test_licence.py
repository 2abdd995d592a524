"""The licence is where people, package indexes and scanners look for it, and matches the project's metadata."""

from __future__ import annotations

import hashlib
import tomllib

from .tree import ROOT

APACHE_2_0 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
"""SHA-256 of the text that the Apache Software Foundation publishes."""


def test_the_licence_is_unaltered() -> None:
    assert hashlib.sha256((ROOT / "LICENSE").read_bytes()).hexdigest() == APACHE_2_0


def test_the_package_says_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert project["license"] == "Apache-2.0"
    assert project["license-files"] == ["LICENSE", "NOTICE"]
    assert (ROOT / "NOTICE").read_text(encoding="utf-8").startswith(f"{project['name']}\nCopyright ")
