"""Lines typed in error, in jest or in malice, each with the content of its one answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tests.scenario.notice_checks import Notice

_HELP_BUTTON = "帮助"
_SCREW = "SKU123 "
"""The beginning of the title of SKU123's stock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BadQuestion:
    """``title`` is how the card's title begins; ``says`` are texts on it, ``offers`` buttons, ``never`` appears
    nowhere."""

    line: str
    title: str
    says: tuple[str, ...] = ()
    offers: tuple[str, ...] = ()
    never: tuple[str, ...] = ()


def _ask(
    line: str,
    title: str,
    *says: str,
    offers: tuple[str, ...] = (),
    never: tuple[str, ...] = (),
) -> BadQuestion:
    return BadQuestion(line=line, title=title, says=says, offers=offers, never=never)


NOTHING: Mapping[str, BadQuestion] = {
    "an empty line asks for help": _ask("", Notice.HELP, "/stock", "/invoice"),
    "blanks of every width ask for help": _ask(" \t\u00a0\u2005\u3000", Notice.HELP),
    "zero-width characters alone are nothing": _ask("\u200b\u200d\ufeff\u2060", Notice.HELP),
    "control characters alone are nothing": _ask("\x00\x01\x07\x1b\x7f", Notice.HELP),
    "only a slash asks for help": _ask("/", Notice.HELP),
    "the enumeration comma of a Chinese keyboard is a slash": _ask("、", Notice.HELP),
    "two slashes are still one": _ask("//", Notice.HELP),
    "only a question mark asks for help": _ask("？", Notice.HELP),
    "only punctuation asks for help": _ask("……！！！", Notice.HELP),
    "only a backslash asks for help": _ask("\\", Notice.HELP),
}

MISSPELT: Mapping[str, BadQuestion] = {
    "a misspelt command is suggested with its argument": _ask(
        "/stcok SKU123", Notice.UNKNOWN_COMMAND, "“stcok”", "您是不是想用", offers=("/stock SKU123", _HELP_BUTTON)
    ),
    "a misspelt command with a slash at its end": _ask(
        "/stock/", Notice.UNKNOWN_COMMAND, "“stock/”", offers=("/stock",)
    ),
    "a misspelt Chinese command shows an example": _ask(
        "/库纯 SKU123", Notice.UNKNOWN_COMMAND, "“库纯”", "/stock SKU123", offers=(_HELP_BUTTON,)
    ),
    "a command in traditional Chinese": _ask("/庫存 SKU123", Notice.UNKNOWN_COMMAND, "“庫存”"),
    "a command in Russian": _ask("/помощь", Notice.UNKNOWN_COMMAND, "“помощь”", "/help"),
    "a command of a later release": _ask("/forecast SKU123", Notice.UNKNOWN_COMMAND, "“forecast”"),
    "approving what nobody may decide here": _ask("/approve PO-1001", "PO-1001 的审批人与依据", "现在无法在此审批"),
    "rejecting what there is not": _ask("/reject PO-999999 too dear", Notice.NOT_FOUND, "“PO-999999”"),
    "an equals sign instead of a blank": _ask("/stock=SKU123", Notice.UNKNOWN_COMMAND, "“stock=SKU123”"),
    "a command spelt with a zero-width space is forgiven": _ask("/st\u200bock SKU123", _SCREW),
    "a command in capitals is forgiven": _ask("/STOCK sku123", _SCREW),
    "everything in full width is forgiven": _ask("／ｓｔｏｃｋ　ＳＫＵ１２３", _SCREW),
    "tabs and line ends are blanks": _ask("/stock\t\r\nSKU123\n\n", _SCREW),
    "a colon instead of a blank is forgiven": _ask("/stock：SKU123", _SCREW),
}

