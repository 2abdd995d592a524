"""The queries of the configuration: they only read, and use only the parameters that we pass.

This is the first of three locks: the account's rights and the connection's read-only mode are behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydantic import AfterValidator

_PIECES = re.compile(
    r"""
    (?P<string> '(?:[^']|'')*' )
    | (?P<dollar> \$(?P<tag>[A-Za-z_]*)\$ .*? \$(?P=tag)\$ )
    | (?P<quoted> "(?:[^"]|"")*" | `[^`]*` | \[[A-Za-z_][^\]\[:'"]*\] )
    | (?P<comment> --[^\n]* | /\*.*?\*/ )
    | (?P<open> ['"`] | /\* )
    """,
    re.VERBOSE | re.DOTALL,
)
_PARAMETER = re.compile(r"(?<![:\w]):([A-Za-z_]\w*)")
_BOUND = re.compile(r"(?<![:\w\\]):([A-Za-z_]\w*)")
"""A parameter in a statement for SQLAlchemy, in which all other colons are escaped."""
_OTHER_COLON = re.compile(r"(?<!:):(?![:A-Za-z_])")
_WRITES = re.compile(
    r"\b(insert|update|delete|merge|into|exec|execute|drop|truncate|alter|create|grant|revoke|deny|backup|restore|"
    r"shutdown|kill|dbcc|reconfigure|waitfor|openquery|openrowset|opendatasource)\b",
    re.IGNORECASE,
)
"""Words with which a statement that begins with SELECT or WITH can still write or lock. Quoted, they are names.

SQL Server needs no semicolon between two statements, so that a word can begin another one anywhere; all but the first
five are reserved there, and no column has them as its name unquoted.
"""


@dataclass(frozen=True, slots=True)
class Statement:
    """A query for `sqlalchemy.text`: colons that are no parameters are escaped, comments removed."""

    sql: str
    parameters: frozenset[str]

    @property
    def text(self) -> str:
        """The query as a database takes it, without comments and the semicolon at its end."""
        return self.sql.replace(r"\:", ":")

    @classmethod
    @lru_cache(maxsize=512)
    def parse(cls, text: str) -> Statement:
        """Parse a query; raises `ValueError` unless it certainly only reads.

        A source's queries are parsed several times: where they are checked, and in front of each that reads a view.
        """
        pieces, code, end = [], [], 0
        for piece in _PIECES.finditer(text):
            plain = text[end : piece.start()]
            end = piece.end()
            pieces.append(_escape_code(plain))
            code.append(plain)
            if piece["open"]:
                raise ValueError(f"a {piece['open']} is opened and not closed")
            if piece["comment"]:
                pieces.append(" ")
                code.append(" ")
                continue
            if piece["string"] and re.search(r"\\'", piece["string"]):
                raise ValueError("a quote after a backslash means different things to different databases: write ''")
            pieces.append(piece[0].replace(":", r"\:"))
            code.append(" '' ")
        pieces.append(_escape_code(text[end:]))
        code.append(text[end:])
        plain_code = "".join(code).rstrip().removesuffix(";").rstrip()
        _refuse_writes(plain_code)
        sql = "".join(pieces).rstrip().removesuffix(";")
        return cls(sql.strip(), frozenset(_PARAMETER.findall(plain_code)))


def without_parameters(statement: Statement) -> str:
    """Return a query with NULL in place of each parameter: for what looks at its syntax alone."""
    return _BOUND.sub("NULL", statement.sql).replace(r"\:", ":")


def _escape_code(code: str) -> str:
    return _OTHER_COLON.sub(r"\:", code)


def _refuse_writes(code: str) -> None:
    first = re.match(r"\s*(\w*)", code)
    if first is None or first[1].lower() not in {"select", "with"}:
        raise ValueError("only queries that begin with SELECT or WITH are run here")
    if ";" in code:
        raise ValueError("one query only: there is a semicolon inside")
    written = _WRITES.search(code)
    if written is not None:
        raise ValueError(f"{written[1].upper()} writes, and here is only read (a column of that name can be quoted)")


def query(required: str = "", allowed: str = "", *, columns: str = "", ordered: bool = False) -> AfterValidator:
    """Return a `checked` for use in an annotation."""
    return AfterValidator(checked(required, allowed, columns=columns, ordered=ordered))


def checked(required: str = "", allowed: str = "", *, columns: str = "", ordered: bool = False) -> Callable[[str], str]:
    """Return the check of a query's text, which raises `ValueError` with an example of what it lacks.

    ``required`` and ``allowed``: names of parameters. ``columns``: names that must be in the text. ``ordered``: it
    needs an ORDER BY.
    """
    needed, known = required.split(), {*required.split(), *allowed.split()}

    def check(text: str) -> str:
        statement = Statement.parse(text)
        unknown = sorted(statement.parameters - known)
        if unknown:
            usable = ", ".join(f":{name}" for name in sorted(known)) or "none at all"
            raise ValueError(f"unknown parameter :{unknown[0]}; it can use {usable}")
        for name in needed:
            if name not in statement.parameters:
                raise ValueError(f"does not use :{name}; an example: {_example(name)}")
        for name in columns.split():
            if not re.search(rf"\b{name}\b", text, re.IGNORECASE):
                raise ValueError(f"gives no column {name}; an example: SELECT no AS {name}, …")
        if ordered and not re.search(r"\border\s+by\b", statement.sql, re.IGNORECASE):
            raise ValueError("has no ORDER BY, and a part of it is read at a time")
        return text

    return check


def check_view(text: str) -> str:
    """Check the query of a view: it only reads and has no parameters. Raises `ValueError`."""
    statement = Statement.parse(text)
    if statement.parameters:
        raise ValueError(
            f"uses :{min(statement.parameters)}; the queries that read a view have parameters, it has none"
        )
    if not re.match(r"select\b", statement.sql, re.IGNORECASE):
        raise ValueError("begins with WITH; a view is one SELECT, and reads views that stand before it")
    return text


def with_views(text: str, views: Mapping[str, str]) -> str:
    """Return a query that begins with the views that it reads and those that they read, which are before them."""
    used: dict[str, str] = {}
    words = _words_of(text)
    for name, query in reversed(list(views.items())):
        if name.casefold() in words:
            used[name] = Statement.parse(query).text
            words = words | _words_of(query)
    if not used:
        return text
    own = re.match(r"\s*with\b", text, re.IGNORECASE)
    begun = ", ".join(f"{name} AS ({query})" for name, query in reversed(list(used.items())))
    return f"WITH {begun}, {text[own.end() :]}" if own else f"WITH {begun} {text}"


@lru_cache(maxsize=512)
def _words_of(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))


_paged = checked("limit offset", "text like today", columns="all_rows", ordered=True)


def check_list_query(text: str) -> str:
    """Check a list's query: one that pages by itself must page wholly. Raises `ValueError`."""
    names = Statement.parse(text).parameters
    if ("limit" in names) != ("offset" in names):
        raise ValueError("uses one of :limit and :offset; use both, or neither (then paging is done here)")
    if "limit" in names:
        _paged(text)
    return text


def check_sales_query(text: str) -> str:
    """Check the query of what customers paid; raises `ValueError` for a limit that cuts before a customer is chosen."""
    names = Statement.parse(text).parameters
    if "limit" in names and not names & {"text", "like"}:
        raise ValueError(
            "uses :limit and not :like, so that older sales to a customer would be cut off; an example: "
            "WHERE lower(customer) LIKE lower(:like) ESCAPE '!'"
        )
    return text


def pages_itself(text: str) -> bool:
    """Whether a list's query gives one page only."""
    return "limit" in Statement.parse(text).parameters


def _example(name: str) -> str:
    examples = {
        "limit": "ORDER BY changed_at, key LIMIT :limit",
        "offset": "LIMIT :limit OFFSET :offset",
        "since": "WHERE changed_at >= :since",
    }
    return examples.get(name, f"WHERE lower({name}) = lower(:{name})")
