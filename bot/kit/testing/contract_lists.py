"""Contract cases of lists: what they hold, in which order, and that pages neither overlap nor miss anything."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, timedelta
from operator import attrgetter
from typing import Any

from bot.erp.kinds import DECIDED, KINDS, Kind, lines_of_product
from bot.erp.model import Slice
from bot.erp.port import Capability, Erp, Filter, ListQuery, Period
from bot.kit.testing.company import ReferenceCompany
from bot.kit.testing.contract_base import ContractBase, case
from bot.kit.testing.contract_reads import EACH_KIND, EACH_MOVED, EACH_NAMED
from bot.kit.testing.erp_checks import (
    SINGLE_ONLY,
    case_variants,
    expected_numbers,
    filters_of,
    numbers,
    read_list,
    sample_evenly,
    without_lines,
)
from bot.kit.testing.gaps import comparable

EACH_BY_PRODUCT = ("kind", [kind for kind in KINDS if kind.by_product])
EACH_FINISHED = ("kind", [kind for kind in KINDS if Filter.DONE in kind.filters])

_ALL = 10_000
_DAY = timedelta(days=1)
_BY_DAY = frozenset({Filter.LATE, Filter.OVERDUE})
_LONG_AGO, _FAR_AHEAD = date(2000, 1, 1), date(2100, 1, 1)


class ListsContract(ContractBase):
    """Reading lists of documents."""

    @case("list.all", "All are listed, newest first and equal days by number", over=EACH_KIND)
    async def test_all(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        query = ListQuery(limit=_ALL)
        found = await read_list(erp, kind, query)
        assert numbers(found) == expected_numbers(kind, self.expected_documents(company, kind), query)
        assert found.total == len(found.items)

    @case("list.same", "A listed document says the same as when it is read alone, without lines", over=EACH_KIND)
    async def test_same(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        wanted = {document.number: document for document in self.expected_documents(company, kind)}
        items = (await read_list(erp, kind, ListQuery(limit=_ALL))).items
        for listed in items:
            assert all(getattr(listed, name, ()) == () for name in SINGLE_ONLY)
            assert comparable(listed) == _shortened(self.gaps.in_list(wanted[listed.number]))
        # `read.exact` compares each document with the company. Here a document of each state and some more are compared
        # with the list, for what the company does not know: ids, versions, links.
        samples = {document.number: document for document in sample_evenly(items, 4)}
        samples |= {
            document.number: document for document in {getattr(each, "status", None): each for each in items}.values()
        }
        for listed in samples.values():
            alone = self.gaps.in_list(await erp.document(kind, listed.number))
            assert comparable(listed) == _shortened(alone)
            assert without_lines(alone) == without_lines(listed)
            assert alone.created_by == listed.created_by

    @case("list.created_by", "A document says who created it", over=EACH_KIND)
    async def test_created_by(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        found = await read_list(erp, kind, ListQuery(limit=_ALL))
        assert [each.number for each in found.items if not each.creator] == []

    @case("list.pages", "Pages of a list of more than two neither overlap nor miss anything", over=EACH_KIND)
    async def test_pages(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        documents = self.expected_documents(company, kind)
        lists = {
            wanted: expected_numbers(kind, documents, ListQuery(filter=wanted, limit=_ALL))
            for wanted in filters_of(kind)
        }
        shortest = min((whole for whole in lists.values() if len(whole) > 2), key=len, default=None)
        for wanted, whole in lists.items():
            # Pages of one document in one list only: they need a call for each document and show little more.
            for size in dict.fromkeys((1, 7, len(whole)) if whole is shortest else (7, len(whole))):
                paged: list[str] = []
                while len(paged) < len(whole):
                    page = (await read_list(erp, kind, ListQuery(filter=wanted, offset=len(paged), limit=size))).items
                    assert 1 <= len(page) <= size
                    paged += [document.number for document in page]
                assert paged == whole
            for offset in (len(whole), len(whole) + 5):
                beyond = await read_list(erp, kind, ListQuery(filter=wanted, offset=offset, limit=7))
                assert (beyond.items, beyond.total) == ((), len(whole))

    @case("list.due", "Open, late and overdue lists are complete and start with the worst", over=EACH_NAMED)
    async def test_due(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        documents = self.expected_documents(company, kind)
        for wanted in kind.filters:
            query = ListQuery(filter=wanted, limit=_ALL)
            found = await read_list(erp, kind, query)
            assert numbers(found) == expected_numbers(kind, documents, query)
            assert found.items, f"the company has nothing {wanted}"
            # The asker's day may be another than the ERP's own, which is elsewhere.
            for today in (company.today - _DAY, company.today + _DAY) if wanted in _BY_DAY else ():
                elsewhere = await read_list(erp, kind, replace(query, today=today))
                assert numbers(elsewhere) == expected_numbers(kind, documents, query, today)

    @case("list.text", "Text matches part of a number or of a partner's or product's name, in any case", over=EACH_KIND)
    async def test_text(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        documents = self.expected_documents(company, kind)
        # Four numbers and every partner (or some products), by turns whole and in part (the other way round for the
        # next kind of document), each in another spelling.
        partners = {kind.title(document): None for document in documents}
        of_orders = [number.casefold() for number in _order_numbers(kind, documents)]
        texts = [*(document.number for document in sample_evenly(documents, 4)), *sample_evenly(partners, 8)]
        for n, text in enumerate(texts, KINDS.index(kind)):
            part = text if n % 2 else text[1:-1] if text in partners else text[1:]
            # `list.order_part` is about these.
            known = case_variants(text if any(part.casefold() in number for number in of_orders) else part)
            await self._check_text(erp, kind, documents, known[n // 2 % len(known)])
        for number in sample_evenly(_order_numbers(kind, documents), 2):
            await self._check_text(erp, kind, documents, number)
        nothing = await read_list(erp, kind, ListQuery(text="no such document anywhere"))
        assert (nothing.items, nothing.total) == ((), 0)

    @case("list.order_part", "Part of the number of its order finds what was moved for it", over=EACH_MOVED)
    async def test_part_of_order(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        documents = self.expected_documents(company, kind)
        for number in sample_evenly(_order_numbers(kind, documents), 4):
            await self._check_text(erp, kind, documents, number[1:].lower())

    async def _check_text(self, erp: Erp, kind: Kind[Any], documents: list[Any], text: str) -> None:
        query = ListQuery(text=text, limit=_ALL)
        found = await read_list(erp, kind, query)
        assert numbers(found) == expected_numbers(kind, documents, query), text
        assert found.total == len(found.items)

    @case("list.text_due", "Text and filter hold together, page by page", over=EACH_KIND)
    async def test_text_and_filter(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        documents = self.expected_documents(company, kind)
        for wanted in filters_of(kind):
            query = ListQuery(filter=wanted, text="o", offset=1, limit=2)
            found = await read_list(erp, kind, query)
            assert numbers(found) == expected_numbers(kind, documents, query)
            assert found.total == len(expected_numbers(kind, documents, ListQuery(filter=wanted, text="o", limit=_ALL)))

    @case("list.days", "A list of some days holds what is of these days, or due then", over=EACH_KIND)
    async def test_days(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        documents = self.expected_documents(company, kind)
        for name, day_of in (("during", kind.day), ("due", kind.due)):
            days = sorted({day for document in documents if (day := day_of(document))})
            if not days:
                always: dict[str, Any] = {name: Period(_LONG_AGO, _FAR_AHEAD)}
                query = ListQuery(**always)
                assert (await read_list(erp, kind, query)).total == 0
                continue
            first, last = days[len(days) // 3], days[2 * len(days) // 3]
            asked: list[dict[str, Any]] = [
                {name: Period(first, last)},
                {name: Period(first, first)},
                {name: Period(first, last), "text": "o", "limit": 3},
                {name: Period(first, last), "filter": filters_of(kind)[-1 if Filter.DONE not in kind.filters else 1]},
                {name: Period(days[-1] + _DAY, days[-1] + _DAY)},
            ]
            for wanted in asked:
                query = ListQuery(**{"limit": _ALL, **wanted})
                found = await read_list(erp, kind, query)
                assert numbers(found) == expected_numbers(kind, documents, query), query
        both = ListQuery(during=Period(_LONG_AGO, company.today), due=Period(company.today, _FAR_AHEAD), limit=_ALL)
        assert numbers(await read_list(erp, kind, both)) == expected_numbers(kind, documents, both)

    @case("list.partner", "A partner's documents are those of exactly this name, in any case", over=EACH_KIND)
    async def test_partner(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        if kind.partner is None:
            assert (await read_list(erp, kind, ListQuery(partner="anybody"))).total == 0
            return
        documents = self.expected_documents(company, kind)
        partners = {kind.partner(document): None for document in documents}
        lists = filters_of(kind)
        for n, name in enumerate(sample_evenly(partners, 8)):
            known = case_variants(name)
            wanted = lists[n % len(lists)]
            query = ListQuery(filter=wanted, partner=known[n % len(known)], offset=n % 2, limit=_ALL)
            found = await read_list(erp, kind, query)
            assert numbers(found) == expected_numbers(kind, documents, query), query
            assert found.total == len(found.items) + (n % 2 if found.items else found.total)
        for part in ("Acme", "%", "no such partner"):
            assert (await read_list(erp, kind, ListQuery(partner=part))).total == 0

    @case(
        "list.of_product",
        "A product's orders are those with a line of exactly this code, in any case, once each",
        needs_of=attrgetter("by_product"),
        over=EACH_BY_PRODUCT,
    )
    async def test_of_product(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        documents = self.expected_documents(company, kind)
        held = Counter(sku for document in documents for sku in {line.sku for line in document.lines})
        (most, _), *_ = common = held.most_common()
        for n, (sku, _) in enumerate(sample_evenly(common, 4)):
            known = case_variants(sku)
            for wanted in filters_of(kind):
                query = ListQuery(filter=wanted, product=known[n % len(known)], limit=_ALL)
                found = await read_list(erp, kind, query)
                assert numbers(found) == expected_numbers(kind, documents, query), query
                assert found.total == len(found.items)
                _check_lines(found, documents, sku)
        theirs = [document for document in documents if kind.has_product(document, most)]
        days = sorted(day for document in theirs if (day := kind.day(document)))
        due = sorted(day for document in theirs if (day := kind.due(document)))
        assert kind.partner is not None
        asked: list[dict[str, Any]] = [
            {"partner": kind.partner(theirs[0]).lower()},
            {"text": theirs[-1].number[1:]},
            {"during": Period(days[0], days[len(days) // 2])},
            {"due": Period(due[0], due[len(due) // 2])},
            {"offset": 1, "limit": 2},
            {"filter": Filter.OPEN, "limit": 1},
        ]
        for wanted_too in asked:
            query = ListQuery(**{"limit": _ALL, **wanted_too}, product=most)
            whole = expected_numbers(kind, documents, replace(query, offset=0, limit=_ALL))
            found = await read_list(erp, kind, query)
            assert numbers(found) == whole[query.offset : query.offset + query.limit], query
            assert found.total == len(whole), query
        for none in (most[:-1], "%", "_" * len(most), "no such product", "' or '1'='1", "*", "\ud800", "\0"):
            assert (await read_list(erp, kind, ListQuery(product=none))).total == 0, none

    @case("list.literal", "Signs of query languages are plain text in lists too", over=EACH_KIND)
    async def test_literal_text(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        documents = self.expected_documents(company, kind)
        for text in ("%", "_", "'", '"; --', "\\", "%%%__", "' or '1'='1", "|*", "("):
            await self._check_text(erp, kind, documents, text)

    @case(
        "list.finished",
        "What was finished on some days is listed, the newest first, with a text as well",
        needs=(Capability.FINISHED_DAYS,),
        over=EACH_FINISHED,
    )
    async def test_finished(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        documents = self.expected_documents(company, kind)
        finished = kind.filters[Filter.DONE].day
        days = sorted({day for document in documents if (day := finished(document))})
        first, last = days[len(days) // 3], days[2 * len(days) // 3]
        asked: list[dict[str, Any]] = [
            {"during": Period(first, last)},
            {"during": Period(first, first)},
            {"during": Period(first, days[-1]), "text": "o", "offset": 1, "limit": 2},
            {"during": Period(first, days[-1]), "due": Period(_LONG_AGO, _FAR_AHEAD)},
            {"during": Period(days[-1] + _DAY, days[-1] + _DAY)},
        ]
        for wanted in asked:
            query = ListQuery(**{"filter": Filter.DONE, "limit": _ALL, **wanted})
            found = await erp.documents(kind, query)
            assert numbers(found) == expected_numbers(kind, documents, query), query

    @case(
        "list.pending",
        "What is pending waits for a decision, and says for whom",
        needs_of=lambda kind: None if Filter.PENDING in kind.filters else Capability.APPROVE,
        over=("kind", DECIDED),
    )
    async def test_pending(self, erp: Erp, company: ReferenceCompany, kind: Kind[Any]) -> None:
        found = (await erp.documents(kind, ListQuery(filter=Filter.PENDING, limit=_ALL))).items
        assert found
        for document in found:
            assert document.review.waits
            expected = self.gaps.expected(company.documents(kind)[document.number]).review.approval
            assert comparable(document.review.approval) == comparable(expected)


def _check_lines(found: Slice[Any], documents: list[Any], sku: str) -> None:
    """Check that listed documents tell all their lines of the product, or none."""
    by_number = {document.number: document for document in documents}
    for listed in found.items:
        if listed.lines:
            whole = lines_of_product(by_number[listed.number], sku)
            assert comparable(listed.lines) == comparable(whole), listed.number


def _order_numbers(kind: Kind[Any], documents: list[Any]) -> list[str]:
    """Return the numbers of orders by which what was moved for them is found."""
    return list(dict.fromkeys(number for each in documents for number in kind.order_numbers(each) if kind.order_call))


def _shortened(document: Any) -> dict[str, Any]:
    """Return what a list says of a document, to compare exactly: everything but the lines."""
    fields: dict[str, Any] = comparable(document)
    return fields | {name: [] for name in SINGLE_ONLY if name in fields}
