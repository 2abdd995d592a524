"""The catalogues: collect message ids from code and templates, keep the files in step, find what is missing.

``python -m bot.cards.catalogue update`` rewrites them, ``… check`` reports and fails. English needs no translations,
only the plural forms.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from bot.cards.language import LANGUAGE_CODES, LOCALES, catalogue_path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = "en"

_Id: TypeAlias = str | tuple[str, ...] | list[str]

_JINJA = "jinja2.ext:babel_extract"
_PLACES = {
    "bot": ("*.py", "python"),
    "commands": ("*.py", "python"),
    "templates/cards": ("*.md.j2", _JINJA),
    "templates/pages": ("*.html.j2", _JINJA),
}
_OPTIONS = {"python": {}, _JINJA: {"trimmed": "true", "silent": "false", "newstyle_gettext": "true"}}
_KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "phrase": (1,)}
# Nine in ten files of code say nothing to anybody, and looking for that is quicker than reading them as Python.
_SAYS = re.compile(rf"\b(?:{'|'.join(_KEYWORDS)})\s*\(|\{{%".encode())
_PLACEHOLDER = re.compile(r"%(?:\((\w+)\)([ds])|%)")

# Without dates and versions: a catalogue changes only when its messages do.
_HEADER = """\
msgid ""
msgstr ""
"Language: {code}\\n"
"Plural-Forms: {plurals}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def collect(root: Path = ROOT) -> Catalog:
    """Return every message: ``phrase(…)`` and ``gettext(…)`` in code, the words of templates."""
    catalogue = Catalog()
    for place, (pattern, method) in _PLACES.items():
        for path in sorted((root / place).rglob(pattern)):
            if not _SAYS.search(path.read_bytes()):
                continue
            where = [(path.relative_to(root).as_posix(), 1)]
            for _, message, _, context in extract_from_file(method, path, _KEYWORDS, options=_OPTIONS[method]):
                catalogue.add(message, locations=where, context=context)
    return catalogue


def read(code: str, folder: Path = LOCALES) -> Catalog:
    """Return the catalogue of a language, an empty one where there is none yet."""
    path = catalogue_path(folder, code)
    return read_po(BytesIO(path.read_bytes() if path.exists() else b""), locale=code)


def update(root: Path = ROOT, folder: Path = LOCALES) -> None:
    """Bring the files in step with the program; translations that nobody asks for any more are dropped."""
    collected = collect(root)
    for code in LANGUAGE_CODES:
        catalogue = read(code, folder)
        catalogue.update(collected, no_fuzzy_matching=True)
        if code == SOURCE:
            _keep_plurals(catalogue)
        body = BytesIO()
        write_po(
            body, catalogue, omit_header=True, ignore_obsolete=True, sort_by_file=True, include_lineno=False, width=120
        )
        path = catalogue_path(folder, code)
        path.parent.mkdir(parents=True, exist_ok=True)
        header = _HEADER.format(code=code, plurals=catalogue.plural_forms)
        path.write_text(header + body.getvalue().decode().lstrip("\n"), "utf-8")


def check(root: Path = ROOT, folder: Path = LOCALES) -> list[str]:
    """Return what is wrong with the catalogues, one line each: untranslated, left over, other placeholders."""
    collected = {message.id: message for message in collect(root) if message.id}
    return [problem for code in LANGUAGE_CODES for problem in _check_one(code, read(code, folder), collected)]


def _keep_plurals(catalogue: Catalog) -> None:
    for message in list(catalogue):
        if not message.id:
            continue
        if isinstance(message.id, tuple):
            message.string = message.id
        else:
            catalogue.delete(message.id)


def _check_one(code: str, catalogue: Catalog, collected: Mapping[_Id, Message]) -> Iterator[str]:
    known = {message.id: message for message in catalogue if message.id}
    for left_over in known.keys() - collected.keys():
        yield f"{code}: nobody says {_first(left_over)!r} any more"
    for msgid, source in collected.items():
        if code == SOURCE and not isinstance(msgid, tuple):
            continue
        where = ", ".join(sorted({path for path, _ in source.locations}))
        message = known.get(msgid)
        strings = _strings(message) if message else ()
        if not strings or not all(strings) or (message and message.fuzzy):
            yield f"{code}: not translated: {_first(msgid)!r} ({where})"
            continue
        wanted = _placeholders(_last(msgid))
        # A form for one thing may do without its number.
        if _placeholders(strings[-1]) != wanted or any(_placeholders(string) - wanted for string in strings):
            yield f"{code}: other placeholders than {sorted(wanted)}: {_first(msgid)!r} ({where})"


def _strings(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


def _first(msgid: _Id) -> str:
    return msgid if isinstance(msgid, str) else msgid[0]


def _last(msgid: _Id) -> str:
    return msgid if isinstance(msgid, str) else msgid[-1]


def _placeholders(text: str) -> set[str]:
    """Return the placeholders; a stray per cent sign counts as one, so that it stands out."""
    names = {f"{match[1]}:{match[2]}" if match[1] else "%%" for match in _PLACEHOLDER.finditer(text)}
    return names | ({"lone %"} if "%" in _PLACEHOLDER.sub("", text) else set())


def main(arguments: list[str]) -> int:
    """Run ``update`` or ``check``; return the exit status."""
    if arguments == ["update"]:
        update()
    elif arguments != ["check"]:
        sys.stderr.write("usage: python -m bot.cards.catalogue update|check\n")
        return 2
    problems = check()
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
