"""Who created documents, in sentences: 李娜开的订单, "orders created by Li Na", 谁开的单; and their lines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.chat.parsing import MAX_LINE_BYTES, quote
from bot.chat.questions.reading import Understood
from bot.chat.records.created_by import ME, WHO, CreatedBy
from bot.understanding.scanning.recognition import Recognition, end_of
from bot.understanding.scanning.spans import MASK, Scan, SpanKind

_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱郭罗宋郑谢韩唐冯董萧曹袁邓傅沈曾彭吕"
    "苏卢蒋蔡贾丁魏薛阎潘杜戴汪田姜范姚谭廖邹熊陆郝孔崔邱秦史顾侯邵孟龙汤尹黎武乔贺赖龚关"
)
CREATOR = "creator"
"""The kind of what was understood of it."""
_CREATED = r"(?:created|entered|raised|issued|opened|prepared|keyed in|drawn up)"
_DONE = re.compile(
    rf"(?P<zh>(?:开|制|建|录)(?:出来?|好|了|单|入)?的(?!钱)|(?:创建|新建|制作|录入|制单|开单)了?的)"
    rf"|(?<=\s)(?:(?:have|has|had) )?{_CREATED}\b(?! by)",
    re.IGNORECASE,
)
"""Said after who it was."""
_DONE_BY = re.compile(
    r"(?:制单|开单|创建|录入|建单)[人员者]?\s?(?:是|为|:)?\s?"
    rf"|(?:(?:that|which) )?(?:(?:were|was|are|is) )?{_CREATED} by\s+",
    re.IGNORECASE,
)
"""Said before who it was."""
_ASKER = re.compile(r"(?<![给帮替跟])我(?:自己|本人)?|\b(?:me|i|myself)\b", re.IGNORECASE)
_ANYBODY = re.compile(r"谁|\bwhom?\b", re.IGNORECASE)
_STRANGER = re.compile(rf"[{_SURNAMES}][\u4e00-\u9fff]{{1,2}}?(?=[开制建录创新的]|$)|[A-Z]\w+(?: [A-Z]\w+)?")
_SPELLED = re.compile(r"(?<=by )[a-z]+(?: [a-z]+)?")
_BETWEEN = re.compile(r"[都也是由\s]*(?:亲手|自己|本人|have|has)?\s*")
"""Said between somebody and what they did, beside days."""
ANY_CREATOR = re.compile(
    r"(?:不管|无论|不论)是?谁(?:开|制|建|录)的?.*|(?:所有|全部)人(?:开|制|建|录)?的"
    r"|(?:of |by )?(?:anybody|anyone|everybody)(?:'s)?",
    re.IGNORECASE,
)
"""Says that it does not matter who created the documents of a list."""


@dataclass(frozen=True, slots=True)
class SpokenCreator:
    """Somebody who created documents, as a line names them, and the ``rest`` of the sentence without them."""

    name: str
    said: str
    rest: str

    @property
    def understood(self) -> Understood:
        """The understood part."""
        return Understood(CREATOR, self.said, self.name)

    def held_by(self, line: str, recognition: Recognition) -> str:
        """Return a line with it; empty if its command lists no documents."""
        name = recognition.commands.parse(line).command
        held = f"{line} {quote(f'{CreatedBy.prefix}{self.name}')}"
        fits = name is not None and recognition.takes(CreatedBy, name) and len(held.encode()) <= MAX_LINE_BYTES
        return held if fits else ""


def find_creator(text: str, recognition: Recognition) -> SpokenCreator | None:
    """Return who is said to have created documents; None where nobody is, and of a single document."""
    if not (_DONE.search(text) or _DONE_BY.search(text)):
        return None
    scan = recognition.scan(text)
    if len(scan.text) != len(text) or scan.of_kind(SpanKind.DOCUMENT):
        return None  # its card tells who created it
    people = sorted(_people(scan, recognition), reverse=True)
    for done in _DONE.finditer(text):
        for start, end, name in people:
            if end <= done.start() and _BETWEEN.fullmatch(_dateless(scan, end, done.start())):
                between = text[end : done.start()].strip()
                rest = f"{text[:start]} {between}{'的' if done['zh'] else ''}{text[done.end() :]}"
                return SpokenCreator(name, text[start : done.end()], rest.strip())
    for done in _DONE_BY.finditer(text):
        for start, end, name in people:
            if done.end() == start:
                rest = f"{text[: done.start()]} {text[end:]}"
                return SpokenCreator(name, text[done.start() : end], " ".join(rest.split()))
    return None


def _people(scan: Scan, recognition: Recognition) -> Iterator[tuple[int, int, str]]:
    """Yield where somebody is named, and how a line names them."""
    for span in scan.of_kind(SpanKind.PERSON):
        yield span.start, end_of(span), span.value
    for pattern, name in ((_ASKER, ME), (_ANYBODY, WHO)):
        for match in pattern.finditer(scan.text):
            yield match.start(), match.end(), name
    for match in _SPELLED.finditer(scan.text):
        if (name := _as_spelled(match[0], recognition)) != match[0]:
            yield match.start(), match.end(), name
    for match in _STRANGER.finditer(scan.text):
        taken = (span for span in scan.spans if span.kind not in {SpanKind.NAME, SpanKind.PERSON})
        if not any(span.start < match.end() and match.start() < end_of(span) for span in taken):
            yield match.start(), match.end(), _as_spelled(match[0], recognition)


def _as_spelled(said: str, recognition: Recognition) -> str:
    """Return the name that is said by its syllables, such as Li Na; what is said where nobody has such a name."""
    letters, vocabulary = said.casefold().replace(" ", ""), recognition.vocabulary
    spelled = (name for name in vocabulary.people.values() if letters in vocabulary.pinyin.get(name, "").split())
    return next(spelled, said)


def _dateless(scan: Scan, start: int, end: int) -> str:
    """Return a part of a sentence without its days."""
    text = scan.text
    for span in scan.of_kind(SpanKind.DATE):
        text = text[: span.start] + MASK * len(span.text) + text[end_of(span) :]
    return text[start:end].replace(MASK, "")
