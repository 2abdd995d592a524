"""`make mutants` changes modules that exist, and runs tests that exist: mutmut passes over others without a word."""

from __future__ import annotations

import tomllib

from .tree import ROOT


def test_modules_and_tests_exist() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"]
    left_out = [argument.partition("=")[2] for argument in options["pytest_add_cli_args"] if argument.startswith("--")]
    named = [
        *options["only_mutate"],
        *options["do_not_mutate"],
        *options["pytest_add_cli_args_test_selection"],
        *filter(lambda path: path.startswith("tests/"), left_out),
    ]

    assert [path for path in named if not any(ROOT.glob(path.partition("::")[0]))] == []
