"""Finds the meaningful parts of a sentence: numbers, codes, names, warehouses, quantities, days and known words.

Found parts are masked, so that nothing is read twice; anything left over may be a name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from functools import partial

from bot.chat.days import find_days, names_days
from bot.chat.records.demand import ENGLISH_MULTIPLE
from bot.understanding.scanning.spans import MASK, Scan, SpanKind
from bot.understanding.sentences import parted_pattern
from bot.understanding.spoken_words import PARTED
from bot.understanding.vocabulary import Vocabulary
from bot.understanding.word_table import WordTable

_CODE = re.compile(
    r"(?<![A-Za-z0-9])(?:[A-Za-z]{1,10}[-_/.#]?){1,3}\d[0-9A-Za-z]*(?:[-_/.#]\d[0-9A-Za-z]*)*(?![A-Za-z0-9])"
)
_PARTED_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,8}[-_/.#]? [-_/.#]?\d{1,12}(?![A-Za-z0-9])")
"""A number with a blank in it, such as ``SKU 123``; only numbers that the company has are read so."""
_SPOKEN_CODE = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{1,8}[-_/.#]?[零〇幺一二三四五六七八九]{2,12}")
"""A number whose digits are written as they are spoken; only numbers that the company has are read so."""
DIGIT_OF = str.maketrans("零〇幺一二三四五六七八九", "001123456789")
_THREAD = re.compile(r"m\d{1,2}(?:\.5)?(?:[x×*]\d+)?|\d+(?:\.\d+)?[x×*]\d+.*", re.IGNORECASE)
"""Sizes of screws are part of a product's name, no codes."""
_MONTH = re.compile(r"(?<![\w/.-])\d{4}[-/](?:1[0-2]|0?[1-9])(?![\w/.-])", re.ASCII)
_SIZE = re.compile("([一二三四五六七八九1-9])号")
_IS_WORD = re.compile(rf"[^{MASK}\s\W]")
_WORD_BEGINS = re.compile(rf"[^{MASK}A-Za-z0-9]|(?<![A-Za-z0-9])[A-Za-z0-9]")
_SHORTEST_PART = 4
"""Signs of a part of a name that is taken for it, whatever words are in it."""
_SHORTEST_LATIN = 8
_LATIN_WORD = re.compile(r"(?<![a-z0-9])[a-z][a-z'&.-]*(?![a-z0-9])")
_FIRST_IDEOGRAPH = "\u2e80"
_NOT = "没"
_HAS_IT = re.compile("有(?=没有?|无|木有|什么|啥|哪|多少|几|货|逾期|过期|没)")
"""Begins a question after a name that could go on so: 航天精工有没有 is no beginning of 航天精工有限公司."""
_MENTION = re.compile(r"@\s?(\S+)")
_STOCK_OF_WAREHOUSE = re.compile("(?<=仓)库存(?:不足|不够|紧张|告急|偏低|太低|太少|见底|低)?")
_BARCODE = re.compile(r"(?<![0-9A-Za-z.])\d{12,14}(?![0-9A-Za-z.])")
_DIGITS = re.compile(r"(?<![0-9A-Za-z.])(?<!\d[×*])\d{3,14}(?![0-9A-Za-z.])")
"""Numbers, but not the side of a size: M10×100."""
_NEGATED = re.compile(
    r"(?:(?<!要)不要(?!批|审|动|签)|(?<!是)不是要|不是问|不是查|(?<!是)不是(?![\s,，])|别查|别给我看|别看|不查|不看|不用看(?!了)|不用给我看|除了|不问)(?!不)[^,;，；。]+?"
    r"(?=[,;，；。]|而?是(?!不)|而要|我要|我想看|只要|只看|就看|先|把|还有|其他|其它|别的|$)"
    r"|[a-z]+-?\d+的?(?:不用看|不看|不用管|不用查|不要|不算)了?"
    r"|(?<![a-z])(?:except|excluding|other than) [^,;.]+?(?=,|;|\.| but | just |$)"
    r"|(?<![a-z])not (?:the )?\S+(?=,| but)|(?<=[,;] )not (?:the |for |in )?[^,;.]+$"
)


