from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest

from bot.access.audit import AuditCheck, AuditLog, AuditReader, AuditSearch, RecordedEntry
from bot.access.people import DirectoryEntry, ListedPerson, People, PeopleReader, Person
from bot.access.policy import AccessPolicy
from bot.access.shared_limits import OwnFileLimits
from bot.alerts.service import AlertService
from bot.alerts.subscriptions import Subscriptions
from bot.approvals.absences import Absences
from bot.approvals.cards.presenter import CasePresenter
from bot.approvals.search_gaps import SearchGaps
from bot.approvals.service import ApprovalService
from bot.approvals.unit_of_work import ApprovalOptions, CaseStore
from bot.bootstrap.exports import exportable
from bot.cards.language import load_languages
from bot.cards.renderer import CardRenderer
from bot.cards.view import View
from bot.chat.accounts.binding import ErpAccounts
from bot.chat.accounts.keys import ErpKeys
from bot.chat.charts import ChartPictures
from bot.chat.colleagues import Colleagues
from bot.chat.confirmations import Confirmation, Confirmations, ConfirmationState
from bot.chat.context import QuestionContext
from bot.chat.exports import Exports
from bot.chat.held_rights import HeldRight, HeldRightStore
from bot.chat.languages import LanguageChoice
from bot.chat.message import Conversation, ConversationKind
from bot.chat.operations import Operations
from bot.chat.present_rights import PresentRights
from bot.chat.question_handler import PreparedAnswer
from bot.chat.questions.dispatcher import QuestionDispatcher
from bot.chat.records.reader_hub import no_account
from bot.chat.registry import Commands
from bot.chat.revision_cases import RevisionCases
from bot.chat.rule_changes import RuleChanges
from bot.creation.creations import Creations
from bot.efficiency.port import EfficiencyReader, FindingReader
from bot.erp.hub import ErpHub
from bot.gate.gate import Gate
from bot.mechanisms.metrics import Metrics
from bot.named_questions.asking import NamedQuestionService
from bot.named_questions.question import NamedQuestions
from bot.outbox.delivery import Delivery
from bot.proposals.proposals import Proposals
from bot.read_model.queries import ReadModel
from bot.read_model.stock_days import StockHistory
from tests.approvals.env import PATIENCE
from tests.approvals.memory_repository import MemoryCaseStore
from tests.chat.audience_parts import make_audiences, make_people
from tests.commands.account_fakes import MemoryKeyStore, memory_accounts, memory_keys
from tests.commands.alert_fakes import InMemoryAlertService
from tests.commands.approval_fakes import ApprovalFixture
from tests.commands.chart_fakes import MemoryGallery, MemoryPainter
from tests.commands.company import NOW, Company
from tests.commands.efficiency_fakes import MemoryFigures, MemoryFindings
from tests.commands.export_fakes import MemoryCourier
from tests.commands.operations_fakes import MemoryDesk, operations
from tests.commands.rules_fakes import DefaultRules
from tests.commands.subscription_fakes import MemorySubscriptions
from tests.creation.counter import quiet_creations
from tests.gate.desk import quiet_gate
from tests.membership import EverybodyIsMember
from tests.proposals.desk import quiet_proposals
from tests.read_model.memory_documents import MemoryDocuments
from tests.read_model.memory_stock import MemoryStockDays
from tests.recording_audit import RecordingAudit

V = TypeVar("V", bound=View)

GROUP = Conversation("cidGroup==", ConversationKind.GROUP, "仓库群")
KEEPER = Person(user_id="keeper01", name="王仓", roles=frozenset({"warehouse"}))

Ask = Callable[..., Awaitable[PreparedAnswer]]


class FakeLanguageChoice:
    def __init__(self) -> None:
        self.chosen: dict[str, str] = {}

    async def choose(self, user_id: str, code: str) -> None:
        self.chosen[user_id] = code


class Members:
    """The directory of a small company; everybody else is from outside."""

    NAMES = MappingProxyType(
        {"keeper01": "王仓", "buyer01": "赵采", "manager01": "陈经理", "sales01": "李销"}
        | {f"clerk{number:02}": f"职员{number}" for number in range(20)}
    )

    async def entry(self, user_id: str) -> DirectoryEntry | None:
        return DirectoryEntry(name=self.NAMES[user_id]) if user_id in self.NAMES else None

    async def record_writer(self, user_id: str, *, name: str, wrote_at: datetime) -> None:
        """Nobody needs to be remembered: the entries say who is a member."""


class NoLanguages:
    def chosen(self, user_id: str) -> str | None:
        return None


UNREAD = Metrics()
"""What no test of a command reads: making them anew takes as long as many an answer."""


@pytest.fixture(scope="session")
def commands() -> Commands:
    return Commands.discover()


@pytest.fixture
def company() -> Company:
    return Company()


@pytest.fixture
async def hub(company: Company) -> AsyncIterator[ErpHub]:
    hub = ErpHub([company], metrics=UNREAD, now=lambda: NOW, timeout=PATIENCE)
    yield hub
    await hub.close()


