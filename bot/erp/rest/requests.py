"""Requests as the options of a source describe them: one record, lists, changes, writes, and rows of lists."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from bot.erp.mapped import sources
from bot.erp.mapped.sources import ConfigPart
from bot.erp.rest.query import places


def _known_pattern(text: str) -> str:
    """Return a regular expression; raises `ValueError` for an invalid one."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}; an example: [A-Z0-9-]+") from None
    return text


class RequestTemplate(ConfigPart):
    """One request: its texts may have places for values, such as ``{number}``."""

    needs: ClassVar[frozenset[str]] = frozenset()
    knows: ClassVar[frozenset[str]] = frozenset()

    path: str = Field(min_length=1, description="Behind the source's `url`; values in it are escaped.")
    params: dict[str, str] = Field({}, description="Parameters of the address.")
    headers: dict[str, str] = Field({}, description="Further headers.")
    body: dict[str, Any] | list[Any] | None = Field(None, description="JSON that is sent.")

    @model_validator(mode="after")
    def _known_places(self) -> RequestTemplate:
        if "://" in self.path:
            raise ValueError("path: stands behind the source's url and is no address of its own; an example: /orders")
        used = self.used()
        unknown = sorted(used - self.knows - self.needs)
        if unknown:
            known = ", ".join(f"{{{name}}}" for name in sorted(self.knows | self.needs)) or "none"
            raise ValueError(f"unknown place {{{unknown[0]}}}; known here are {known}")
        for name in sorted(self.needs - used):
            raise ValueError(f'does not use {{{name}}}; an example: path = "/things/{{{name}}}"')
        return self

    def used(self) -> frozenset[str]:
        """Return the names of the places in it."""
        return places([self.path, self.params, self.headers, self.body])


class ReadTemplate(RequestTemplate):
    """A request that changes nothing. A text alone is short for ``{ path = "…" }``."""

    method: Literal["GET", "POST"] = "GET"
    reads: bool = Field(
        False, description="Must be true for POST: you say that it changes nothing, and may be repeated."
    )
    at: str = Field(
        "", description="Where in the answer it is: a dotted path or JSON pointer; empty: the answer itself."
    )

    missing: tuple[int, ...] = Field(
        (), description="Statuses by which the API says that there is no such record, or that a list is empty."
    )
    pattern: Annotated[str, AfterValidator(_known_pattern)] = Field(
        "", description="What codes and numbers look like; for one that does not, the API is not asked: there is none."
    )

    @model_validator(mode="after")
    def _only_reads(self) -> ReadTemplate:
        if self.method == "POST" and not self.reads:
            raise ValueError("method: POST may change something; if this one only searches, say reads = true")
        if self.method == "GET" and self.body is not None:
            raise ValueError('body: GET has none; an example: method = "POST", reads = true')
        return self


class ProductRead(ReadTemplate):
    """One product or its stock."""

    needs = frozenset({"sku"})


class DocumentRead(ReadTemplate):
    """One document."""

    needs = frozenset({"number"})


class DraftRead(ReadTemplate):
    """One document that has no number yet, but a name made of its id, such as ``(PROV7)``.

    Some APIs cannot be asked for such a name. Once the document has its number, the name leads to it all the same.
    """

    needs = frozenset({"id"})

    @model_validator(mode="after")
    def _finds_id(self) -> DraftRead:
        if re.compile(self.pattern).groups != 1:
            raise ValueError(r"pattern: needs one group, which finds the {id}; an example: '\(PROV(\d+)\)'")
        return self

    def id_in(self, name: str) -> str:
        """Return the id in the name of a draft; empty for another name."""
        found = re.fullmatch(self.pattern, name)
        return found[1] if found else ""


class Paging(ConfigPart):
    """How a long list is read in parts."""

    by: Literal["offset", "page", "cursor", "next"] = Field(
        description="What the next part is asked by: `{offset}`, `{page}`, `{cursor}`, or an address that it names."
    )
    size: int = Field(100, ge=1, le=10_000, description="Records asked for at once, for `{limit}`.")
    first: int = Field(1, ge=0, le=1, description="Number of the first page.")
    next: str = Field("", description="Where the next cursor or address is; empty for `next`: the header Link.")


class ListRead(ReadTemplate):
    """Records of one kind, in parts if need be."""

    knows = frozenset({"text", "today", "limit", "offset", "page", "cursor"})

    total: str = Field("", description="Where the answer says how many there are in all.")
    paging: Paging | None = None
    pages_itself: bool = Field(
        False, description="The API filters by `{text}` and sorts as the list wants: only the part shown is asked for."
    )

    @model_validator(mode="after")
    def _pages(self) -> ListRead:
        used, by = self.used(), self.paging.by if self.paging else ""
        if by in ("offset", "page", "cursor") and by not in used:
            raise ValueError(f'paging: by {by} needs {{{by}}}; an example: params = {{ {by} = "{{{by}}}" }}')
        if not by and used & {"offset", "page", "cursor"}:
            raise ValueError('paging is missing; an example: paging = { by = "offset", size = 100 }')
        if by == "cursor" and self.paging and not self.paging.next:
            raise ValueError('paging.next is missing: where the next cursor is; an example: next = "meta.next_cursor"')
        if self.pages_itself and not (by == "offset" and self.total and {"limit", "text"} <= used):
            raise ValueError(
                "pages_itself needs {text}, {offset}, {limit} and total; an example: params = "
                '{ q = "{text}", offset = "{offset}", limit = "{limit}" }, total = "total"'
            )
        return self


class PaidRead(ListRead):
    """What was paid on one invoice or bill, and what was set off against it."""

    needs = frozenset({"id"})

    amount: str = Field(min_length=1, description="Where a payment has the amount that it settles of the document.")


class ChangesRead(ListRead):
    """What changed since a time, oldest first."""

    needs = frozenset({"since"})
    fields: sources.ChangeFields


class WriteTemplate(RequestTemplate):
    """A request that changes something; it is sent once."""

    knows = frozenset({"number", "id", "version", "by", "reason", "task_id", "approvals"})

    method: Literal["POST", "PUT", "PATCH"] = "POST"
    text: str = Field("", description="Where the answer has the ERP's own words.")


class LookupList(ConfigPart):
    """A list in which ids of other records are looked up, such as customers; it is read every ten minutes."""

    list: ListRead
    key: str = Field(min_length=1, description="Where a record has the id.")
    value: str = Field(min_length=1, description="Where it has what is shown instead.")


def _from_text(value: Any) -> Any:
    return {"path": value} if isinstance(value, str) else value


Short = BeforeValidator(_from_text)
"""Lets a read be written as its path alone."""

R = TypeVar("R", bound=ListRead)
F = TypeVar("F")


class RowsRead(ConfigPart, Generic[R, F]):
    """Rows of a list: its records, or what is inside of them."""

    list: Annotated[R, Short]
    inside: str = Field("", description="The list inside each record whose items are the rows; the record is at `^`.")
    only: dict[str, tuple[str, ...]] = Field(
        {}, description='Rows count only with one of these values there: `{ state = ["open"], code = ["{sku}"] }`.'
    )
    fields: F

    @model_validator(mode="after")
    def _known_values(self) -> RowsRead[R, F]:
        unknown = sorted(places(self.only) - type(self.list).needs - type(self.list).knows)
        if unknown:
            raise ValueError(f"only: unknown place {{{unknown[0]}}}; it can use the places of list")
        return self