_SAYS_NOTHING = re.compile(
    r"(?<![\d:])\d{1,2}[:：][0-5]\d(?![\d:])|(?:超过|大于|多于|不到)\d+(?:天|个月|周|年)(?:以上)?"
    r"|\d[\d,.]*\s*(?:万?元|万块|万|块钱|美元|美金)|[一二两三四五六七八九十百千]+万?(?:元|块钱)|\b(?:what|how) about\b"
    r"|(?:(?:到|截[至止]到?)?(?:今天|今日|目前|现在)(?:为止|之前|以前|前)|截[至止]到?(?:今天|今日|目前|现在))"
    r"(?=.*(?:[没未晚拖]|逾期|超期|过期|延期|延误))|\bas of (?:today|now)\b"
)
"""Times of day, lengths of time, amounts of money, and up to now beside what is late."""
_UP_TO_NOW = re.compile("(?:为止|之前|以前|前)$|^截[至止]|^as of ")
_EXCEPT = ("除了", "except", "excluding", "other than")
"""Begins what is left out of a list; other words take something back."""
_FIGURE = "[0-9一二两三四五六七八九十百千万][0-9.,一二两三四五六七八九十百千万亿]*"
BOUND = re.compile(
    r"(?:超过|超出|大于|高于|多于|低于|小于|少于|不到|不足|不低于|不少于|不超过)"
    rf"\s*[¥￥$]?\s*{_FIGURE}\s*(?:元|块钱?|天|日|个[月星]期?|周|星期|年|个|件|只|张|笔|单|%)?(?:的(?!钱))?"
    rf"|{_FIGURE}\s*(?:元|块钱?|天|日|个[月星]期?|周|星期|年|个|件|只|张|笔|%)?(?:以上|以下|之上|之下)的?"
    r"|\b(?:over|above|exceeding|more than|greater than|at least|less than|below|under)\s+[¥$€]?\s?\d[\d,.]*k?\b"
    r"(?:\s*(?:days?|pcs|pieces|units?|yuan|dollars?|euros?)\b)?",
    re.IGNORECASE,
)
"""A bound of what is no amount, such as days or pieces: no list has any, so a line without it would answer too much."""
_CORRECTION = re.compile(
    r"(?<!对)不对(?!劲)|(?P<sure>(?:说|打|写|讲)错了|(?:哦|噢|啊|呃|额)不(?:是|,|，|\s)|(?<=[\s,，])不是(?=[\s,，])"
    r"|(?<![a-z])(?:no wait|i mean|sorry,? i meant?|make that|scratch that)(?![a-z]))",
    re.IGNORECASE,
)
"""Says that what stands before it was not meant."""


_ADDRESSED = re.compile(
    r"^(?:(?:如果|要是|万一)?(?:不够|没有|没货|缺货|不行|缺)的话[,，\s]*)?(?:(?:喂|诶|欸|哎呀?|嗯|呃|对了|话说|(?:我想?)?问一?下|不好意思|打扰一?下)[啊呀哈吧哦呢,，、\s]*"
    r"|(?:那个谁|那谁|那啥|师傅|老板|兄弟|小伙子|同志|各位)(?:[啊呀哈吧哦,，、\s]+|(?=麻烦|劳烦|请|你|[帮给替]我)))*"
    r"(?:(?:麻烦|劳烦|辛苦|请)?你?(?:再|先|快|赶紧)?[帮给替](?:我们|咱们|我|咱)?(?:再|先)?"
    r"(?:[看查问算找说翻瞅瞧]|核实|了解)(?:一?下|一?[看查问]|[看查说瞧]|一眼)?[啊呀哈吧哦呢,，\s]*)?"
    r"(?:(?:到底|究竟)是?(?=哪|谁|什么|啥|多少|几|有))?"
)
"""Addresses somebody and asks to look: 那个谁你帮我看一下, 喂, 你给我查一下到底是."""
_SAID_AFTER = re.compile(
    r"[\s,，]*(?:[给跟]我说说|说一?下|你看看|你看一?下|谢谢|辛苦了?|(?:我们?)?(?:好|要)(?:提前)?安排(?:卸货|卸车|装车|人手?|仓库|车辆?|叉车)(?:来?(?:卸货|卸车|装车|装货|收货|接货|搬货?))?"
    r"|(?:列出来|列一下|给我)?我们?(?:好|要|来)?排(?:产|生产|计划|车间|一?下?(?:卸货|卸车|装车|收货|人手?|车辆?|叉车))"
    r"|(?:客户|老板|领导|车间|产线|那边|人家)[都又]?(?:一直)?(?:在|等着)?[催问等](?:我们?|着呢|呢|得急|[了着])*)[啊呀哈吧哦呢]*$"
)
"""Says after a question why it is asked."""
_LEAST_LEFT = 3
"""Signs that must be left of a sentence without what is said around its question."""


