"""Reads a sample of everything a source has and says what is wrong with it: what ``dingerp erp check`` prints.

It only reads: nothing is repaired at the ERP, and no decision is tried.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from bot.erp.errors import AuthFailed, ErpError, NotPermitted, Unavailable, Unsupported
from bot.erp.kinds import AREA_KINDS, DECIDED, Kind
from bot.erp.model import Area, StockLevel, Verdict
from bot.erp.port import Capability, Erp, ListQuery, verdicts_on
from bot.erp.setup import SetupInspector, SetupProblem, unreachable
from bot.erp.validation import DUPLICATE, Validator, record_key
from bot.erp.validation_rules import Defect, Violation
from bot.words.phrase import phrase

R = TypeVar("R")

_PAGE = 50
_SHOWN = 20


class AreaAccess(StrEnum):
    """What the account may do in an area."""

    READ = "may read"
    REFUSED = "refused: the account lacks the right"
    PARTLY = "partly refused: the account lacks the right to some"
    EMPTY = "may read, and sees nothing"
    NOT_OFFERED = "not offered by this ERP"
    FAILED = "could not be read"


@dataclass(frozen=True, slots=True)
class RecordViolation:
    """Something that is wrong with a record."""

    key: str
    finding: Violation
    rejected: bool


@dataclass(slots=True)
class AreaReport:
    """What was found in an area; every record is ok, repaired or rejected."""

    area: Area
    right: AreaAccess = AreaAccess.READ
    problem: str = ""
    records: int = 0
    repaired: int = 0
    rejected: int = 0
    flaws: list[RecordViolation] = field(default_factory=list)

    @property
    def ok(self) -> int:
        """How many records are as they should be."""
        return self.records - self.repaired - self.rejected

    def count(self, key: str, findings: tuple[Violation, ...], *, rejected: bool) -> None:
        """Count a record."""
        self.records += 1
        self.rejected += rejected
        self.repaired += bool(findings) and not rejected
        last = len(findings) - 1
        self.flaws += [
            RecordViolation(key, finding, rejected and number == last) for number, finding in enumerate(findings)
        ]


@dataclass(frozen=True, slots=True)
class SourceReport:
    """The quality of a source."""

    source: str
    areas: tuple[AreaReport, ...]
    deciding: Mapping[Kind[Any], frozenset[Verdict]]
    problems: tuple[SetupProblem, ...] = ()

    @property
    def rejected(self) -> int:
        """How many records cannot be used."""
        return sum(area.rejected for area in self.areas)

    @property
    def exit_code(self) -> int:
        """2 where the source cannot be used, 1 where a part of it cannot, 0 where all is well."""
        if any(problem.is_fatal for problem in self.problems):
            return 2
        return int(bool(self.problems) or self.rejected > 0)


class UnreadableValue(Protocol):
    """What an adapter kept aside by itself: a value that is not of its field's kind."""

    @property
    def area(self) -> Area: ...
    @property
    def key(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def kept(self) -> bool:
        """Whether the record is shown without the value."""
        ...


class SourceChecker:
    """Examines a source with the rules by which the running bot validates its answers.

    ``sample`` is how many records of each area are read, ``timeout`` how many seconds one read may take.
    """

    def __init__(self, erp: Erp, validator: Validator, *, sample: int = 100, timeout: float = 30.0) -> None:
        self._erp = erp
        self._validator = validator
        self._sample = sample
        self._timeout = timeout

    async def examine(self) -> SourceReport:
        """Read and check. A source that cannot be used is not read any further."""
        problems = await self._setup()
        if any(problem.is_fatal for problem in problems):
            return SourceReport(self._erp.name, (), {}, tuple(problems))
        products = AreaReport(Area.PRODUCTS)
        codes = await self._products(products)
        stock = await self._stock(codes)
        areas = [products, stock, *[await self._documents(kind) for kind in AREA_KINDS]]
        for report in areas:
            self._unreadable(report)
            if report.right is AreaAccess.READ and not report.records and not (report is stock and not codes):
                report.right = AreaAccess.EMPTY
        deciding = {kind: verdicts for kind in DECIDED if (verdicts := verdicts_on(self._erp, kind))}
        problems += [problem for report in areas if (problem := _area_problem(report)) is not None]
        return SourceReport(self._erp.name, tuple(areas), deciding, tuple(problems))

    async def _setup(self) -> list[SetupProblem]:
        try:
            await self._bounded(self._erp.check())
            if not isinstance(self._erp, SetupInspector):
                return []
            return list(await self._bounded(self._erp.setup_problems()))
        except ErpError as error:
            return [unreachable(error, self._erp.name)]

    async def _products(self, report: AreaReport) -> list[str]:
        found = await self._read(report, self._erp.find_products("", limit=self._sample))
        return self._list(report, found or ())

    async def _stock(self, codes: list[str]) -> AreaReport:
        report = AreaReport(Area.STOCK)
        if Capability.STOCK not in self._erp.capabilities:
            report.right = AreaAccess.NOT_OFFERED
            return report
        levels: list[StockLevel] = []
        for code in codes:
            if (level := await self._read_single(report, code, self._erp.stock(code))) is not None:
                levels.append(level)
            if report.right is not AreaAccess.READ:
                return report
        if levels and not any(map(_may_be_seen, levels)):
            report.right = AreaAccess.EMPTY
        return report

    async def _documents(self, kind: Kind[Any]) -> AreaReport:
        report = AreaReport(kind.area)
        if kind.capability not in self._erp.capabilities:
            report.right = AreaAccess.NOT_OFFERED
            return report
        records: list[Any] = []
        while len(records) < self._sample:
            query = ListQuery(offset=len(records), limit=min(_PAGE, self._sample - len(records)))
            page = await self._read(report, self._erp.documents(kind, query))
            if page is None or not page.items:
                break
            records += page.items
        for number in self._list(report, tuple(records), whole=False):
            # Only a single document is read with its lines.
            await self._read_single(report, number, self._erp.document(kind, number))
        return report

    def _list(self, report: AreaReport, records: tuple[Any, ...], *, whole: bool = True) -> list[str]:
        """Check the records of a list; return the keys that are to be read singly.

        Without ``whole`` the valid records are counted later, when they are read with their lines.
        """
        keys: dict[str, str] = {}
        for record in records:
            verdict, key = self._validator.check(record), record_key(record)
            rejected = verdict.record is None
            if not rejected and key.casefold() in keys:
                report.count(key, (DUPLICATE,), rejected=True)
                continue
            if rejected or whole:
                report.count(key, verdict.findings, rejected=rejected)
            if not rejected:
                keys[key.casefold()] = key
        return list(keys.values())

    def _unreadable(self, report: AreaReport) -> None:
        """Add the values that the adapter itself could not read, if it lists them."""
        unreadable: Iterable[UnreadableValue] = getattr(self._erp, "bad_values", ())
        for value in unreadable:
            if value.area is not report.area:
                continue
            kind = Defect.CURRENCY if value.name == "currency" else Defect.UNREADABLE
            finding = Violation(kind, f"{value.name} {value.reason}", value.name if value.kept else None)
            if value.kept:
                report.flaws.append(RecordViolation(value.key, finding, rejected=False))
                report.repaired += 1
            elif not any(flaw.key == value.key and flaw.finding.defect is kind for flaw in report.flaws):
                report.count(value.key, (finding,), rejected=True)

    async def _read_single(self, report: AreaReport, key: str, read: Awaitable[R]) -> R | None:
        """Read and count a record; return it as the ERP has it, None if it cannot be read."""
        try:
            record = await self._bounded(read)
        except (NotPermitted, AuthFailed) as error:
            report.right = AreaAccess.PARTLY if report.records else AreaAccess.REFUSED
            report.problem = error.detail
        except ErpError as error:
            report.count(key, (Violation(Defect.UNREADABLE, error.detail),), rejected=True)
        else:
            verdict = self._validator.check(record)
            report.count(key, verdict.findings, rejected=verdict.record is None)
            return record
        return None

    async def _read(self, report: AreaReport, read: Awaitable[Any]) -> Any:
        """Return a list, or None if it cannot be read; the report says why."""
        try:
            return await self._bounded(read)
        except NotPermitted as error:
            report.right, report.problem = AreaAccess.REFUSED, error.detail
        except Unsupported as error:
            report.right, report.problem = AreaAccess.NOT_OFFERED, error.detail
        except ErpError as error:
            report.right, report.problem = AreaAccess.FAILED, error.detail
        return None

    async def _bounded(self, read: Awaitable[R]) -> R:
        try:
            async with asyncio.timeout(self._timeout):
                return await read
        except TimeoutError:
            text = f"no answer in {self._timeout:g} s"
            raise Unavailable(text, source=self._erp.name) from None


def _may_be_seen(level: StockLevel) -> bool:
    """Whether anything is in stock anywhere, or no stock is to be expected, as for a service."""
    figures = [level.total, *(place.quantities for place in level.per_warehouse)]
    return level.lies_nowhere or any(each.on_hand or each.incoming or each.reserved for each in figures)


def _area_problem(report: AreaReport) -> SetupProblem | None:
    """Return what is wrong with an area that the ERP offers."""
    area, said = report.area, report.problem
    match report.right:
        case AreaAccess.REFUSED | AreaAccess.PARTLY:
            words = phrase("%(area)s: the account lacks the right: %(said)s", area=area, said=said)
            remedy = phrase("Give it the right that the README of the ERP's adapter names, if the bot is to tell this.")
        case AreaAccess.FAILED:
            words = phrase("%(area)s: cannot be read: %(said)s", area=area, said=said)
            remedy = phrase("Correct what the ERP complains about, or ask its administrator.")
        case AreaAccess.EMPTY:
            words = phrase("%(area)s: the account may read it and sees nothing.", area=area)
            remedy = phrase("If the ERP has some, correct the company or the account's access to its records.")
        case _:
            return None
    return SetupProblem(words=words, remedy=remedy)


def report_lines(report: SourceReport) -> Iterator[str]:
    """Return the lines to print. They hold keys and reasons, no figures."""
    yield f"source {report.source}"
    yield ""
    for area in report.areas:
        counts = f"{area.records} read: {area.ok} ok, {area.repaired} repaired, {area.rejected} rejected"
        readable = area.right is AreaAccess.READ
        yield f"{area.area.value:<11} {area.right.value}" + (f" · {counts}" if readable or area.records else "")
        if area.problem:
            yield f"            {area.problem}"
        yield from _kinds(area)
    for problem in report.problems:
        yield f"!! {problem.words}"
        yield f"   → {problem.remedy}"
    for kind, verdicts in report.deciding.items():
        yield f"{'decisions':<11} {kind.list_call}: {', '.join(sorted(verdicts))} (not tried)"
    if not report.deciding:
        yield f"{'decisions':<11} {AreaAccess.NOT_OFFERED}"
    yield ""
    if report.problems:
        yield f"{len(report.problems)} to mend"
    if report.rejected:
        yield f"{report.rejected} rejected"
    if not report.exit_code:
        yield "nothing is rejected"


def _kinds(area: AreaReport) -> Iterator[str]:
    kinds = Counter((flaw.finding.defect, flaw.rejected) for flaw in area.flaws)
    for (defect, rejected), count in sorted(kinds.items(), key=lambda item: (not item[0][1], -item[1])):
        yield f"  {'rejected' if rejected else 'repaired'} · {defect.value}: {count}"
        same = [flaw for flaw in area.flaws if (flaw.finding.defect, flaw.rejected) == (defect, rejected)]
        for flaw in same[:_SHOWN]:
            yield f"      {flaw.key} · {flaw.finding.why}"
        if len(same) > _SHOWN:
            yield f"      and {len(same) - _SHOWN} more"
