"""A customer's own templates: they win, they are boxed in, and a broken one never costs an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from structlog.testing import capture_logs

from bot.cards import samples
from bot.cards.language import Language
from bot.cards.notices import BusyNotice
from bot.cards.renderer import MAX_TEMPLATE, CardRenderer
from bot.words.disclosure import cut

VIEW = BusyNotice(line="/order *late*")


def renderer_of(folder: Path, languages: Mapping[str, Language], body: str, name: str = "busy.md.j2") -> CardRenderer:
    (folder / name).write_text("{% block title %}Own{% endblock %}{% block body %}" + body + "{% endblock %}", "utf-8")
    return CardRenderer(languages=languages, custom_dir=folder)


def test_a_custom_template_wins(tmp_path: Path, languages: Mapping[str, Language], zone: ZoneInfo) -> None:
    renderer = renderer_of(tmp_path, languages, "{{ fact(_('Source'), view.line | bold) }} {{ ngettext('a', 'b', 1) }}")
    card = renderer.render(VIEW, "zh_CN", zone=zone)
    assert (card.title, card.body, card.tips) == ("Own", "数据来源：**/order ＊late＊** a", "")
    assert renderer.broken_templates(samples.load_sample, zone) == ()


@pytest.mark.parametrize(
    "body",
    [
        "{{ view.nothing }}",
        "{{ 1 / 0 }}",
        "{{ view.line + 1 }}",
        "{{ view.__class__ }}",
        "{{ view.line.__class__.__mro__ }}",
        "{{ fact.__globals__ }}",
        "{{ _.__self__ }}",
        "{{ 'x' * 100000000 }}",
        "{{ [1] * 100000000 }}",
        "{{ 10 ** 100000 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ 'x'.ljust(999999999) }}",
        "{{ (1).to_bytes(999999999, 'big') }}",
        "{{ _('%(n)999999999d', n=1) }}",
        "{{ ngettext('%(num)999999999d', '', 1) }}",
        "{% set a = 'x' ~ 'y' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
        "{% set a = 'xy' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
        "{% set a %}xy{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 40 + "{{ a }}",
        "{% for i in range(10) %}{% endfor %}",
        "{% include '../../../pyproject.toml' %}",
        "{% include '/etc/hostname' %}",
        "{{ view.line | tojson }}",
        "{% if %}",
        "x" * (MAX_TEMPLATE + 1),
    ],
    ids=range(25),
)
def test_a_broken_one_is_replaced_logged_once_and_reported(
    tmp_path: Path, languages: Mapping[str, Language], zone: ZoneInfo, body: str
) -> None:
    renderer = renderer_of(tmp_path, languages, body)
    with capture_logs() as logs:
        cards = [renderer.render(VIEW, "en", zone=zone) for _ in range(3)]
    assert {card.title for card in cards} == {"One moment"}
    assert [(line["event"], line["card"]) for line in logs] == [("card.custom_template_broken", "busy")]
    (broken,) = renderer.broken_templates(samples.load_sample, zone)
    assert broken.path == tmp_path / "busy.md.j2"
    assert broken.why


def test_a_custom_template_of_no_card_is_reported(
    tmp_path: Path, languages: Mapping[str, Language], zone: ZoneInfo
) -> None:
    renderer = renderer_of(tmp_path, languages, "x", name="bussy.md.j2")
    assert [broken.path.name for broken in renderer.broken_templates(samples.load_sample, zone)] == ["bussy.md.j2"]


def test_escaping_holds_in_custom_templates(tmp_path: Path, languages: Mapping[str, Language], zone: ZoneInfo) -> None:
    renderer = renderer_of(tmp_path, languages, "{{ view.line ~ '<b>' }}{{ (view.line | bold) + view.line }}")
    assert renderer.render(VIEW, "en", zone=zone).body == "/order ＊late＊＜b＞**/order ＊late＊**/order ＊late＊"


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("{{ view.document.total }}", "🔒"),
        ("{{ view.document.total.amount * 2 + 1 }} {{ 100 - view.document.total.amount }}", "🔒 🔒"),
        ("{{ -view.document.total.amount / 3 }} {{ view.document.total.amount | round(1) }}", "🔒 🔒"),
        ("{{ view.document.total | money }} {{ view.document.total.amount | number | bold }}", "🔒 **🔒**"),
        (
            "{{ view.document.customer | cut(3) }} {{ 'a' ~ view.document.total }}",
            "🔒 a🔒",
        ),
        ("{{ 'rich' if view.document.total.amount > 1000 else 'not said' }}", "not said"),
        ("{{ view.document.customer.startswith('A') or 'nobody' }}", "nobody"),
        ("{% for key, value in view.document.extra.items() %}{{ value }}{% else %}none{% endfor %}", "none"),
        ("{{ view.document.extra['discount'] }} {{ view.rows | length }}", "🔒 3"),
        ("{{ view.rows | map(attribute='amount') | join(',') }}", "🔒,🔒,–"),
        ("{{ fact('Total', view.document.total) }}", "Total：🔒"),
    ],
)
def test_what_the_reader_may_not_see_breaks_no_template(
    tmp_path: Path, languages: Mapping[str, Language], zone: ZoneInfo, body: str, shown: str
) -> None:
    renderer = renderer_of(tmp_path, languages, body, "order.md.j2")
    view = samples.load_sample("order")
    view = replace(view, document=replace(view.document, extra={"discount": "12"}))  # type: ignore[attr-defined]
    assert renderer.render(cut(view, frozenset()), "zh_CN", zone=zone).body == shown