@pytest.fixture
def policy() -> AccessPolicy:
    return AccessPolicy()


@pytest.fixture
def choices() -> FakeLanguageChoice:
    return FakeLanguageChoice()


@pytest.fixture
def service() -> InMemoryAlertService:
    return InMemoryAlertService()


@pytest.fixture
def audit() -> RecordingAudit:
    return RecordingAudit()


class NothingKept:
    async def search(self, wanted: AuditSearch) -> tuple[RecordedEntry, ...]:
        return ()

    async def check(self) -> AuditCheck:
        return AuditCheck(entries=0)


class Listed:
    """Implements `PeopleReader` on the members."""

    async def listed(self, text: str, limit: int) -> Sequence[ListedPerson]:
        known = [ListedPerson(user_id=user_id, name=name) for user_id, name in Members.NAMES.items()]
        return [each for each in known if text in each.name or text in each.user_id][:limit]


class NothingHeld:
    async def of(self, user_id: str) -> tuple[HeldRight, ...]:
        return ()

    async def confirm(self, rights: Sequence[HeldRight], *, by: str, now: datetime) -> int:
        return 0

    async def drop(self, rights: Sequence[HeldRight], *, by: str, now: datetime) -> None:
        return None


class NothingAsked:
    async def put(self, confirmation: Confirmation, told: Delivery) -> None:
        raise AssertionError("pages ask, commands answer")

    async def find(self, asked: str) -> Confirmation | None:
        return None

    async def since(self, user_id: str, begin: datetime) -> Sequence[Confirmation]:
        return ()

    async def move(self, confirmation: Confirmation, state: ConfirmationState) -> bool:
        return False

    async def forget(self, before: datetime) -> None:
        return None


async def nobody_is_logged_in(people: Collection[str]) -> None:
    return None


@pytest.fixture
def audit_reader() -> AuditReader:
    return NothingKept()


@pytest.fixture
def desk() -> MemoryDesk:
    return MemoryDesk()


@pytest.fixture
def poked() -> list[str]:
    """What was said to the outbox."""
    return []


@pytest.fixture
def colleagues() -> Colleagues:
    people = People(languages=NoLanguages(), default_language="zh_CN", configured_languages={}, directory=Members())
    return Colleagues(people, {"approver": frozenset({"manager01", "gone01"}), "buyer": frozenset({"buyer01"})})


@pytest.fixture
def approval_options() -> ApprovalOptions:
    return ApprovalOptions()


@pytest.fixture
def store() -> CaseStore:
    return MemoryCaseStore()


@pytest.fixture
def approvals(company: Company, hub: ErpHub, approval_options: ApprovalOptions, store: CaseStore) -> ApprovalFixture:
    return ApprovalFixture(company, hub, Members.NAMES, approval_options, store)


@pytest.fixture
def accounts() -> ErpAccounts:
    return memory_accounts("main", "second")


@pytest.fixture
def key_store() -> MemoryKeyStore:
    return MemoryKeyStore()


@pytest.fixture
def kept(company: Company) -> MemoryDocuments:
    """The documents of the company, as they are kept."""
    orders = (*company.sales, *company.purchases, *company.productions)
    return MemoryDocuments(NOW, (*orders, *company.issued, *company.owed, *company.paid))


@pytest.fixture
def stock_days() -> MemoryStockDays:
    """What was noted of stock on earlier days."""
    return MemoryStockDays()


@pytest.fixture
def courier() -> MemoryCourier:
    return MemoryCourier()


@pytest.fixture
def exports_day() -> int:
    return 3


@pytest.fixture
def export_rows() -> int:
    return 1000


@pytest.fixture
def painter() -> MemoryPainter:
    return MemoryPainter()


@pytest.fixture
def gallery() -> MemoryGallery:
    return MemoryGallery()


@pytest.fixture
def sparing() -> list[bool]:
    """Holds whether calls are spared."""
    return [False]


@pytest.fixture
async def charts(painter: MemoryPainter, gallery: MemoryGallery, sparing: list[bool]) -> AsyncIterator[ChartPictures]:
    charts = ChartPictures(
        painter=painter,
        host=gallery,
        languages=load_languages(),
        metrics=UNREAD,
        sparing=lambda: sparing[0],
        waits=(PATIENCE, 0.0),
    )
    yield charts
    await charts.close()


@pytest.fixture
def figures() -> MemoryFigures:
    """The figures of efficiency."""
    return MemoryFigures()


@pytest.fixture
def findings(figures: MemoryFigures) -> MemoryFindings:
    """What is found in them."""
    return MemoryFindings(figures)


