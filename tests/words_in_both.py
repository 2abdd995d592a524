"""What people are told has words in both languages, in all its parts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.cards.language import choose_language, load_languages
from bot.rulefiles.errors import RuleProblem
from bot.words.phrase import Phrase

_CHINESE = re.compile("[\u4e00-\u9fff]")


def told(problems: Iterable[RuleProblem]) -> list[str]:
    """Return problems in English, each of which has Chinese words."""
    found = [*problems]
    say = choose_language(load_languages(), "zh_CN").say
    for each in found:
        assert isinstance(each.reason, Phrase), f"it has no Chinese words: {each.reason}"
        assert _CHINESE.search(say(each.reason)), say(each.reason)
    return [*map(str, found)]
