"""The list of mutants of rights fits the code: `make mutants-rights`, which runs them, takes minutes."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections import Counter

import pytest

from .rights_mutants import KINDS, RightsMutant, read_mutants
from .tree import ROOT

MUTANTS = read_mutants()


def test_every_kind_of_mistake_is_listed() -> None:
    assert {mutant.drops for mutant in MUTANTS} == KINDS
    assert [name for name, count in Counter(mutant.name for mutant in MUTANTS).items() if count > 1] == []


def test_each_mutant_is_another_program() -> None:
    codes = {file: (ROOT / file).read_text(encoding="utf-8") for file in {mutant.file for mutant in MUTANTS}}
    programs = {file: ast.dump(ast.parse(code)) for file, code in codes.items()}
    for mutant in MUTANTS:
        changed = mutant.applied_to(codes[mutant.file])

        assert ast.dump(ast.parse(changed)) != programs[mutant.file], mutant.name


def test_no_mutant_dies_of_a_name_that_is_not_there() -> None:
    for mutant in MUTANTS:
        known = {*names_in((ROOT / mutant.file).read_text(encoding="utf-8")), *dir(builtins), *keyword.kwlist}

        assert names_in(mutant.after) - known == set(), mutant.name


def names_in(code: str) -> set[str]:
    return set(re.findall(r"[A-Za-z_]\w*", code))


def test_the_tests_of_each_mutant_exist() -> None:
    named = {test for mutant in MUTANTS for test in mutant.tests}

    assert [mutant.name for mutant in MUTANTS if not mutant.tests] == []
    assert [test for test in sorted(named) if not exists(test)] == []


def exists(node: str) -> bool:
    """Return whether a node id leads to one test; cases of a parametrised test are not looked for."""
    file, *path = node.partition("[")[0].split("::")
    if not path or not (ROOT / file).is_file():
        return False
    tree: ast.AST = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    for name in path:
        found = [each for each in ast.iter_child_nodes(tree) if getattr(each, "name", None) == name]
        if not found:
            return False
        tree = found[0]
    return True


def test_a_mutant_of_words_that_are_gone_is_told() -> None:
    gone = RightsMutant("gone", "scope", "bot/x.py", "never written", "", ())

    with pytest.raises(ValueError, match="0 times"):
        gone.applied_to("something else")
