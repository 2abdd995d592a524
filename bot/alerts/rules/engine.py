"""CEL, loaded when the first condition is compiled: without expressions it is never there.

The package's ``__init__`` imports its command line too, with prompt-toolkit, rich and typer: 31 MB and 115 ms
(measured, 0.10.0). The compiled extension alone is 2.5 MB and 2 ms, so that alone is loaded, under its own name.
"""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from types import ModuleType

    from cel import Context, Program

_NAME = "cel.cel"


def compile_program(source: str) -> Program:
    """Return the program; raises `ValueError` with the parser's words."""
    return cast("Program", _extension().compile(source))


def new_context() -> Context:
    """Return an empty set of variables."""
    return cast("Context", _extension().Context())


@cache
def _extension() -> ModuleType:
    if _NAME in sys.modules:
        return sys.modules[_NAME]
    package = importlib.util.find_spec("cel")
    folders = [] if package is None else package.submodule_search_locations or []
    for file in (found for folder in folders for found in Path(folder).glob("cel.*")):
        spec = importlib.util.spec_from_file_location(_NAME, file)
        if file.suffix in {".so", ".pyd"} and spec is not None and spec.loader is not None:
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            # An extension is initialised once in a process: whoever imports the package gets this one.
            sys.modules[_NAME] = module
            return module
    return importlib.import_module(_NAME)