@pytest.fixture
def collaborators(
    hub: ErpHub,
    kept: MemoryDocuments,
    stock_days: MemoryStockDays,
    choices: FakeLanguageChoice,
    service: InMemoryAlertService,
    colleagues: Colleagues,
    approvals: ApprovalFixture,
    audit: RecordingAudit,
    audit_reader: AuditReader,
    accounts: ErpAccounts,
    key_store: MemoryKeyStore,
    charts: ChartPictures,
    desk: MemoryDesk,
    poked: list[str],
    figures: MemoryFigures,
    findings: MemoryFindings,
) -> dict[type, object]:
    """What commands are given, but for the exports, which ask commands themselves."""
    return {
        ErpHub: hub,
        ReadModel: ReadModel(kept, hub),
        StockHistory: StockHistory(stock_days, now=lambda: NOW, keep=timedelta(days=400)),
        ChartPictures: charts,
        LanguageChoice: choices,
        AlertService: service,
        AuditLog: audit,
        AuditReader: audit_reader,
        Colleagues: colleagues,
        PeopleReader: Listed(),
        ApprovalService: approvals.service,
        Absences: approvals.absences,
        RevisionCases: approvals.service,
        CasePresenter: approvals.presenter,
        SearchGaps: SearchGaps(approvals.service, {"main": ["po"]}),
        ErpAccounts: accounts,
        HeldRightStore: NothingHeld(),
        Operations: operations(desk, poked),
        EfficiencyReader: figures,
        FindingReader: findings,
        NamedQuestionService: NamedQuestionService(NamedQuestions, {}, account_of=no_account, metrics=UNREAD),
        Confirmations: Confirmations(
            NothingAsked(), end_sessions=nobody_is_logged_in, audit=audit, on_enqueued=lambda: None, now=lambda: NOW
        ),
        ErpKeys: memory_keys(key_store, accounts, "main"),
        Gate: quiet_gate(),
        Proposals: quiet_proposals(),
        Creations: quiet_creations(),
        RuleChanges: DefaultRules(),
    }


@pytest.fixture
def staff() -> EverybodyIsMember:
    return EverybodyIsMember(roles=KEEPER.roles)


@pytest.fixture
def rights(commands: Commands, policy: AccessPolicy, staff: EverybodyIsMember) -> PresentRights:
    return PresentRights(make_people(staff), lambda: policy, commands)


@pytest.fixture
def exports(
    commands: Commands,
    collaborators: dict[type, object],
    policy: AccessPolicy,
    rights: PresentRights,
    audit: RecordingAudit,
    courier: MemoryCourier,
    exports_day: int,
    export_rows: int,
) -> Exports:
    languages = load_languages()
    return Exports(
        handler=QuestionDispatcher(
            commands=exportable(commands),
            policy=lambda: policy,
            collaborators=collaborators,
            seconds=PATIENCE,
            only_asks=True,
        ),
        commands=commands,
        rights=rights,
        courier=courier,
        renderer=CardRenderer(languages=languages, now=lambda: NOW),
        languages=languages,
        audit=audit,
        limits=OwnFileLimits(exports_day),
        metrics=UNREAD,
        rows=export_rows,
    )


@pytest.fixture
def subscribed() -> MemorySubscriptions:
    return MemorySubscriptions()


@pytest.fixture
def subscriptions(
    commands: Commands, policy: AccessPolicy, collaborators: dict[type, object], subscribed: MemorySubscriptions
) -> Subscriptions:
    handler = QuestionDispatcher(
        commands=exportable(commands),
        policy=lambda: policy,
        collaborators=collaborators,
        seconds=PATIENCE,
        only_asks=True,
    )
    return Subscriptions(subscribed, handler, make_audiences(policy))


@pytest.fixture
def dispatcher(
    commands: Commands,
    policy: AccessPolicy,
    collaborators: dict[type, object],
    exports: Exports,
    subscriptions: Subscriptions,
) -> QuestionDispatcher:
    return QuestionDispatcher(
        commands=commands,
        policy=lambda: policy,
        collaborators={**collaborators, Exports: exports, Subscriptions: subscriptions},
        seconds=PATIENCE,
        reference=lambda: "abc123",
    )


@pytest.fixture
def ask(dispatcher: QuestionDispatcher) -> Ask:
    """Ask a line as the warehouse keeper in a group."""

    async def ask(
        line: str, *, person: Person = KEEPER, where: Conversation = GROUP, now: datetime = NOW, **more: Any
    ) -> PreparedAnswer:
        context = QuestionContext(person=person, conversation=where, line=line, now=now)
        return await dispatcher.view_for(replace(context, **more))

    return ask


def lines(view: View) -> list[str]:
    """Return the lines that the buttons of a view ask, with the offset behind a plus sign."""
    return [button.does if isinstance(button.does, str) else button.does.typed for button in view.buttons()]


def body_of(view: View) -> str:
    """Return the text of a view's card in English."""
    return (
        CardRenderer(languages=load_languages(), now=lambda: NOW)
        .render(view, "en", zone=ZoneInfo("Asia/Shanghai"))
        .body
    )


def as_(kind: type[V], answer: PreparedAnswer) -> V:
    """Return the answer's view, which must be of this kind."""
    assert isinstance(answer.view, kind), answer.view
    return answer.view
