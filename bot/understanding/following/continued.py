"""The previous line with the content of a sentence: 那北京仓呢 keeps the product, 逾期的呢 the customer."""

from __future__ import annotations

from bot.chat.days import names_days, names_same_days
from bot.chat.parsing import MAX_LINE_BYTES, command_line
from bot.chat.questions.reading import Reading
from bot.understanding.command_kinds import ALONE, AT_WAREHOUSES, BY_STATE, DATED, LISTED_BY_PRODUCT, OF_PARTNERS
from bot.understanding.following.follow_up import FollowUp
from bot.understanding.grammar import Grammar
from bot.understanding.limits.bounds import without_bounds
from bot.understanding.limits.comparisons import beside
from bot.understanding.lines.named_lists import AGEING, DONE, LATE
from bot.understanding.lines.quantities import quantity_needed
from bot.understanding.lines.weighing import SAYS_WHAT_TO_DO
from bot.understanding.scanning.spans import Scan, SpanKind, days_said


def continued(follow_up: FollowUp, *, with_subject: bool) -> Reading | None:
    """Return the previous line with the content of a text; ``with_subject``: the text keeps the line's subject."""
    scan, before, last = follow_up.scan, follow_up.before.command, follow_up.last.line
    if before is None or before not in follow_up.grammar.sentences.commands:
        return None
    if scan.of_kind(SpanKind.OFF_TOPIC):
        return None  # 她提成多少 asks for no list of hers
    if scan.of_kind(SpanKind.DOCUMENT) and not with_subject:
        return None  # it stands for itself
    command = _command(follow_up, before)
    if not follow_up.may_use(command):
        return None
    line = _line(follow_up, command, before, with_subject=with_subject)
    if with_subject and command == before and line in {None, last} and scan.of_kind(SpanKind.CUE):
        return follow_up.reading(last)  # its card tells it
    if line is None or line == last or len(line.encode()) > MAX_LINE_BYTES:
        return None
    return follow_up.reading(line)


def _command(follow_up: FollowUp, before: str) -> str:
    """Return the command named by the sentence, otherwise the previous one: 逾期的呢 asks for another list of it."""
    lines, scan = follow_up.grammar.lines, follow_up.scan
    weights = lines.weigh(scan, follow_up.usable, about=" ".join(follow_up.parts.words))
    # 发货 is said of orders too.
    command = max(weights, key=lambda name: (weights[name], name != before, name == "delivery"), default=before)
    if weights.get(command, 0) < SAYS_WHAT_TO_DO or lines.lists.only_lists_are_named(before, scan):
        return before
    return command


def _line(follow_up: FollowUp, command: str, before: str, *, with_subject: bool) -> str | None:
    """Return the new line: the content of the sentence, and the rest from the previous line."""
    grammar, scan = follow_up.grammar, follow_up.scan
    old_words, old_stores, old_list, old_days, old_need = follow_up.parts
    new_words = named_in(scan)
    if sized := _of_another_size(grammar, new_words, old_words):
        new_words = [sized]
    need = quantity_needed(scan) if command == "stock" else ""
    if command == before == "price" and new_words:
        new_words = _priced(scan, new_words, old_words)
    stores = [f"@{span.value}" for span in (*scan.of_kind(SpanKind.WAREHOUSE), *scan.of_kind(SpanKind.PLACE))]
    keyword = grammar.lines.lists.named(command, scan)
    has_days = any(names_days(span.text) for span in scan.of_kind(SpanKind.DATE))
    if not (new_words or stores or keyword or has_days or need or command != before):
        return None
    same = (before, command) == ("order", "delivery")
    same_days = (before, command) == ("report", "chart")
    if command != before and not same and any(grammar.vocabulary.document(word) for word in old_words):
        return None  # another document of which only the number is known
    words = [] if command in ALONE else new_words or old_words
    if (keyword or has_days) and any(grammar.vocabulary.document(word) for word in words):
        words = []  # a list is asked for, and no document is one
    if before == "price" and command != before:
        words = words[:1]  # not for whom the price is
    of_products = command == before and all(grammar.vocabulary.product(word) for word in old_words)
    if command in OF_PARTNERS and scan.of_kind(SpanKind.PRODUCT) and not (command in LISTED_BY_PRODUCT and of_products):
        return None  # no partner and no document is called so
    if with_subject and new_words and command == before:
        return None
    if command == "payment" and words:
        keyword = ""  # of one partner it only moves one way
    if not keyword and command == before:
        keyword = old_list
        if keyword == LATE and has_days and grammar.lines.lists.is_due_later(command, scan):
            keyword = ""  # nothing that is due next week is late
    if command not in AT_WAREHOUSES:
        line = command_line(command, keyword, *words)
        if keyword == AGEING:
            return line
        if command == before and (amounts := without_bounds(follow_up.before.rest)[1]):
            line = f"{line} {amounts}"
        if has_days:
            earlier = next((span.text for span in scan.of_kind(SpanKind.DATE) if names_same_days(span.text)), "")
            if earlier and old_days and command == before and names_days(beside(old_days, earlier)):
                return f"{line} {beside(old_days, earlier)}"
            dated = grammar.lines.lists.with_days(line, command, scan)
            return _due(dated, scan) if command == before and _is_due(old_days) else dated
        if command in BY_STATE and keyword != old_list and DONE in {keyword, old_list}:
            old_days = ""  # those on which something was finished are no days of other lists
        elliptical = not (with_subject or keyword or new_words) and {before, command} <= DATED
        return f"{line} {old_days}" if old_days and (command == before or same_days or elliptical) else line
    need = need or (old_need if command == before and len(words) == 1 else "")
    return command_line(command, *words, *(stores or old_stores)[:1], need)


def _of_another_size(grammar: Grammar, new: list[str], old: list[str]) -> str:
    """Return the current goods in a size given alone: 7寸的, after 大力钳; empty for anything else."""
    if len(new) != 1 or not old or new[0] not in grammar.vocabulary.sizes:
        return ""
    bare = " ".join(word for word in old[0].split() if word not in grammar.vocabulary.sizes)
    return f"{bare} {new[0]}" if bare and grammar.vocabulary.knows_product(bare) else ""


def _is_due(days: str) -> bool:
    """Return whether days of a line are due dates."""
    return days.casefold().startswith("due ") or days.endswith("到期")


def _due(line: str, scan: Scan) -> str:
    """Return a line whose days are due dates: 这周呢, after documents due next week."""
    days = days_said(scan, months=True)
    if not days or not line.endswith(f" {days}") or line.endswith(f" due {days}"):
        return line
    return f"{line.removesuffix(days)}due {days}" if days.isascii() else f"{line}到期"


def _priced(scan: Scan, new: list[str], old: list[str]) -> list[str]:
    """Return the product and customer of a price question; one of them is known from before."""
    if scan.of_kind(SpanKind.PRODUCT) or not scan.of_kind(SpanKind.PARTNER):
        return [*new, *(old[1:] if len(new) == 1 else [])]
    return [*old[:1], *new]


def named_in(scan: Scan) -> list[str]:
    """Return the products and documents named in a sentence, otherwise all its other names as one."""
    spans = [span for kind in (SpanKind.PRODUCT, SpanKind.DOCUMENT) for span in scan.of_kind(kind)]
    if spans:
        return [span.value for span in spans]
    names = [span for kind in (SpanKind.PARTNER, SpanKind.NAME, SpanKind.PERSON) for span in scan.of_kind(kind)]
    return [" ".join(span.value for span in sorted(names, key=lambda span: span.start))] if names else []
