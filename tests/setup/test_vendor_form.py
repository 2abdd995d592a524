"""The form of an ERP: its fields, what is wrong beside them, and secrets that are never shown."""

from __future__ import annotations

import pytest

from bot.erp.vendors import known_vendors
from bot.setup.vendor_form import EntryKind, empty_form, read_form
from tests.rows import each_row

ODOO = {"option-url": "https://erp.example.com", "option-user": "bot", "option-key": "key1"}


@pytest.mark.parametrize("vendor", known_vendors())
def test_the_form_of_an_erp_asks_for_all_that_must_be_there(vendor: str) -> None:
    form = empty_form(vendor, {})
    read, _ = read_form(form, {}, {})
    assert not read.problem or form.has_further
    required = {field.name for field in form.fields if field.is_required}
    assert required <= {field.name for field in read.fields if field.problem}


@each_row(
    "sent, name",
    [
        ({**ODOO, "option-url": "erp.example.com"}, "url"),
        ({**ODOO, "option-user": ""}, "user"),
        ({**ODOO, "option-company": "first"}, "company"),
        ({**ODOO, "option-write_timeout": "soon"}, "write_timeout"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_with_what_was_typed(sent: dict[str, str], name: str) -> None:
    read, _ = read_form(empty_form("odoo", {}), sent, {})
    wrong = {field.name: field for field in read.fields if field.problem}
    assert set(wrong) == {name}
    assert wrong[name].value == sent[wrong[name].sent_as]


def test_only_what_differs_from_the_usual_is_kept_and_numbers_are_numbers() -> None:
    sent = {**ODOO, "option-company": "3", "option-parallel": "2", "further": "[approvers]\nboss = 'env:BOSS'"}
    read, source = read_form(empty_form("odoo", {}), {**sent, "further": ""}, {})
    assert not read.is_wrong
    assert source.options == {"url": "https://erp.example.com", "user": "bot", "key": "key1", "company": 3}


def test_a_secret_left_empty_stays_and_is_not_shown() -> None:
    known = {"url": "https://erp.example.com", "user": "bot", "key": "file:data/secrets/erp-main-key"}
    form = empty_form("odoo", {**known, "key": "key1"})
    (key,) = (field for field in form.fields if field.kind is EntryKind.SECRET)
    assert (key.value, key.is_kept) == ("", True)
    _, source = read_form(form, {**ODOO, "option-key": ""}, {**known, "key": "key1"})
    assert source.options["key"] == "key1"


@each_row("further", ["approvers = [", "nothing = 1"])
def test_further_settings_that_are_wrong_are_named(further: str) -> None:
    read, _ = read_form(empty_form("odoo", {}), {**ODOO, "further": further}, {})
    assert read.further_problem
    assert read.further == further