def without_address(text: str) -> str:
    """Return a sentence without the address before its question, and the reason after it."""
    before = _ADDRESSED.match(text)
    start = before.end() if before else 0
    after = _SAID_AFTER.search(text, start)
    end = after.start() if after else len(text)
    return text[start:end].strip() if end - start >= _LEAST_LEFT else text


_SAID_ONCE = frozenset({SpanKind.PRODUCT, SpanKind.NAME, SpanKind.DOCUMENT, SpanKind.WAREHOUSE, SpanKind.PARTNER})
_CORRECTED = _SAID_ONCE | {SpanKind.DATE, SpanKind.PLACE, SpanKind.PERSON, SpanKind.QUANTITY}
"""What is taken back for something else."""


def drop_negated(scan: Scan) -> None:
    """Mask the parts that the person excludes, and that restrict no list."""
    for match in (found for pattern in (_NEGATED, _SAYS_NOTHING) for found in pattern.finditer(scan.rest)):
        scan.drop(match.start(), match.end())


def restrictions_in(text: str) -> Iterator[str]:
    """Yield restrictions of a question that no list has: 除了宏达, 5万元, 超过30天."""
    folded = text.casefold() if len(text.casefold()) == len(text) else text
    for match in BOUND.finditer(folded):
        yield text[match.start() : match.end()]
    rest = BOUND.sub(lambda match: MASK * len(match[0]), folded)
    for match in _NEGATED.finditer(rest):
        if match[0].startswith(_EXCEPT):
            yield text[match.start() : match.end()].strip()
    for match in _SAYS_NOTHING.finditer(rest):
        if _UP_TO_NOW.search(match[0]) is None and (not match[0].isascii() or any(map(str.isdigit, match[0]))):
            yield text[match.start() : match.end()].strip()


def drop_corrected(scan: Scan) -> None:
    """Drop corrected parts: SKU123哦不对是SKU132 means SKU132."""
    for match in _CORRECTION.finditer(scan.text):
        after = {span.kind for span in scan.spans if span.start > match.start()}
        if (after and match["sure"]) or after & (_CORRECTED - {SpanKind.DATE}):
            scan.spans = [span for span in scan.spans if span.start > match.start() or span.kind not in _CORRECTED]
            scan.drop(0, match.end())


def drop_repeated(scan: Scan) -> None:
    """Drop repeated names: 宝钢啊就是宝钢."""
    said: set[tuple[SpanKind, str]] = set()
    for span in sorted(scan.spans, key=lambda span: span.start):
        if span.kind in _SAID_ONCE and (span.kind, span.value.casefold()) in said:
            scan.spans.remove(span)
            scan.drop(span.start, span.start + len(span.text))
        said.add((span.kind, span.value.casefold()))


def take_codes(scan: Scan, vocabulary: Vocabulary) -> None:
    """Take document numbers and product codes in any spelling."""
    for match in _CODE.finditer(scan.rest):
        typed = scan.text[match.start() : match.end()]
        # Q3 is a quarter, unless something is numbered so.
        is_code = not (_THREAD.fullmatch(typed) or names_days(typed))
        if not _take_known(scan, match, vocabulary) and is_code:
            scan.take(SpanKind.PRODUCT, match.start(), match.end(), typed)
    for match in _BARCODE.finditer(scan.rest):
        # Alone it is looked up everywhere.
        if match[0] != scan.text and _has_check_digit(match[0]):
            scan.take(SpanKind.PRODUCT, match.start(), match.end())
    for match in (*_PARTED_CODE.finditer(scan.rest), *_SPOKEN_CODE.finditer(scan.rest)):
        _take_known(scan, match, vocabulary)


def _has_check_digit(digits: str) -> bool:
    """Return whether the last digit is a GTIN check digit: document numbers may have as many digits."""
    return sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(reversed(digits))) % 10 == 0


def _take_known(scan: Scan, match: re.Match[str], vocabulary: Vocabulary) -> bool:
    start, end = match.span()
    return take_number(scan, start, end, scan.text[start:end].translate(DIGIT_OF), vocabulary)


