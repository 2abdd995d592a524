"""Questions that no command line holds: unknown facts, exceptions, comparisons, the future.

A line without that part would answer another question. The card says what cannot be told, and offers the nearest lines.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from bot.chat.days import names_days, names_days_ahead
from bot.chat.parsing import normalise, quote
from bot.understanding.command_kinds import LISTED, OWED, RECORDS_OF_PARTNERS, WITH_AMOUNTS
from bot.understanding.limits.bounds import CURRENCY
from bot.understanding.limits.states import StateFinder
from bot.understanding.scanning.recognition import Recognition, end_of, in_order, partners_or_people
from bot.understanding.scanning.spans import Scan, Span, SpanKind, all_days_said
from bot.understanding.sentences import LIST_WEIGHT, UnknownFact
from bot.words.phrase import Phrase, phrase

_MASK = "\x00"
_MASKED = rf"{_MASK}+"
_OTHERS = r"的?(?:其[他它余]|别的|另外|剩下|还有|所有|全部|哪|谁|多少|[,，。;； ]|$)"
_LEAVES_OUT = "去掉|去除|排除|剔除|刨去|刨掉|刨除|扣掉|扣除"
_EXCEPT = re.compile(
    r"(?:除了?|除开|除去|撇开|抛开)(?!非)[^,，。;；]{1,16}?(?:以外|之外|外(?![贸协销]))的?"
    rf"|(?:除了?|除开|除去|撇开|抛开)(?!非)[^,，。;；]{{1,16}}?(?={_OTHERS})"
    r"|[^\s,，。;；除]{2,12}?(?:以外|之外)的?|[^\s,，。;；除]{1,8}(?<![国海境内])外的(?=客户|供应商|仓|订单|产品|货)"
    r"|不(?:含|包括|包含|算|计)(?!税)[^,，。;；的]{1,16}的?"
    r"|(?<![a-z])(?:except(?: for| from)?|excluding|other than|apart from|but not|not from|without|minus"
    r"|every(?:thing|one|body) but|all but|anyone but|(?<=s )but(?= \x00))"
    r" (?:the )?[^,;.]{1,24}",
    re.IGNORECASE,
)
"""Leaves somebody or something out of a list."""
_CORRECTED = re.compile(
    r"只要|只看|就要|就看|我要|我想看|我问|而是|[,，; ]是|把.{1,16}给我|\b(?:just|only|i meant?|instead)\b",
    re.IGNORECASE,
)
"""Says what is meant instead: then nothing is left out of a list."""
_SOMEBODY = rf"(?P<who>{_MASKED}|[^,，。;；{_MASK} ]{{1,12}}?)"
_NOT_HIS = re.compile(
    rf"(?:(?<!是)不是(?!不)|(?<!要)不要|不看|不查|不用看|不算|别看|别查|别算|{_LEAVES_OUT}){_SOMEBODY}(?:的|(?={_MASK})|$)(?!是)"
    rf"|[把将](?P<left>{_MASKED}|[^,，。;； ]{{1,12}}?)的?(?:都|全|先)?(?:{_LEAVES_OUT})"
    rf"|(?<![a-z])(?:not|minus|leaving out|leave out|without"
    rf"|(?:don'?t|do not) (?:show|include|list|count|want|give me)) (?P<whom>{_MASKED}|[a-z]\S*)(?:'s)?(?=[ ,]|$)"
)
"""不是宏达的订单, 去掉宏达的: all but those of somebody."""
_WAITS = re.compile(r"待审|审批|待批|没批")
"""Left out of a list in which it is not anyway: what waits for approval is not open yet."""
_NOT_DONE = re.compile(
    rf"(?<!要)(?:不要|不看|不含|{_LEAVES_OUT})已?(?:完成|完结|取消|作废|关闭|发货|开票|付款|付清|收款)(?:了的?|的|$)"
)
_NEGATION = re.compile(
    rf"^(?:没有?|不要|不看|不含|{_LEAVES_OUT}|并?未|非|不是?|not |isn't |aren't |never )", re.IGNORECASE
)
_IS_ASKED = re.compile(r"[吗么吧]\s*[?？]?$|\?$")
_NUMERAL = "(?:[0-9]+|[一二两三四五六七八九十百半几]+)"
_FUTURE = re.compile(
    r"(?:会|将会|将要|预计|估计|可能)(?:会|要|能)?(?:再|又|不会)?(?:下(?!雨|雪)|订|买|卖|销|涨|跌|降|升|倒|赚|亏)(?!不)"
    r"|预测|预估|涨不涨|跌不跌"
    r"|(?:[年月]底|明年|下半年|下个?(?:月|季度?|周)|以后|将来|未来)[^,，。]{0,6}[能会要][^,，。]{0,4}(?:卖|赚|销|收入|做多少)"
    rf"|{_NUMERAL}(?:天|周|个?星期|个?礼拜|个?月|年)(?:以后|之后|后)"
    r"|(?<![a-z])will (?!the |this |that |my |our |an? )\S+ "
    r"(?:sell|order|buy|rise|fall|cost|earn|make|need|grow)(?![a-z])"
    r"|(?<![a-z])(?:when|how soon|how long)(?: until| before)? (?:will|do|does|would|can|could|are|is) [^,.]{0,30}"
    r"(?:run(?:ning)? out|sold out|last)(?![a-z])"
    r"|(?<![a-z])(?:when|how soon|how long) (?:until|before|till) [^,.]{0,30}runs? out(?![a-z])"
    r"|(?:什么时候|啥时候|几时|何时|哪天|几号|多久|几天|多少天)(?:会|能|就|要|就会|就要|才|才会)?"
    r"(?:[卖用]完|[卖用]光|断货|断料|见底|售罄|耗尽)(?!的)"
    r"|(?<![a-z])(?:forecasts?|predict\w*)(?![a-z])",
    re.IGNORECASE,
)
"""What is to come, of which no ERP knows."""
_COMPARED = re.compile(
    r"对比|相比|比较一下|差多少(?!钱没)|更(?:贵|便宜|多|少|快|好)"
    r"|(?:哪[家个]|谁)(?:更|比较|先|贵|便宜|好|快|慢|高|低|准|划算|合算|多|少|缺)"
    r"|(?<=\x00)比(?=\x00).{0,24}?(?:贵|便宜|多|少|高|低|快|慢|好|大|小|准|早|晚|强|差|划算|合算|稳)"
    r"|(?<![a-z])(?:cheaper|dearer|better|faster|slower|(?:more|less) expensive|higher|lower|bigger) than(?![a-z])"
    r"|(?<![a-z])(?:compared?|versus|vs\.?|difference between|which (?:one )?is (?:cheaper|better|faster))(?![a-z])",
    re.IGNORECASE,
)
"""Sets two things side by side."""
_FIGURES_COMPARED = re.compile(
    r"对比|相比|比较一下|比一[比下]|(?:哪[家个]|谁).{0,4}[多少]|(?<=\x00)比(?=\x00).{0,24}?[多少]"
    r"|(?<![a-z])(?:compared?|versus|vs\.?|difference between|(?:which|who)\b.{0,24}\bmore)(?![a-z])",
    re.IGNORECASE,
)
"""Sets the figures of two side by side; which is cheaper or quicker is none of them."""
_OF_OTHER_FIGURES = re.compile(r"贵|便宜|价|库存|存货|现货|\b(?:prices?|costs?|cheaper|dearer|stock)\b", re.IGNORECASE)
"""Prices, which are compared by nothing, and stock, which one line tells of several products."""
_COMPARABLE = frozenset({SpanKind.PRODUCT, SpanKind.PARTNER, SpanKind.PERSON, SpanKind.WAREHOUSE})
_SIDE_BY_SIDE = re.compile(
    r"对比|相比|比较一下|哪[个家]更?|谁更?|更|(?<![和跟与比])[和跟与比](?=\s)|(?<=\s)[和跟与比]"
    r"|\b(?:and|or|than|vs|versus|compared?|between|which)\b",
    re.IGNORECASE,
)
_MORE_THAN = re.compile(rf"^比.{{1,10}}(?:多|少|贵|便宜|高|低|好|差|快|慢)(?!的)|[哪谁][^,，。]{{0,8}}比(?={_MASK})")
"""Sets what was shown before, or anybody, beside something else."""
_VAGUE = re.compile(
    r"(?:新来的|上次(?:说|讲|提)?的?|最近|刚才(?:说|讲)?的?)?那(?:张|个|笔|批|份|票|家|几[张个批])"
    r"(?:采购单|发货单|送货单|订单|工单|账单|单子?|发票|票|货|东西|客户|供应商|公司|料)(?!的?\x00)"
    r"|(?:上次|刚才|之前)(?:说|讲|提)(?:到|过)?的?那[张个批笔]|那个?谁的|^这个(?:多少|怎么样|呢)?$"
    r"|(?:上次|之前|昨天|前几天|刚才)?(?:说|讲|提|问)?的?那(?:单|票货|批货)(?!子|号|据|价)"
    r"|老[王李张陈刘赵](?:做|弄|发|下)?的那[批张个]货?",
)
"""Points to something that nothing names."""
_DAYS_COMPARED = re.compile(r"对比|相比|比|\b(?:compared?|versus|vs|than)\b", re.IGNORECASE)
_SUPERLATIVE = re.compile(
    r"最(?:差|少|低|小|慢|满|晚|早|老|久|坏|糟|不(?!锈)[^的]{1,3}|多|大|高|快|好|贵|便宜|准|厉害|重|忙|长|短)"
    r"|(?<![a-z])(?:worst|least|lowest|smallest|slowest|fewest|cheapest|most|highest|fastest|best|biggest|largest|oldest|longest|top)(?![a-z])"
    r"|前(?:[一二三五十]|[1-9]\d?)(?:个|名|位|家|大)?(?!天|日|周|年|个?(?:月|星期|季|小时|工作日))",
    re.IGNORECASE,
)
_TOLD_BY_RANKING = frozenset({"owing", "best", "payable", "biggest"})
_HAS_NO_RANKING = frozenset(
    {
        *LISTED,
        *RECORDS_OF_PARTNERS,
        "product",
        "stock",
        "arrivals",
        "shortage",
        "report",
    }
)
_MOST = re.compile("最[多大久]|most|biggest|longest")
_OF_NOW = frozenset({"stock", "shortage", "price", "product", "pending"})
"""Commands that tell how things are now, whatever day is named."""
_NOW = re.compile(r"今[天日儿]|现在|目前|当前|此刻|today|now|tonight|right away", re.IGNORECASE)
_UNTIL = re.compile("截[至止]到?")
_OF_SALES = frozenset({"report", "chart"})
_PARTNERS = (SpanKind.PARTNER, SpanKind.PERSON)
_NAMED = (SpanKind.DOCUMENT, SpanKind.DELIVERY, SpanKind.PRODUCT, *_PARTNERS, SpanKind.WAREHOUSE, SpanKind.PLACE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A part of a sentence that no line holds: its text, and what may be asked instead.

    ``instead`` are alternative sentences, the nearest first.
    """

    said: Phrase
    words: str
    instead: tuple[str, ...]
    is_clear: bool = True
    """Whether it is said even where nothing comes near: 那批货 may be a remark."""
    is_pointed_to: bool = False
    """Whether it is something that nothing names: the document that is there, if one is."""