ARGUMENTS: Mapping[str, BadQuestion] = {
    "a command without its argument shows how it is written": _ask(
        "/stock", Notice.BAD_ARGUMENT, "命令没有写完整", "用法：/stock", offers=("/stock SKU123",)
    ),
    "only commas for an argument are no argument": _ask("/stock ,;，；", Notice.BAD_ARGUMENT, "命令没有写完整"),
    "a search for nothing": _ask("/find", Notice.BAD_ARGUMENT, "命令没有写完整", offers=("/find 螺丝",)),
    "an unknown warehouse names those that there are": _ask(
        "/stock SKU123 @火星仓", Notice.NOT_FOUND, "“火星仓”", "上海仓", offers=("上海仓",)
    ),
    "somebody mentioned after a product is taken for a warehouse": _ask(
        "/stock SKU123 @李四", Notice.NOT_FOUND, "“李四”", "上海仓"
    ),
    "a lone at sign is nobody": _ask("/stock SKU123 @", _SCREW),
    "people mentioned before the command are left alone": _ask("@李四 @王五 /stock SKU123", _SCREW),
    "a language that nobody speaks": _ask("/lang klingon", Notice.BAD_ARGUMENT, "“klingon”", offers=("/lang en",)),
    "two languages at once": _ask("/lang en zh", Notice.BAD_ARGUMENT, "无法识别“zh”", "用法：/lang"),
    "help about a command that there is not names those that there are": _ask(
        "/help nosuch", Notice.BAD_ARGUMENT, "“nosuch”", "/stock", offers=("/help stock",)
    ),
    "help about two commands": _ask("/help stock order", Notice.BAD_ARGUMENT, "无法识别“order”"),
    "an argument where none is taken": _ask("/whoami now", Notice.BAD_ARGUMENT, "“now”", "用法：/whoami"),
    "a keyword that means nothing is searched for": _ask("/po nosuchword", Notice.NOT_FOUND, "“nosuchword”"),
    "the second of two keywords is searched for": _ask("/po pending late", "待审批采购单：late", "没有记录"),
    "a keyword and a number that fit each other": _ask("/invoice overdue INV-7", "逾期发票：INV-7", "INV-7"),
    "words after a number": _ask("/order SO-1001 please now", Notice.NOT_FOUND, "“SO-1001 please now”"),
    "two numbers where one is taken": _ask(
        "/order SO-1001 SO-1002", Notice.NOT_FOUND, "“SO-1001 SO-1002”", offers=("/order SO-1001",)
    ),
    "several commands in one message are not carried out": _ask(
        "/stock SKU123\n/order SO-1001\n/help", "4 个产品的库存", "SKU123", "/order", "未找到", offers=("SKU123",)
    ),
    "a page beyond the end of a list is its last page": _ask(
        "/order late +999999", "延期订单", "SO-", offers=("上一页",), never=("没有记录", "999999", "1000000")
    ),
    "a page beyond the end of an order is its last page": _ask("/order SO-1001 +99", "销售订单 SO-1001", "SKU123"),
    "a page number that is none": _ask("/order late -5", "延期订单：-5", "没有记录"),
    "far too many products": _ask(
        "/stock " + " ".join(f"SKU{number}" for number in range(100, 140)), Notice.BAD_ARGUMENT, "内容太长"
    ),
    "more products than one answer shows": _ask(
        "/stock " + " ".join(f"SKU{number}" for number in range(123, 133)), "8 个产品的库存", "2 个未列出"
    ),
    "one product three times is one product": _ask("/stock SKU123 sku123 ＳＫＵ123", _SCREW),
    "quotes that are never closed": _ask('/stock "SKU 123', "2 个产品的库存", '"SKU'),
    "quotes around nothing": _ask("/stock ''", Notice.NOT_FOUND, "“''”"),
}

