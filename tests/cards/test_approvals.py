"""Cards of approvals in every state, on both faces, in every language; and that a bare one tells no price anywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from syrupy.assertion import SnapshotAssertion

from bot.approvals.cards.insights import Insight, LastPrice, LineInsight, MissingInsight, SupplierLateness
from bot.approvals.cards.list_views import ApprovalAll, ApprovalListRow, ApprovalResults
from bot.approvals.cards.view_builders import (
    CardViewer,
    ReplyNote,
    RevisionData,
    build_case_view,
    build_requester_notice,
    build_why_view,
)
from bot.approvals.cards.views import ApprovalReasons, ApprovalView, Audience
from bot.approvals.case import Case, CaseDecision, CaseState, DocumentSummary, ExternalDecision
from bot.approvals.case_context import CaseContext, DecisionExplanation
from bot.approvals.deciders import ErpApprover, ErpApprovers
from bot.approvals.document import fingerprint
from bot.approvals.plan import ApprovalLevel, ApprovalPlan, Eligibility, PlanResult, Quorum, Vote
from bot.cards.actions import MAX_TOKEN_BYTES
from bot.cards.budget import Budget, buttons_size
from bot.cards.card import Card
from bot.cards.language import LANGUAGE_CODES, load_languages
from bot.cards.renderer import CardRenderer
from bot.erp.errors import KEY_MISSING, KEY_REFUSED, OWN_REQUEST, Unavailable
from bot.erp.kinds import PURCHASE_ORDERS
from bot.erp.model import Money, PurchaseLine, PurchaseOrder, ReviewState, Verdict
from bot.words.phrase import Phrase, phrase
from tests.approvals.company import document_of
from tests.bare_records import bare
from tests.rows import each_row

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 24, 17, 0, tzinfo=ZONE)
NAMES = MappingProxyType({"manager01": "陈经理", "boss01": "周总", "fin01": "钱会", "buyer01": "赵采"})
NO_REASON = MappingProxyType({})


def cny(amount: str) -> Money:
    return Money(Decimal(amount), "CNY")


def line(sku: str, name: str, quantity: str, price: str) -> PurchaseLine:
    amount = cny(str(Decimal(price) * Decimal(quantity)))
    return PurchaseLine(sku=sku, name=name, unit="件", quantity=Decimal(quantity), price=cny(price), amount=amount)


ORDER = bare(
    PurchaseOrder,
    "PO-1001",
    vendor="宁波标准件厂",
    requester="u_zhao",
    ordered_on=date(2026, 11, 20),
    due_on=date(2026, 11, 20),
    total=cny("61777.77"),
    lines=(line("SKU123", "M6 螺丝", "5000", "0.1277"), line("SKU124", "M8 螺丝", "100", "0.2177")),
    url="https://erp.example.com/po/PO-1001",
    source="main",
    people=MappingProxyType({"u_zhao": "赵采"}),
)
INSIGHT = Insight(
    lines=MappingProxyType(
        {
            "SKU123": LineInsight(
                last=LastPrice(price=cny("0.1077"), on=date(2026, 9, 1), number="PO-900", drift=Decimal("18.6")),
                at_hand=Decimal(1830),
                incoming=Decimal(200),
                usual=Decimal(900),
            ),
            "SKU124": LineInsight(
                last=LastPrice(price=cny("0.2377"), on=date(2026, 9, 1), number="PO-900", drift=Decimal("-8.4"))
            ),
        }
    ),
    lateness=SupplierLateness(awaited=5, late=2, days=9),
    open_orders=("PO-990", "PO-980"),
    duplicates=("PO-990",),
    past_due=True,
    usual_currency="USD",
    missing=frozenset({MissingInsight.STOCK}),
)
DECISION = CaseDecision(
    verdict=Verdict.APPROVE,
    by="manager01",
    name="陈经理",
    account="u_chen",
    reason="急用",
    at=NOW - timedelta(minutes=5),
)
REFUSAL = replace(DECISION, verdict=Verdict.REJECT, reason="价格过高")
PLAN = ApprovalPlan(
    rule="大额采购",
    levels=(
        ApprovalLevel(number=1, quorum=Quorum.ANY, approvers=("fin01",), excluded=NO_REASON),
        ApprovalLevel(
            number=2,
            quorum=Quorum.ALL,
            approvers=("manager01", "boss01"),
            excluded={"buyer01": phrase("They requested it.")},
        ),
    ),
)
FIRST = Vote(user_id="fin01", name="钱会", level=1, verdict=Verdict.APPROVE, at=NOW - timedelta(hours=1))


def case(**fields: Any) -> Case:
    made: dict[str, Any] = {
        "id": "3f0c9a1b2d4e5f60718293a4-1",
        "source": "main",
        "kind": PURCHASE_ORDERS,
        "number": "PO-1001",
        "fingerprint": fingerprint(ORDER),
        "version": "1",
        "summary": DocumentSummary(
            partner=ORDER.vendor, total=ORDER.total, due_on=ORDER.due_on, requester="buyer01", requested_by="u_zhao"
        ),
        "state": CaseState.OPEN,
        "plan": PLAN,
        "policy": "7",
        "votes": (FIRST,),
        "opened_at": NOW - timedelta(hours=2),
    }
    return Case(**(made | fields))


def gone(there: ExternalDecision) -> Case:
    return case(state=CaseState.WITHDRAWN, elsewhere=there)


THERE = ExternalDecision(status=ReviewState.APPROVED, by="周总 *(ERP)*", at=NOW - timedelta(minutes=30))
EXPECTED = ErpApprovers((ErpApprover("u_zhao"), ErpApprover("u_zhou", "boss01"), ErpApprover("u_x")), mismatched=True)
FOLDER = CaseContext(case=case(), waited=("manager01", "boss01"))
KNOWN = RevisionData(document=ORDER, insight=INSIGHT, names=NAMES)
CHANGED = replace(
    ORDER,
    total=cny("77777.77"),
    due_on=date(2026, 12, 1),
    lines=(line("SKU123", "M6 螺丝", "6000", "0.1377"), line("SKU125", "垫圈", "1", "0.0177")),
)
NEWER = case(
    id="4f0c9a1b2d4e5f60718293a4-2",
    fingerprint=fingerprint(CHANGED),
    summary=replace(case().summary, total=CHANGED.total, due_on=CHANGED.due_on),
    votes=(),
)
SUPERSEDED = case(state=CaseState.SUPERSEDED)
STATES = {
    "waits": (FOLDER, KNOWN),
    "late": (CaseContext(case=case(expired=True), waited=("manager01",)), RevisionData(document=ORDER, names=NAMES)),
    "the ERP does not answer": (FOLDER, RevisionData(names=NAMES)),
    "refused by the ERP": (
        CaseContext(case=case(refused=("manager01",), erp_text="No right *for this*"), waited=("boss01",)),
        RevisionData(document=ORDER, names=NAMES),
    ),
    "changed": (
        CaseContext(case=NEWER, before=SUPERSEDED, waited=("fin01",)),
        RevisionData(document=CHANGED, before=ORDER, names=NAMES),
    ),
    "superseded": (CaseContext(case=SUPERSEDED, newer=NEWER), RevisionData(document=ORDER, newer=CHANGED, names=NAMES)),
    "being told": (
        CaseContext(case=case(state=CaseState.WRITING, decision=DECISION)),
        RevisionData(document=ORDER, names=NAMES),
    ),
    "can be taken back": (
        CaseContext(case=case(state=CaseState.WRITING, decision=DECISION), undo_until=NOW + timedelta(seconds=20)),
        RevisionData(document=ORDER, names=NAMES),
    ),
    "unknown": (CaseContext(case=case(state=CaseState.UNKNOWN, decision=DECISION)), RevisionData(names=NAMES)),
    "approved": (
        CaseContext(case=case(state=CaseState.APPROVED, decision=DECISION)),
        RevisionData(document=ORDER, names=NAMES),
    ),
    "rejected": (
        CaseContext(case=case(state=CaseState.REJECTED, decision=REFUSAL)),
        RevisionData(document=ORDER, names=NAMES),
    ),
    "elsewhere": (
        CaseContext(
            case=case(state=CaseState.DECIDED_ELSEWHERE, decision=DECISION, elsewhere=ExternalDecision(by="周总 (ERP)"))
        ),
        RevisionData(names=NAMES),
    ),
    "approved elsewhere": (
        CaseContext(case=case(state=CaseState.DECIDED_ELSEWHERE, elsewhere=THERE)),
        RevisionData(names=NAMES),
    ),
    "rejected elsewhere, by nobody knows whom": (
        CaseContext(
            case=case(state=CaseState.DECIDED_ELSEWHERE, elsewhere=ExternalDecision(status=ReviewState.REJECTED)),
        ),
        RevisionData(names=NAMES),
    ),
    "the ERP waits for others": (replace(FOLDER, erp_approvers=EXPECTED), RevisionData(document=ORDER, names=NAMES)),
    "failed": (
        CaseContext(case=case(state=CaseState.FAILED, decision=DECISION, erp_text="Period *closed*")),
        RevisionData(names=NAMES),
    ),
    "expired": (CaseContext(case=case(state=CaseState.EXPIRED)), RevisionData(names=NAMES)),
    "withdrawn": (CaseContext(case=case(state=CaseState.WITHDRAWN)), RevisionData(names=NAMES)),
    "a draft again": (CaseContext(case=gone(ExternalDecision(status=ReviewState.DRAFT))), RevisionData(names=NAMES)),
    "cancelled": (CaseContext(case=gone(ExternalDecision(status=ReviewState.CANCELLED))), RevisionData(names=NAMES)),
    "deleted": (CaseContext(case=gone(ExternalDecision())), RevisionData(names=NAMES)),
}


def as_text(card: Card) -> str:
    buttons = " ".join(f"[{button.text}]" for button in card.buttons)
    return f"{card.title}\n----\n{card.body}\n----\n{card.tips}\n{buttons}"


def assert_within(card: Card) -> None:
    assert len(card.body.encode()) <= Budget().body_bytes
    assert len(card.title.encode()) <= Budget().title_bytes
    assert buttons_size(card.buttons) <= Budget().buttons_bytes
    assert all(len(button.token.encode()) <= MAX_TOKEN_BYTES for button in card.buttons)


def reader(face: Audience, user_id: str = "manager01") -> CardViewer:
    return CardViewer(audience=face, user_id=user_id if face is Audience.PRICED else "", now=NOW)


@each_row("code", LANGUAGE_CODES)
@each_row("face", list(Audience))
@each_row("state", list(STATES))
def test_every_state(
    state: str, face: Audience, code: str, renderer: CardRenderer, snapshot: SnapshotAssertion
) -> None:
    folder, known = STATES[state]
    card = renderer.render(build_case_view(folder, known, reader(face)), code, zone=ZONE)
    assert_within(card)
    assert as_text(card) == snapshot(name=f"{state}-{face}-{code}")


@each_row("code", LANGUAGE_CODES)
@each_row("state", list(STATES))
def test_a_bare_card_tells_no_price_anywhere(state: str, code: str, renderer: CardRenderer) -> None:
    """Every amount here has the digits 77."""
    folder, known = STATES[state]
    card = renderer.render(build_case_view(folder, known, reader(Audience.BARE)), code, zone=ZONE)
    texts = (card.title, card.body, card.tips, card.twin, *card.fields.values(), *map(repr, card.buttons))
    for text in texts:
        assert "77" not in text
        assert "¥" not in text
        assert "18.6" not in text
    priced = renderer.render(build_case_view(folder, known, reader(Audience.PRICED)), code, zone=ZONE)
    assert "77" in priced.body


@each_row("ours", [KEY_REFUSED, KEY_MISSING, OWN_REQUEST, Unavailable().tell()])
def test_our_own_words_are_not_put_into_the_erps_mouth(ours: Phrase, renderer: CardRenderer) -> None:
    failed = case(state=CaseState.FAILED, decision=DECISION, erp_text=str(ours))
    views = (
        build_case_view(CaseContext(case=failed), RevisionData(), reader(Audience.PRICED)),
        build_requester_notice(failed),
    )
    for view in views:
        body = renderer.render(view, "zh_CN", zone=ZONE).body
        assert "ERP 提示" not in body
        assert str(ours) not in body
        assert load_languages()["zh_CN"].say(ours) in body


def test_words_with_figures_are_not_for_the_group() -> None:
    refused = case(state=CaseState.REJECTED, decision=replace(REFUSAL, reason="0.12 is too much"), votes=(FIRST,))
    for face, reason in ((Audience.PRICED, "0.12 is too much"), (Audience.BARE, "")):
        view = build_case_view(CaseContext(case=refused), RevisionData(), reader(face))
        assert view.decision is not None
        assert view.decision.reason == reason
    said = case(state=CaseState.FAILED, decision=REFUSAL, erp_text="Limit 500.00 exceeded")
    assert [build_case_view(CaseContext(case=said), RevisionData(), reader(one)).words for one in Audience] == [
        said.erp_text,
        "",
    ]
    vote_result = case(votes=(replace(FIRST, reason="fine at 12"),))
    assert [
        build_case_view(CaseContext(case=vote_result), RevisionData(), reader(one)).spoken[0].reason for one in Audience
    ] == ["fine at 12", ""]


@pytest.mark.parametrize("code", LANGUAGE_CODES)
def test_every_answer(code: str, renderer: CardRenderer, snapshot: SnapshotAssertion) -> None:
    rulings = (
        Eligibility(
            allowed=False, reasons=(phrase("You may approve up to %(amount)s in one document.", amount=cny("1")),)
        ),
        Eligibility(allowed=True, reasons=(phrase("“%(rule)s” names you for level %(level)s.", rule="大额", level=2),)),
    )
    why = DecisionExplanation(
        document=document_of(ORDER),
        case=case(),
        plan_result=PlanResult(PLAN, (phrase("Rule “%(rule)s” applies.", rule="大额采购"),)),
        approve=rulings[0],
        reject=rulings[1],
        erp_approvers=ErpApprovers((ErpApprover("u_zhao"),), mismatched=True),
    )
    no_rule = DecisionExplanation(
        document=document_of(ORDER), case=None, plan_result=PlanResult(None, (phrase("They changed it."),))
    )
    asked = ApprovalReasons(
        case=case().id, seen="12345678", kind="po", number="PO-1001", partner="Acme", minutes=5, own_words=True
    )
    cards = [
        build_case_view(
            FOLDER,
            KNOWN,
            reader(Audience.PRICED),
            remark=ReplyNote(note=phrase("You may not decide it."), ask=("boss01",)),
        ),
        build_case_view(FOLDER, KNOWN, reader(Audience.PRICED), remark=ReplyNote(sure=True)),
        build_case_view(FOLDER, KNOWN, reader(Audience.PRICED, "buyer01")),
        build_requester_notice(case(state=CaseState.APPROVED, decision=DECISION)),
        build_requester_notice(case(state=CaseState.EXPIRED)),
        build_requester_notice(
            case(state=CaseState.DECIDED_ELSEWHERE, elsewhere=replace(THERE, status=ReviewState.REJECTED))
        ),
        build_requester_notice(case(state=CaseState.DECIDED_ELSEWHERE, elsewhere=ExternalDecision(by="u_zhou"))),
        build_why_view(why, NAMES, Audience.PRICED),
        build_why_view(why, NAMES, Audience.BARE),
        build_why_view(no_rule, NAMES, Audience.BARE),
        asked,
    ]
    drawn = [renderer.render(view, code, zone=ZONE) for view in cards]
    for card in drawn:
        assert_within(card)
    assert "\n\n".join(map(as_text, drawn)) == snapshot


def row(number: int) -> ApprovalListRow:
    result = phrase("Not recorded: %(problem)s", problem=phrase("The ERP does not answer at the moment."))
    return ApprovalListRow(
        case=f"{number:024}-1",
        number=f"PO-2026-11-{number:05}",
        kind="po",
        partner="很长的供应商名称有限责任公司" * 3,
        amount=cny("123456789.00"),
        day=date(2026, 10, 30),
        due_on=date(2026, 11, 20),
        result=result,
    )


@pytest.mark.parametrize("code", LANGUAGE_CODES)
def test_eight_at_once_are_all_answered(code: str, renderer: CardRenderer) -> None:
    rows = tuple(map(row, range(8)))
    results = renderer.render(ApprovalResults(rows=rows), code, zone=ZONE)
    assert_within(results)
    assert all(one.number in results.body for one in rows)
    asked = renderer.render(ApprovalAll(rows=rows, total=8, line="/pending all"), code, zone=ZONE)
    assert_within(asked)
    shown = sum(one.number in asked.body for one in rows)
    assert str(shown) in asked.title
    assert asked.buttons[0].token == ApprovalAll(rows=rows[:shown], total=8, line="x").buttons()[0].does.pack()  # type: ignore[union-attr]  # an action


@each_row("code", LANGUAGE_CODES)
@each_row("face", list(Audience))
def test_everything_at_once_fits(code: str, face: Audience, renderer: CardRenderer) -> None:
    lines = tuple(line(f"SKU-{n:030}", "很长的名字" * 30, "123456789.123456", "99999.99") for n in range(40))
    full = replace(ORDER, lines=lines, vendor="宁波*标准*件厂|二部" * 20, url="https://erp.example.com/" + "a" * 300)
    about = replace(INSIGHT.lines["SKU123"], usual=Decimal("123456789.123456"))
    insight = replace(INSIGHT, lines={one.sku: about for one in lines}, duplicates=("PO-" + "9" * 60,) * 3)
    votes = tuple(replace(FIRST, name="钱" * 60, on_behalf_of="x" * 60, reason="因" * 200) for _ in range(4))
    folder = CaseContext(
        case=case(
            number="PO-" + "9" * 60,
            votes=votes,
            summary=replace(case().summary, partner=full.vendor),
            erp_text="e" * 400,
        ),
        waited=tuple(f"user{n}" * 10 for n in range(30)),
    )
    remark = ReplyNote(note=phrase("You may not decide it."), ask=("u" * 60,) * 30, retry="/approve " + "x" * 100)
    view = build_case_view(folder, RevisionData(document=full, insight=insight), reader(face), remark=remark)
    card = renderer.render(view, code, zone=ZONE)
    assert_within(card)
    assert any(button.token.startswith("po.yes|") for button in card.buttons)
    assert any(button.token.startswith("po.no|") for button in card.buttons)


def test_lines_are_paged(renderer: CardRenderer) -> None:
    lines = tuple(line(f"SKU{n}", "x", "1", "1") for n in range(9))
    known = RevisionData(document=replace(ORDER, lines=lines), names=NAMES)
    first = build_case_view(FOLDER, known, reader(Audience.PRICED))
    assert ([row.line.sku for row in first.rows], first.total) == (["SKU0", "SKU1", "SKU2", "SKU3"], 9)
    last = build_case_view(FOLDER, known, reader(Audience.PRICED), offset=8)
    assert [row.line.sku for row in last.rows] == ["SKU8"]
    card = renderer.render(first, "en", zone=ZONE)
    assert [button.text for button in card.buttons][-2:] == ["Next", "Open in the ERP"]


@each_row(
    ("user_id", "buttons"),
    [("", True), ("manager01", True), ("fin01", False), ("buyer01", False), ("stranger", True)],
)
def test_who_surely_has_nothing_to_say_has_no_buttons(user_id: str, buttons: bool) -> None:
    view = build_case_view(FOLDER, KNOWN, CardViewer(audience=Audience.PRICED, user_id=user_id, now=NOW))
    assert view.mute is not buttons
    assert ("Approve" in [str(one.label) for one in view.buttons()]) is buttons


@each_row(("user_id", "later", "undo"), [("manager01", 0, True), ("boss01", 0, False), ("manager01", 20, False)])
def test_only_its_decider_can_take_it_back_and_not_for_long(user_id: str, later: int, undo: bool) -> None:
    folder, known = STATES["can be taken back"]
    moment = NOW + timedelta(seconds=later)
    assert (
        build_case_view(folder, known, CardViewer(audience=Audience.PRICED, user_id=user_id, now=moment)).undo is undo
    )


def test_the_twin_is_typed_by_number(renderer: CardRenderer) -> None:
    twin = renderer.render(build_case_view(FOLDER, KNOWN, reader(Audience.PRICED)), "en", zone=ZONE).twin
    seen = FOLDER.case.fingerprint[:8]
    assert f"Approve: /approve PO-1001 ＃{seen}" in twin
    assert f"Reject: /reject PO-1001 ＃{seen}" in twin
    assert "/pending PO-1001 forward" in twin


def test_differences_without_the_lines_are_those_of_the_brief() -> None:
    view = build_case_view(CaseContext(case=SUPERSEDED, newer=NEWER), RevisionData(), reader(Audience.PRICED))
    assert isinstance(view, ApprovalView)
    assert [(str(one.label), one.before, one.now) for one in view.changes] == [
        ("Amount", ORDER.total, CHANGED.total),
        ("Delivery date", ORDER.due_on, CHANGED.due_on),
    ]
    assert view.newer == NEWER.id
    both = build_case_view(
        CaseContext(case=SUPERSEDED, newer=NEWER), RevisionData(document=ORDER, newer=CHANGED), reader(Audience.PRICED)
    )
    assert [(str(one.label), one.what, one.before, one.now) for one in both.changes[2:]] == [
        ("Quantity", "SKU123", "5000 件", "6000 件"),
        ("Price", "SKU123", "0.1277 CNY", "0.1377 CNY"),
        ("Line removed", "SKU124", None, None),
        ("Line added", "SKU125", None, None),
    ]