@dataclass(frozen=True)
class LimitFinder:
    """Finds what no line holds: before a sentence is read, and in the parts that its line omits."""

    recognition: Recognition

    def find(self, scan: Scan) -> Limit | None:
        """Return the part of a sentence that no command covers; None if nothing prevents reading it."""
        text = self._without_names(scan)
        ways: tuple[Callable[[Scan, str], Limit | None], ...] = (
            self._two_states,
            self._unknown,
            self._exception,
            self._not_so,
            self._comparison,
            self._future,
            self._vague,
            self._currency,
            self._until,
        )
        return next((limit for way in ways if (limit := way(scan, text))), None)

    def left_out(self, scan: Scan, line: str) -> Limit | None:
        """Return the omissions of a line from its sentence: a rank, or days."""
        command, _, rest = line.removeprefix("/").partition(" ")
        return self._rank(scan, command, rest) or self._day(scan, command, rest) or self._days_compared(scan, command)

    @staticmethod
    def sets_side_by_side(text: str) -> bool:
        """Return whether a text compares."""
        return _DAYS_COMPARED.search(text) is not None

    @staticmethod
    def leaves_out(text: str) -> bool:
        """Return whether a text excludes somebody or something from a list."""
        return _EXCEPT.search(text) is not None

    def _exception(self, scan: Scan, text: str) -> Limit | None:
        match = _EXCEPT.search(text) or self._not_his(scan, text)
        if match is None or _CORRECTED.search(text, match.start()) or _WAITS.search(match[0]):
            return None
        start, end = match.start(), self._end_of_name(scan, match)
        words = scan.text[start:end].strip(" 的")
        return Limit(
            said=phrase("No list here leaves anything out: “%(words)s”.", words=words),
            words=words,
            instead=(_cut(scan.text, start, end),),
        )

    def _not_his(self, scan: Scan, text: str) -> re.Match[str] | None:
        """Return the span that excludes a name from a list; None if another name is given instead."""
        match = _NOT_HIS.search(text)
        if match is None or match.lastgroup is None:
            return None
        # What is said not to be meant is no part of the scan: it is looked at by itself.
        start, end = match.span(match.lastgroup)
        named = partners_or_people(self.recognition.scan(scan.text[start:end]))
        outside = [each for each in partners_or_people(scan) if not start <= each.start < end]
        kinds = {each.kind for each in named}
        is_clear = match[0].startswith("不是") or not any(each.kind in kinds for each in outside)
        return match if named and is_clear else None

    @staticmethod
    def _end_of_name(scan: Scan, match: re.Match[str]) -> int:
        """Return the end of an excluded part: after the known name in it, if any."""
        inside = [span for span in scan.spans if span.kind in _NAMED and match.start() < span.start < match.end()]
        return min(map(end_of, inside), default=match.end()) if match[0].startswith("不") else match.end()

    def _not_so(self, scan: Scan, text: str) -> Limit | None:
        match = self._not_late.search(text) or _NOT_DONE.search(text)
        if match is None or _IS_ASKED.search(text) or _asks_whether(text, match):
            return None
        words = scan.text[match.start() : match.end()].strip(" 的")
        return Limit(
            said=phrase("No list here holds what is not so: “%(words)s”.", words=words),
            words=words,
            instead=(_cut(scan.text, *match.span()), scan.text.replace(words, _NEGATION.sub("", words))),
        )

    @cached_property
    def _not_late(self) -> re.Pattern[str]:
        """A status that documents do not have; 有没有逾期的 asks for those that have it."""
        late, status = self.recognition.sentences.late, self.recognition.sentences.status
        return re.compile(
            rf"(?<![有是])(?:没有?|不要|不看|并?未|非|不是?)(?:{late.in_chinese}|{status.in_chinese})的?"
            rf"|(?<![a-z])(?:not|isn't|aren't|never) (?:{late.in_english})(?![a-z])"
        )

    @cached_property
    def states(self) -> StateFinder:
        """What finds the states that documents are to have."""
        return StateFinder(self.recognition.sentences.states)

    def _two_states(self, scan: Scan, text: str) -> Limit | None:
        """Return two required states of a list's documents: 开了票没发货的订单."""
        if scan.of_kind(SpanKind.DOCUMENT) or scan.of_kind(SpanKind.DELIVERY):
            return None  # its card tells all of them
        states = self.states.two_states(text)
        if states is None:
            return None
        words = states.words_in(scan.text)
        return Limit(
            said=phrase("No list here holds two states at once: “%(words)s”.", words=words),
            words=words,
            instead=states.alone_in(scan.text),
        )

    def _unknown(self, scan: Scan, text: str) -> Limit | None:
        for fact in self.recognition.sentences.unknown:
            match = next((each for each in fact.words.find_all(text) if not _asks_whether(text, each)), None)
            if match and not self._is_told(fact, scan):
                words = scan.text[match.start() : match.end()]
                rest = _cut(scan.text, *match.span())
                left = self.recognition.scan(normalise(rest))
                if self._is_told(fact, left):
                    return None  # 宏达多久没下单: without what was cut it is a name
                about = self._about(left)
                near = [f"{about} {each}".strip() for each in fact.nearest]
                return Limit(
                    said=phrase("“%(words)s” can't be looked up here.", words=words),
                    words=words,
                    # What is left of a question about a product is its stock, whatever was asked.
                    instead=tuple([rest, *near] if self._says_what(left) else [*near, rest]),
                )
        return None

    def side_by_side(self, scan: Scan) -> str:
        """Return the line that sets two of a kind side by side, or one in two periods.

        It is empty where their figures are not asked for.
        """
        text = self._without_names(scan)
        named = [span for span in scan.spans if span.kind in {*_NAMED, SpanKind.NAME}]
        kinds, names = {span.kind for span in named}, [*dict.fromkeys(span.value for span in in_order(named))]
        asked = _FIGURES_COMPARED.search(text) and not _OF_OTHER_FIGURES.search(text)
        if not asked or len(kinds) != 1 or not kinds <= _COMPARABLE:
            return ""
        days = all_days_said(scan, months=True)
        if (len(names), len(days)) not in {(2, 0), (2, 1), (1, 2)}:
            return ""
        in_stores = kinds == {SpanKind.WAREHOUSE}
        sides = [f"@{name}" for name in names] if in_stores else [quote(name) for name in names]
        return " ".join(("/compare", (" " if in_stores else " vs ").join(sides), *days))

    def _comparison(self, scan: Scan, text: str) -> Limit | None:
        if self.side_by_side(scan):
            return None
        match = _COMPARED.search(text) or _MORE_THAN.search(text)
        compared = _several(scan) if match else []
        if match and not compared and _FIGURES_COMPARED.search(text):
            named = [span for span in scan.spans if span.kind in _COMPARABLE]
            compared = named if len(named) > 1 else []
        if match is None or not (compared or match.re is _MORE_THAN):
            return None
        words = scan.text[match.start() : match.end()]
        return Limit(
            said=phrase("Nothing here compares two of them. Please look at one after the other."),
            words=words,
            instead=tuple(_only(scan, span, compared) for span in compared),
        )

    def _future(self, scan: Scan, text: str) -> Limit | None:
        match = _FUTURE.search(text)
        if match is None or any(match.start() < end_of(day) > day.start < match.end() for day in _days(scan)):
            return None
        words = scan.text[match.start() : match.end()]
        return Limit(
            said=phrase("What is to come is not known here: “%(words)s”.", words=words),
            words=words,
            instead=(_cut(_without_days_ahead(scan), match.start(), match.end()),),
        )

    def _vague(self, scan: Scan, text: str) -> Limit | None:
        match = _VAGUE.search(text)
        if match is None or any(span.kind in _NAMED for span in scan.spans) or scan.of_kind(SpanKind.DIGITS):
            return None
        words = scan.text[match.start() : match.end()].rstrip("的")
        return Limit(
            said=phrase(
                "Which one is meant is not said: “%(words)s”. Please name its number or whose it is.", words=words
            ),
            words=words,
            instead=(scan.text.replace(words, words[words.find("那") + 2 :], 1),),
            is_clear=match[0].startswith("这个") or words == scan.text,
            is_pointed_to=True,
        )

    def _currency(self, scan: Scan, text: str) -> Limit | None:
        """Return a currency that narrows a list, which lists only do through amount bounds."""
        match = CURRENCY.search(text)
        if match is None or scan.of_kind(SpanKind.DOCUMENT) or scan.of_kind(SpanKind.PRODUCT):
            return None
        if not any(cue.command in WITH_AMOUNTS for cue in self.recognition.cues_in(scan)):
            return None
        words = scan.text[match.start() : match.end()].strip(" 的")
        return Limit(
            said=phrase("No list here is narrowed to a currency: “%(words)s”. Each amount says its own.", words=words),
            words=words,
            instead=(_cut(scan.text, *match.span()),),
            is_clear=False,
        )

    def _until(self, scan: Scan, text: str) -> Limit | None:
        """Return days with an end but no beginning, other than now: 截至昨天."""
        match = _UNTIL.search(text)
        day = next((span for span in _days(scan) if match and span.start == match.end()), None)
        if match is None or day is None or _NOW.search(day.text):
            return None
        words = scan.text[match.start() : end_of(day)]
        return Limit(
            said=phrase("This is known as it is now, and not of “%(words)s”.", words=words),
            words=words,
            instead=(_cut(scan.text, match.start(), end_of(day)),),
        )

    def _rank(self, scan: Scan, command: str, rest: str) -> Limit | None:
        match = _SUPERLATIVE.search(self._without_names(scan))
        ranked = set(rest.split()) & _TOLD_BY_RANKING
        if match is None or command not in _HAS_NO_RANKING or ranked or any(map(str.isdecimal, rest)):
            return None
        if (command == "stock" and rest) or (command in OWED and _MOST.search(match[0])):
            return None  # its card tells in which warehouse most lies; who owes most is the first of who owes
        words = scan.text[match.start() : match.end()]
        return Limit(
            said=phrase("There is no ranking here by “%(words)s”.", words=words),
            words=words,
            instead=(_cut(scan.text, *match.span()),),
        )

    def _day(self, scan: Scan, command: str, rest: str) -> Limit | None:
        days = [span for span in _days(scan) if not _NOW.search(span.text)]
        if command in _OF_SALES:
            days = [span for span in days if names_days_ahead(span.text)]
        elif command not in _OF_NOW or set(rest.split()) & _TOLD_BY_RANKING:
            days = []
        if not days:
            return None
        words = days[0].text
        return Limit(
            said=phrase("This is known as it is now, and not of “%(words)s”.", words=words),
            words=words,
            instead=(scan.text.replace(words, " ", 1),),
        )

    def _days_compared(self, scan: Scan, command: str) -> Limit | None:
        """Return days set side by side; a report compares with the preceding days."""
        days = _days(scan)
        match = _DAYS_COMPARED.search(scan.text)
        if match is None or command in _OF_SALES or len({span.text for span in days}) < 2:
            return None
        return Limit(
            said=phrase("Nothing here compares two of them. Please look at one after the other."),
            words=match[0],
            instead=tuple(_only(scan, span, days) for span in days),
        )

    def _without_names(self, scan: Scan) -> str:
        """Return a lower-case sentence with the company's names masked: they may look like words.

        So are words for which a whole line stands: it holds them.
        """
        text = scan.text.casefold() if len(scan.text.casefold()) == len(scan.text) else scan.text
        for span in scan.spans:
            goods = span.kind is SpanKind.NAME and self.recognition.is_in_a_name(span.value)
            unknown = span.kind is SpanKind.WAREHOUSE and span.value not in self.recognition.stores.values()
            held = span.kind is SpanKind.CUE and any(cue.fixed for cue in self.recognition.cues_of(span))
            if (span.kind in _NAMED and not unknown) or goods or held:
                end = span.start + len(span.text)
                text = text[: span.start] + _MASK * len(span.text) + text[end:]
        return text

    def _about(self, scan: Scan) -> str:
        """Return the known names and the days of a sentence as written."""
        named = [
            span
            for span in in_order(scan.spans)
            if span.kind in (*_NAMED, SpanKind.DATE)
            or (span.kind is SpanKind.NAME and self.recognition.is_in_a_name(span.value))
        ]
        return " ".join(span.text for span in named)

    def _says_what(self, scan: Scan) -> bool:
        """Return whether the rest of a question asks for something on its own; for a product it is always the stock."""
        if scan.of_kind(SpanKind.PRODUCT):
            return False
        named = any(span.kind in (*_NAMED, SpanKind.NAME) for span in scan.spans)
        return named or any(cue.weight >= LIST_WEIGHT for cue in self.recognition.cues_in(scan))

    def _is_told(self, fact: UnknownFact, scan: Scan) -> bool:
        """Return whether the card of the named subject has the answer."""
        kinds = {span.kind for span in scan.spans}
        goods = any(self.recognition.vocabulary.knows_product(span.value) for span in scan.of_kind(SpanKind.NAME))
        named = {
            "document": bool(kinds & {SpanKind.DOCUMENT, SpanKind.DELIVERY}),
            "partner": bool(kinds & set(_PARTNERS)),
            "product": SpanKind.PRODUCT in kinds or goods,
        }
        named["nothing"] = not any(named.values())
        return any(named[kind] for kind in fact.unless)


