"""AI tables (AI 表格): the records of one sheet, read and written in one person's name.

Docs: platform/dingtalk/ai-tables.md
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from bot.dingtalk.apis import (
    SHEET_ADD_FIELD,
    SHEET_DELETE,
    SHEET_FIELDS,
    SHEET_INSERT,
    SHEET_READ,
    SHEET_UPDATE,
    ApiCall,
)
from bot.dingtalk.errors import DingTalkAccessDenied, DingTalkError, DingTalkQuotaExhausted, DingTalkRefused
from bot.dingtalk.openapi import OpenApi
from bot.dingtalk.payload import items, part, text
from bot.sheets.records import AT_ONCE, TEXT_FIELD, CellsOf, SheetNotAnswered, SheetRefused, TableRecord
from bot.words.phrase import Phrase, phrase

_PAGES = 200
"""Pages that are read: a table has at most 20 000 rows of the bot."""
_NOT_THERE = frozenset({"invalidRequest.document.notFound", "invalidRequest.document.deleted"})
_NO_SUCH = "invalidRequest.resource.notFound"
_CLOSED = frozenset({"forbidden.accessDenied", "forbidden.user.notInOrg"})


class NotableTable:
    """One sheet of an AI table; needs ``Notable.Base.Read.All`` and ``Notable.Base.Write.All``."""

    def __init__(self, api: OpenApi, address: str, *, base: str, sheet: str, operator: str) -> None:
        """``address`` is that of the new API, ``operator`` the unionId of the person in whose name it is done."""
        self._api = api
        self._root = f"{address}/v1.0/notable/bases/{quote(base, safe='')}/sheets/{quote(sheet, safe='')}"
        self._operator = operator

    async def columns(self) -> Mapping[str, str]:
        answer = await self._call(SHEET_FIELDS, "fields")
        return {text(each.get("name")): text(each.get("type")) for each in map(part, items(answer.get("value")))}

    async def add_column(self, name: str) -> None:
        await self._call(SHEET_ADD_FIELD, "fields", {"name": name, "type": TEXT_FIELD})

    async def records(self) -> Sequence[TableRecord]:
        found: dict[str, TableRecord] = {}
        token = ""
        for _ in range(_PAGES):
            body = {"maxResults": AT_ONCE, **({"nextToken": token} if token else {})}
            answer = await self._call(SHEET_READ, "records/list", body)
            for each in map(part, items(answer.get("records"))):
                cells = {name: _cell(value) for name, value in part(each.get("fields")).items()}
                found[text(each.get("id"))] = TableRecord(text(each.get("id")), cells)
            token = text(answer.get("nextToken"))
            if not token or answer.get("hasMore") is False:
                return [*found.values()]
        raise SheetRefused(phrase("the table has too many rows to be read"))

    async def insert(self, rows: Sequence[Mapping[str, str]], token: str) -> Sequence[str]:
        body = {"records": [{"fields": dict(row)} for row in rows]}
        answer = await self._call(SHEET_INSERT, "records", body, clientToken=token)
        made = [text(part(each).get("id")) for each in items(answer.get("value"))]
        if len(made) != len(rows) or not all(made):
            raise SheetNotAnswered(f"{SHEET_INSERT.name}: an answer without the ids of the rows")
        return made

    async def update(self, changes: Sequence[CellsOf]) -> None:
        body = {"records": [{"id": each.id, "fields": dict(each.cells)} for each in changes]}
        await self._call(SHEET_UPDATE, "records", body)

    async def delete(self, record_ids: Sequence[str]) -> None:
        await self._call(SHEET_DELETE, "records/delete", {"recordIds": [*record_ids]})

    async def _call(
        self, api: ApiCall, path: str, body: Mapping[str, Any] | None = None, **query: str
    ) -> dict[str, Any]:
        address = f"{self._root}/{path}?{urlencode({'operatorId': self._operator, **query})}"
        try:
            return await self._api.call(api, body, address=address)
        except DingTalkRefused as refusal:
            raise SheetRefused(_why(refusal)) from refusal
        except DingTalkAccessDenied as denied:
            raise SheetRefused(
                phrase("the app may not use AI tables: grant Notable.Base.Read.All and Notable.Base.Write.All")
            ) from denied
        except DingTalkQuotaExhausted as spent:
            raise SheetRefused(phrase("the month's calls are used up")) from spent
        except DingTalkError as error:
            raise SheetNotAnswered(error.detail, retry_after=error.retry_after) from error


def _why(refusal: DingTalkRefused) -> Phrase:
    if refusal.code in _NOT_THERE:
        return phrase("there is no such AI table, or its operator may not open it")
    if refusal.code in _CLOSED:
        return phrase("the operator may not edit the AI table")
    if refusal.code == _NO_SUCH:
        return phrase("the AI table has no such sheet, column or row")
    return phrase("DingTalk refuses it (%(code)s)", code=refusal.code)


def _cell(value: object) -> str:
    """Return the text of a cell: of text itself, of a choice its name; what else there may be is no text of ours."""
    return text(part(value).get("name")) if isinstance(value, dict) else text(value)