def take_number(scan: Scan, start: int, end: int, typed: str, vocabulary: Vocabulary) -> bool:
    """Take the number or code spelled by ``typed``; False if the company has none like it."""
    if delivery := vocabulary.delivery(typed):
        scan.take(SpanKind.DELIVERY, start, end, delivery)
    elif found := vocabulary.document(typed):
        command, number = found
        scan.take(SpanKind.DOCUMENT, start, end, number, command)
    elif code := vocabulary.product(typed):
        scan.take(SpanKind.PRODUCT, start, end, code)
    return scan.rest[start] == MASK


def take_digits(scan: Scan) -> None:
    """Take numbers without letters, of three digits and more."""
    for match in _DIGITS.finditer(scan.rest):
        scan.take(SpanKind.DIGITS, match.start(), match.end())


def begins_a_word(text: str, at: int) -> bool:
    """Return whether a character of a word stands at a place in the rest of a text."""
    return _IS_WORD.match(text, at) is not None


def take_days(scan: Scan, is_size: Callable[[str, str, int, int], bool]) -> None:
    """Take days that can restrict a list; 五号纸箱 is no day where 5号 is a size of goods (``is_size``)."""
    for start, end in find_days(scan.rest):
        size = _SIZE.fullmatch(scan.rest, start, end)
        if size and is_size(f"{size[1].translate(DIGIT_OF)}号", scan.rest, start, end):
            scan.respell(scan.rest[:start] + scan.rest[start:end].translate(DIGIT_OF) + scan.rest[end:])
        else:
            scan.take(SpanKind.DATE, start, end)


def take_months(scan: Scan) -> None:
    """Take months in digits, such as 2026-10: elsewhere document numbers may look the same."""
    for match in _MONTH.finditer(scan.rest):
        scan.take(SpanKind.DATE, *match.span())


def drop_counted_units(scan: Scan, units: Iterable[str]) -> None:
    """Mask the unit in a question for a number: 台 in 有多少台."""
    if "多少" not in scan.text and "几" not in scan.text:
        return
    for unit in units:
        for match in re.finditer(rf"(?<=多少){re.escape(unit)}|(?<=几){re.escape(unit)}", scan.text):
            if match[0] == scan.rest[match.start() : match.end()] and scan.rest[match.start() - 1] == MASK:
                scan.drop(*match.span())