UNKNOWN_THINGS: Mapping[str, BadQuestion] = {
    "an unknown product": _ask("/stock NOSUCH-1", Notice.NOT_FOUND, "“NOSUCH-1”", "/stock SKU123"),
    "an order number with a letter for a digit offers the closest": _ask(
        "/order SO-10O1", Notice.NOT_FOUND, "“SO-10O1”", "最接近", offers=("/order SO-1001",)
    ),
    "an unknown order": _ask("/order SO-999999", Notice.NOT_FOUND, "“SO-999999”", "/order SO-1001"),
    "an unknown invoice": _ask("/invoice INV-99999", Notice.NOT_FOUND, "“INV-99999”", "/invoice INV-7"),
    "an unknown purchase order": _ask("/po PO-0", Notice.NOT_FOUND, "“PO-0”", "/po PO-1001"),
    "an unknown production order": _ask("/mo MO-00x", Notice.NOT_FOUND, "“MO-00x”", "/mo MO-1"),
    "the number of another area": _ask("/po SO-1001", Notice.NOT_FOUND, "“SO-1001”", "/po PO-1001"),
    "a bare number that many things have": _ask("42", "“42”", "产品", "INV-42", offers=("INV-42",)),
    "a bare negative number": _ask("-1", "“-1”"),
    "a bare number that nothing has": _ask("987654321", Notice.NOT_FOUND, "“987654321”"),
    "a bare number of a document that there is not": _ask("SO-999999", Notice.NOT_FOUND, "“SO-999999”"),
    "a number in scientific notation": _ask("1e309", Notice.NOT_FOUND, "“1e309”"),
    "a day that there is not": _ask("2026-02-30", Notice.NOT_FOUND, "“2026-02-30”"),
    "an invoice of a day that there is not": _ask("/invoice 2月31号", Notice.BAD_ARGUMENT, "没有“2月31号”这一天"),
    "a day": _ask("２０２６－１１－２４", Notice.NOT_FOUND, "“2026-11-24”"),
    "small talk": _ask("今天天气怎么样", Notice.NOT_UNDERSTOOD, "缺哪些货", offers=(_HELP_BUTTON,)),
    "a bound that is no amount": _ask(
        "/order >abc", Notice.BAD_ARGUMENT, "“＞abc”", "＞100000", offers=("/order late",)
    ),
    "a range that ends before it begins": _ask("/invoice 50000..10000", Notice.BAD_ARGUMENT, "“50000..10000”"),
    "small talk that begins like a command": _ask("nice weather today", Notice.NOT_UNDERSTOOD, "“nice weather today”"),
    "a command misspelt without a slash": _ask("stcok SKU123", _SCREW),
    "a word of a programming language": _ask("undefined", Notice.NOT_UNDERSTOOD, "“undefined”"),
    "greetings in Arabic": _ask("مرحبا", Notice.NOT_UNDERSTOOD, "“مرحبا”"),
    "greetings in Thai": _ask("สวัสดี", Notice.NOT_UNDERSTOOD, "“สวัสดี”"),
}

LONG: Mapping[str, BadQuestion] = {
    "5 000 characters": _ask("x" * 5_000, Notice.NOT_UNDERSTOOD, "“xxx", "…”", never=("x" * 25,)),
    "20 000 characters": _ask("长" * 20_000, Notice.NOT_UNDERSTOOD, "“长长", "…”", never=("长" * 25,)),
    "5 000 characters after a command": _ask(
        "/stock " + "x" * 5_000, Notice.BAD_ARGUMENT, "内容太长", "用法：/stock", offers=("/stock SKU123",)
    ),
    "20 000 Chinese characters after a command": _ask("/库存" + "好" * 20_000, Notice.BAD_ARGUMENT, "内容太长"),
    "5 000 characters after a misspelt command": _ask("/stcok " + "x" * 5_000, Notice.UNKNOWN_COMMAND, "“stcok”"),
    "10 000 times the same particle": _ask("了" * 10_000 + "x", Notice.HELP),
    "10 000 polite words": _ask("please, " * 10_000 + "x", Notice.HELP),
    "10 000 slashes between words": _ask("x" + " /a" * 10_000, Notice.NOT_UNDERSTOOD, "“x /a"),
    "10 000 mentions": _ask("@a " * 10_000 + "x", Notice.NOT_UNDERSTOOD),
    "10 000 blanks inside a question": _ask("/stock" + " " * 10_000 + "SKU123", _SCREW),
    "3 000 accents on one letter": _ask("a" + "\u0301" * 3_000, Notice.NOT_UNDERSTOOD),
    "the widest character of Unicode": _ask("﷽" * 30, Notice.NOT_UNDERSTOOD),
    "a name of a command that is too long to repeat": _ask("/help " + "x" * 140, Notice.BAD_ARGUMENT, "…”", "/stock"),
}

