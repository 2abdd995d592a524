"""What an edit of the rules opens is said: to whom, of which command, which fields, which documents, where."""

from __future__ import annotations

from bot.access.loader import make_policy, review_access
from bot.access.openings import find_openings
from bot.access.policy import AccessPolicy
from bot.cards.language import choose_language, load_languages
from bot.cards.status_labels import status_label
from bot.chat.registry import Commands
from bot.words.names import NOTHING_KNOWN
from tests.rows import each_row

REQUESTS = [
    command.request() for name, command in Commands.discover().items() if name in ("invoice", "stock", "alerts")
]
FINANCE = '[[rules]]\ncommands = ["invoice"]\nroles = ["finance"]\n'
DENIED = '[[rules]]\neffect = "deny"\ncommands = ["invoice"]\nroles = ["finance"]\nfields = ["cost"]\n'
KEEPER = '[[rules]]\ncommands = ["stock"]\nroles = ["仓管"]\n'


def policy(text: str, *, own_figures: bool = True) -> AccessPolicy:
    rules = review_access((text or "open = true").encode(), NOTHING_KNOWN, name="access.toml").rules
    return make_policy([rules], {}, own_figures=own_figures)


def opened(before: str, after: str) -> list[str]:
    return [*map(str, find_openings(policy(before), policy(after), REQUESTS, status_label))]


ROWS = [
    ("nothing", FINANCE, FINANCE + "# more words\n", []),
    ("less", FINANCE + KEEPER, FINANCE, []),
    ("fewer fields", FINANCE, FINANCE + 'fields = ["quantity"]\n', []),
    ("a command", FINANCE, FINANCE + KEEPER, ["warehouse keeper: may use /stock"]),
    ("a class", KEEPER + 'fields = ["quantity"]\n', KEEPER + 'fields = ["quantity", "amount"]\n',
     ["warehouse keeper: may see amounts in /stock"]),
    ("more documents", KEEPER + 'warehouses = ["W1"]\n', KEEPER + 'warehouses = ["W1", "W2"]\n',
     ["warehouse keeper: may see more documents of /stock"]),
    ("a person", FINANCE, FINANCE + '[[rules]]\ncommands = ["invoice"]\npeople = ["keeper01"]\n',
     ["keeper01: may use /invoice"]),
    ("a department", FINANCE, FINANCE + '[[rules]]\ncommands = ["invoice"]\ndepartments = ["采购部"]\n',
     ["采购部: may use /invoice"]),
    ("a denial that goes", FINANCE + DENIED, FINANCE, ["finance: may see purchase prices in /invoice"]),
    ("for all", FINANCE, '[[rules]]\ncommands = ["invoice"]\nroles = ["*"]\n',
     ["every member: may use /invoice", "cards in groups: may use /invoice"]),
    ("one group", FINANCE, FINANCE + '[[rules]]\ncommands = ["invoice"]\nroles = ["sales"]\nconversations = ["cidA"]\n',
     ["sales: may use /invoice, in cidA"]),
    ("shared", FINANCE, FINANCE + '[[rules]]\ncommands = ["invoice"]\nshared = true\nfields = ["amount"]\n',
     ["cards in groups: may use /invoice", "cards in groups with outsiders: may use /invoice"]),
    ("open", FINANCE, "open = true\n" + FINANCE,
     ["every member: may use /stock", "cards in groups: may use /stock"]),
]  # fmt: skip


@each_row("what, before, after, said", ROWS)
def test_an_edit_says_what_it_opens(what: str, before: str, after: str, said: list[str]) -> None:
    assert opened(before, after) == said, what


def test_it_is_said_in_chinese() -> None:
    (line,) = find_openings(policy(KEEPER + 'fields = ["quantity"]\n'), policy(KEEPER), REQUESTS, status_label)
    said = choose_language(load_languages(), "zh_CN").say(line)
    assert said == "仓管：可以看到 /stock 里的金额、联系方式、采购价、物料清单、客户和供应商"