def quantity_pattern(units: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of a number with one of the units."""
    longest_first = "|".join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))
    return re.compile(
        rf"(?<![A-Za-z0-9.,哪])(?:\d{{1,3}}(?:,\d{{3}})+|\d+(?:\.\d+)?(?:\s*{ENGLISH_MULTIPLE})?"
        rf"|[一二两三四五六七八九十百千万半几][零〇一二两三四五六七八九十百千万半几]*)\s*(?:{longest_first})(?![A-Za-z0-9])",
        re.IGNORECASE,
    )


def take_quantities(scan: Scan, pattern: re.Pattern[str]) -> None:
    """Take quantities with their units."""
    for match in pattern.finditer(scan.rest):
        scan.take(SpanKind.QUANTITY, match.start(), match.end())


def take_stock_of_warehouses(scan: Scan, cues: Container[str]) -> None:
    """Take 库存 after a warehouse's name: 上海仓库存 is the stock in 上海仓, not something in 上海仓库."""
    for match in _STOCK_OF_WAREHOUSE.finditer(scan.rest):
        end = match.end() if match[0] in cues else match.start() + len("库存")
        scan.take(SpanKind.CUE, match.start(), end)


def take_mentions(scan: Scan, stores: Mapping[str, str]) -> None:
    """Take warehouses marked by ``@``, and mask people mentioned beside the bot."""
    for match in _MENTION.finditer(scan.rest):
        store = stores.get(match[1])
        if store or match[1].endswith(("仓", "仓库", "库")):
            scan.take(SpanKind.WAREHOUSE, match.start(), match.end(), store or scan.text[match.start(1) : match.end(1)])
        else:
            scan.drop(match.start(), match.end())


def take_off_topic(scan: Scan, words: Container[str], longest: int, known: Callable[[str], bool]) -> None:
    """Take words for facts that no ERP knows, unless a ``known`` name contains them: a seller of printers means
    those.
    """

    def take(start: int, end: int) -> None:
        if not known(scan.rest[start:end]):
            scan.take(SpanKind.OFF_TOPIC, start, end)

    take_words(scan, words, longest, take)


def take_names(scan: Scan, kind: SpanKind, names: Mapping[str, str], longest: int) -> None:
    """Take known names, the longest first."""
    take_words(scan, names, longest, lambda start, end: scan.take(kind, start, end, names[scan.rest[start:end]]))


def take_parts_of_names(scan: Scan, kind: SpanKind, known: Callable[[str], bool], words: Container[str]) -> None:
    """Take long parts of known names whose end would otherwise be taken as a word: 恒兴五金厂.

    From left to right, the longest where several begin; everyday ``words`` are none.
    """
    start, text = 0, scan.rest
    while start + _SHORTEST_PART <= len(text):
        end = start + _SHORTEST_PART
        if min(text[start:end]) < _FIRST_IDEOGRAPH or not known(text[start:end]):
            start += 1
            continue
        while end < len(text) and text[end] >= _FIRST_IDEOGRAPH and known(text[start : end + 1]):
            end += 1
        last = end - 1 if _HAS_IT.match(text, end - 1) and end - start > _SHORTEST_PART else end
        if text[start:last] not in words:
            scan.take(kind, start, last)
        start = last


def take_latin_names(scan: Scan, kind: SpanKind, name_of: Callable[[str], str | None]) -> None:
    """Take two or more adjacent Latin words of a name: "Steel Wire" of "Anping Steel Wire Ltd".

    ``name_of`` returns the search text; None if they are in no name.
    """
    words = [match.span() for match in _LATIN_WORD.finditer(scan.rest)]
    first = 0
    while first + 1 < len(words):
        last, name = first, ""
        while last + 1 < len(words) and (longer := name_of(scan.rest[words[first][0] : words[last + 1][1]])):
            last, name = last + 1, longer
        start, end = words[first][0], words[last][1]
        if last > first and end - start >= _SHORTEST_LATIN:
            typed = scan.text[start:end]
            scan.take(kind, start, end, typed if name == typed.casefold() else name)
        first = last + 1


def take_parted_words(
    scan: Scan, words: Mapping[str, Sequence[tuple[int, str, str]]], whole: Container[str], longest: int
) -> None:
    """Take words split by others: 收…款 in 收了宏达多少款, but no parts of longer ``whole`` words.

    ``words`` are keyed by their first sign, each with its rank and first part.
    """
    spoken: list[tuple[int, int]] = []
    take_words(scan, whole, longest, lambda start, end: spoken.append((start, end)))
    begun = (each for sign in set(scan.rest) for each in words.get(sign, ()) if each[1] in scan.rest)
    for _, first, word in sorted(begun):
        last = word.partition(PARTED)[2]
        if first not in scan.rest or last not in scan.rest:
            continue
        if (match := parted_pattern(word).search(scan.rest)) is None:
            continue
        size = len(first) + len(last)
        if not any(end - start >= size and _meet(match, start, end) for start, end in spoken):
            scan.take(SpanKind.CUE, *match.span(1), value=word)
            scan.drop(*match.span(2))


def _meet(match: re.Match[str], start: int, end: int) -> bool:
    """Return whether a part of a split word overlaps a span of the text."""
    return any(match.start(part) < end and start < match.end(part) for part in (1, 2))


def take_words(scan: Scan, words: Container[str], longest: int, found: Callable[[int, int], None]) -> None:
    """Call ``found`` for each known word from left to right, the longest where several begin. Latin words are whole."""
    taken, text = 0, scan.rest
    ends = words.ends if isinstance(words, WordTable) else partial(_ends, words)
    for match in _WORD_BEGINS.finditer(text):
        start = match.start()
        if start >= taken and (end := _longest_word(text, start, words, ends, longest)) > start:
            found(start, end)
            taken = end


def _longest_word(
    text: str, start: int, words: Container[str], ends: Callable[[str, int, int], Sequence[int]], longest: int
) -> int:
    for end in ends(text, start, min(len(text), start + longest)):
        if is_letter(text[end - 1]) and end < len(text) and is_letter(text[end]):
            continue
        if text[end - 1] == _NOT and end - start > 1 and any(text[end - 1 : end + more] in words for more in (1, 2, 3)):
            continue  # 还有没交的 is 还有 and 没交的
        return end
    return start


def _ends(words: Container[str], text: str, start: int, last: int) -> Sequence[int]:
    """Return the ends of words that begin at a place, the longest first."""
    return [end for end in range(last, start, -1) if text[start:end] in words]


def is_letter(sign: str) -> bool:
    """Return whether a character is a letter or digit of a Latin word."""
    return sign.isascii() and sign.isalnum()