MARKUP: Mapping[str, BadQuestion] = {
    "bold and italics": _ask("/order **bold** _it_", Notice.NOT_FOUND, "＊＊bold＊＊ ＿it＿", never=("**bold", "_it_")),
    "a link": _ask("/find [x](https://evil.example)", Notice.NOT_FOUND, "［x］", never=("[x]",)),
    "a picture": _ask("![](https://evil.example/p.png)", Notice.NOT_UNDERSTOOD, "!［］", never=("![", "[]")),
    "a heading": _ask("# Heading", Notice.NOT_UNDERSTOOD, "“＃ Heading”", never=("# ",)),
    "a quotation": _ask("/order > quote", Notice.NOT_FOUND, "“＞ quote”"),
    "a fence of code": _ask("/order ```rm -rf```", Notice.NOT_FOUND, "｀｀｀rm -rf｀｀｀"),
    "a table": _ask("/order | x | y |", Notice.NOT_FOUND, "“｜ x ｜ y ｜”", never=("|",)),
    "a script": _ask("<script>alert('x')</script>", Notice.NOT_UNDERSTOOD, "＜script＞", never=("<script",)),
    "tags around a real code": _ask("/stock <b>SKU123</b>", Notice.NOT_FOUND, "＜b＞SKU123＜/b＞", never=("<b>",)),
    "a colour of one's own": _ask(
        "/order <font color=red>x</font>", Notice.NOT_FOUND, "＜font color=red＞", never=("<font color=red",)
    ),
    "a mention of somebody": _ask("/order <a atId=boss01>x</a>", Notice.NOT_FOUND, "＜a", never=("<a atId=boss01",)),
    "a mention by sign": _ask(
        "/order @boss01", Notice.BAD_ARGUMENT, "“@boss01”不是被提到的人", offers=("/order late",)
    ),
    "entities": _ask("/find &lt;b&gt;", Notice.NOT_FOUND, "＆lt;", never=("&lt;",)),
    "a Jinja expression": _ask("/order {{ 8*8 }}", Notice.NOT_FOUND, "{{ 8＊8 }}", never=("64",)),
    "a Jinja statement": _ask("/order {% for x in y %}x{% endfor %}", Notice.NOT_FOUND, "{% for x in y %}"),
    "a look into the template's view": _ask(
        "/order {{ view.__class__ }}", Notice.NOT_FOUND, "{{ view.＿＿class＿＿ }}", never=("commands.",)
    ),
    "expressions of other template languages": _ask("/order ${8*8} #{8*8}", Notice.NOT_FOUND, never=("64",)),
    "conversions of the percent operator": _ask("/order %s %(x)s %n", Notice.NOT_FOUND, "“%s %(x)s %n”"),
    "a bare conversion": _ask("%(what)s", Notice.NOT_UNDERSTOOD, "“%(what)s”"),
    "fields of str.format": _ask("/order {0} {what.__class__}", Notice.NOT_FOUND, "{0} {what.＿＿class＿＿}"),
    "somebody else's button token": _ask("ask|0|/stock SKU123", Notice.NOT_FOUND, "“ask｜0｜/stock SKU123”"),
}

STRANGE: Mapping[str, BadQuestion] = {
    "a bare emoji": _ask("😀", Notice.NOT_UNDERSTOOD, "“😀”"),
    "an emoji for a code": _ask("/stock 😀", Notice.NOT_FOUND, "“😀”"),
    "a family of joined emoji": _ask("/order 👨\u200d👩\u200d👧", Notice.NOT_FOUND, "👨👩👧", never=("\u200d",)),
    "text turned around": _ask("/stock \u202e321UKS", Notice.NOT_FOUND, "“321UKS”", never=("\u202e",)),
    "a NUL inside a code is no part of it": _ask("/stock SKU\x00123", _SCREW),
    "an escape sequence of a terminal": _ask("/order \x1b[31mred", Notice.NOT_FOUND, "［31mred"),
    "a hundred marks above and below": _ask("/order " + "A\u0334\u0322\u035d" * 15, Notice.NOT_FOUND),
    "an SQL injection": _ask("/order ' OR 1=1 --", Notice.NOT_FOUND, "“' OR 1=1 --”", "/order SO-1001"),
    "an SQL injection in several words": _ask("/find '; DROP TABLE products; --", Notice.NOT_FOUND, "DROP TABLE"),
    "a wildcard of SQL finds itself alone": _ask("/order %", Notice.NOT_FOUND, "“%”"),
    "a path": _ask("/stock ../../etc/passwd", Notice.NOT_FOUND, "“../../etc/passwd”"),
    "a path of Windows": _ask("/find C:\\Windows", Notice.NOT_FOUND, "C:＼Windows"),
    "an address": _ask("https://evil.example/x?y=1&z=2", Notice.NOT_FOUND, "“https://evil.example/x?y=1&z=2”"),
    "an address for a code": _ask("/stock https://evil.example", Notice.NOT_FOUND, "“https://evil.example”"),
    "a piece of JSON": _ask('{"text":{"content":"/help"}}', Notice.NOT_UNDERSTOOD),
    "a formula of a spreadsheet": _ask('/find =HYPERLINK("https://evil.example")', Notice.NOT_FOUND, "＝HYPERLINK"),
}

QUESTIONS: Mapping[str, BadQuestion] = {
    **NOTHING,
    **MISSPELT,
    **ARGUMENTS,
    **UNKNOWN_THINGS,
    **LONG,
    **MARKUP,
    **STRANGE,
}