def _asks_whether(text: str, match: re.Match[str]) -> bool:
    """Return whether a phrase with 没 or 不 only asks: 有没有开票, 缺不缺货."""
    before, said = text[: match.start()], match[0]
    return (said.startswith("没") and before.endswith("有")) or (said[0] == "不" and before[-1:] == said[1:2])


def _cut(text: str, start: int, end: int) -> str:
    return f"{text[:start]} {text[end:]}".strip()


def _several(scan: Scan) -> list[Span]:
    """Return the items of one kind named at least twice; empty if there are none."""
    for kind in (
        SpanKind.PRODUCT,
        SpanKind.DOCUMENT,
        SpanKind.PARTNER,
        SpanKind.PERSON,
        SpanKind.WAREHOUSE,
        SpanKind.NAME,
    ):
        spans = scan.of_kind(kind)
        if len({span.value for span in spans}) > 1:
            return spans
    return []


def _only(scan: Scan, meant: Span, compared: list[Span]) -> str:
    """Return a sentence with one of its compared items, without the comparing words."""
    text = scan.text
    for span in compared:
        if span is not meant:
            text = text[: span.start] + " " * len(span.text) + text[end_of(span) :]
    return _SIDE_BY_SIDE.sub(" ", text).strip()


def _days(scan: Scan) -> list[Span]:
    """Return the days of a sentence that can restrict a list."""
    return [span for span in scan.of_kind(SpanKind.DATE) if names_days(span.text)]


def _without_days_ahead(scan: Scan) -> str:
    text = scan.text
    for span in scan.of_kind(SpanKind.DATE):
        if names_days_ahead(span.text):
            text = text[: span.start] + " " * len(span.text) + text[span.start + len(span.text) :]
    return text
