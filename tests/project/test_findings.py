"""What an hour of demanding use once found, by number and clause, and the tests that keep each of it mended."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import lru_cache

import pytest

from .tree import ROOT

FOLLOW = "scenario/approvals/test_answers_follow.py"
MISLEADING = "scenario/test_misleading_answers.py"
QUOTAS = "scenario/test_quotas.py"

FINDINGS: Mapping[int, Mapping[str, tuple[str, ...]]] = {
    1: {
        "/po → 同意 ends on the clicker's copy and on all others": (
            f"{FOLLOW}::test_an_order_that_was_asked_for_and_decided_on_the_answer",
            f"{FOLLOW}::test_an_order_that_was_asked_for_and_decided_elsewhere",
            f"{FOLLOW}::test_a_decision_on_a_card_that_all_see",
            "browser/test_approvals.py::test_one_approves_and_all_the_copies_turn_final",
        ),
        "/pending → 同意": (f"{FOLLOW}::test_the_list_of_what_waits",),
        "/reject and a quick reason": (f"{FOLLOW}::test_a_quick_reason",),
        "typed /approve": (f"{FOLLOW}::test_words",),
        "全部同意": (f"{FOLLOW}::test_all_of_the_list",),
        "decided in the ERP": (f"{FOLLOW}::test_decided_in_the_erp",),
        "nothing is green before the ERP has it": (f"{FOLLOW}::test_each_outcome_has_its_drawing",),
        "a refusal is told with the ERP's reason and who can help": (
            f"{FOLLOW}::test_each_outcome_has_its_drawing",
            "scenario/approvals/test_failures.py::test_who_has_no_right_in_the_erp_leaves_it_to_the_others",
            "approvals/test_answers.py::test_a_refusal_names_whom_to_ask",
        ),
        "reject is not offered where the source takes none": (
            "commands/test_approvals.py::test_finding_1_where_the_erp_takes_no_rejection_none_is_offered",
            "approvals/test_outcomes.py::test_unsupported",
        ),
        "the guide says what each outcome shows": (
            "approvals/test_outcomes.py::test_the_guide_says_what_each_outcome_shows",
        ),
    },
    2: {
        "order → line → stock and back": (
            "browser/test_walks.py::test_from_an_order_to_the_stock_of_a_line_and_back",
            f"{MISLEADING}::test_the_way_back_ends_where_it_began_also_from_long_lists",
        ),
        "list → document and back": (f"{FOLLOW}::test_a_walk_ends_where_it_began",),
        "an alert's buttons after 详情": (
            "commands/test_alert_clicks.py::test_finding_2_after_the_details_the_alert_can_still_be_taken",
        ),
        "one of thirteen, and the next": ("browser/test_walks.py::test_waiting_orders_are_decided_without_typing",),
    },
    3: {
        "both quotas, by edition": ("project/test_settings.py::test_an_edition_gives_both_quotas",),
        "a question is one of each": (f"{QUOTAS}::test_what_a_question_a_page_and_an_alert_cost",),
        "a critical alert is shown when answers are texts already": (
            f"{QUOTAS}::test_the_last_calls_are_for_critical_alerts",
            f"{QUOTAS}::test_a_critical_alert_goes_where_somebody_wrote_when_no_call_is_left",
            f"{QUOTAS}::test_critical_alerts_are_cards_when_the_uses_are_used_up",
        ),
        "somebody is told": (
            f"{QUOTAS}::test_administrators_are_told_at_each_step_and_once",
            f"{QUOTAS}::test_the_uses_have_steps_of_their_own",
        ),
        "the readiness says it": (f"{QUOTAS}::test_administrators_are_told_at_each_step_and_once",),
    },
    4: {
        "codes are told apart": (
            "dingtalk/test_refusals.py::test_too_fast_is_a_wait",
            "dingtalk/test_refusals.py::test_too_fast_in_the_old_api",
            "dingtalk/test_refusals.py::test_other_refusals",
        ),
        "12 of 12 critical alerts": ("outbox/test_refused_calls.py::test_twelve_critical_alerts_of_twelve",),
    },
    5: {
        "an approval costs three calls": (f"{QUOTAS}::test_what_an_approval_costs",),
        "one create reaches several places": (
            "outbox/test_shared_cards.py::test_one_call_shows_it_everywhere_and_one_changes_it",
        ),
    },
    6: {
        "a few cards on day one": ("scenario/test_first_start.py::test_few_cards_at_the_first_start",),
        "offline only after an outage": (
            "alerts/test_digests.py::test_what_was_open_before_the_first_look_is_one_digest",
            "alerts/test_digests.py::test_the_first_look_says_no_time_that_nobody_knows",
        ),
        "each order once in a group": (
            "alerts/rules/test_purchase_orders.py::test_a_group_with_the_approval_card_gets_no_alert_beside_it",
        ),
        "names instead of accounts": ("alerts/test_names.py::test_names_stand_beside_the_accounts_in_the_event",),
        "no odd name leads the late orders": (
            f"{MISLEADING}::test_finding_6_an_ordinary_customer_leads_the_late_orders",
        ),
    },
    7: {
        "a quoted card and a word": (
            "scenario/test_quotes.py::test_a_word_is_about_the_quoted_answer",
            "scenario/test_quotes.py::test_a_pushed_approval_is_approved_by_a_word",
        ),
        "pictures": (
            "scenario/test_pictures.py::test_the_barcode_on_a_product_shows_its_stock",
            "chat/test_code_scanner.py::test_nearly_all_codes_are_read_and_none_wrongly",
        ),
        "a text of unknown outcome is sent again": (
            "chat/test_pipeline.py::test_a_text_that_may_have_arrived_is_sent_again_unless_it_tells_of_a_decision",
        ),
    },
    8: {
        "the asker": ("dingtalk/test_answer_channel.py::test_who_asked_in_a_group_is_named_and_called",),
        "the assignee": ("alerts/test_actions.py::test_whom_it_is_assigned_to_gets_a_card_of_their_own",),
        "the approver whose turn it is": (
            "approvals/test_levels.py::test_all_cards_follow_from_level_to_level_with_one_update_each",
        ),
        "DING": (
            "scenario/alerts/test_scenarios.py::test_who_an_alert_is_passed_on_to_is_called_once",
            "outbox/test_dings.py::test_it_rings_once",
        ),
        "待办": ("scenario/approvals/test_todos.py::test_it_is_done_for_all_when_one_decides_and_costs_two_calls",),
        "top box": ("scenario/alerts/test_top_boxes.py::test_it_stands_until_the_alert_is_over_and_costs_two_calls",),
    },
    9: {
        "the readiness with the only ERP dead": (
            "scenario/test_trouble.py::test_an_erp_that_does_not_answer_is_a_part_that_is_degraded",
        ),
        "a frozen ERP is said at once": (
            "scenario/test_slow_answers.py::test_the_card_says_so_and_becomes_the_answer_by_one_more_call",
        ),
    },
    10: {
        "/find counts more than it read": (f"{MISLEADING}::test_finding_10_a_search_counts_more_than_it_read",),
        "a warehouse without the slash": (f"{MISLEADING}::test_finding_10_a_warehouse_counts_without_the_slash",),
        "INV7, SO1001, SKU 123": (f"{MISLEADING}::test_finding_10_numbers_are_found_as_people_spell_them",),
        "自 is not the bot's start": (
            f"{MISLEADING}::test_finding_10_what_waits_tells_when_it_was_ordered_and_not_when_the_bot_started",
        ),
        "¥0.00 on paid invoices": (f"{MISLEADING}::test_finding_10_a_paid_invoice_owes_nothing_and_says_no_zero",),
        "同意 for whom it may not": (
            f"{MISLEADING}::test_finding_10_who_may_not_approve_is_offered_nothing_to_approve",
        ),
        "undo with nothing to undo": (f"{MISLEADING}::test_finding_10_nothing_to_undo_is_said_so",),
        "approvals that nobody may decide": ("doctor/test_deciders.py::test_approvers_without_an_account_are_told",),
        "共报告 1 次": ("cards/test_alerts.py::test_finding_10_what_was_reported_once_is_not_counted",),
        "the year in every time, a day that breaks": (
            f"{MISLEADING}::test_finding_10_dates_of_this_year_have_no_year_and_stay_whole",
        ),
        "下一页 is not the next step": (
            f"{MISLEADING}::test_finding_10_turning_a_page_is_never_the_next_sensible_step",
            "cards/test_renderer.py::test_a_card_has_one_next_step",
        ),
        "completion knows all commands": (f"{MISLEADING}::test_finding_10_completion_knows_every_command",),
    },
}


@lru_cache
def names_in(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / "tests" / path).read_text("utf-8"))
    return frozenset(each.name for each in ast.walk(tree) if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef)))


def missing(clauses: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    for tests in clauses.values():
        for path, _, name in (test.partition("::") for test in tests):
            if name not in names_in(path):
                yield f"{path}::{name}"


@pytest.mark.parametrize("number", FINDINGS)
def test_every_clause_of_a_finding_has_its_tests(number: int) -> None:
    clauses = FINDINGS[number]
    assert all(clauses.values())
    assert list(missing(clauses)) == []


def test_no_finding_is_left_out() -> None:
    assert list(FINDINGS) == list(range(1, 11))
