"""/lang: the language in which somebody reads the bot's cards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bot.cards.actions import Ask
from bot.cards.view import Button, View
from bot.chat.arguments import Keyword
from bot.chat.context import QuestionContext
from bot.chat.languages import LANGUAGES, LanguageChoice
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.words.phrase import phrase


class LanguageName(Keyword):
    """The languages by every name that people give them."""

    ZH = phrase("zh"), "cn", "zh_cn", "zh-cn", "zh-hans", "chinese", "中文", "汉语", "简体中文", "中", "zw"
    EN = phrase("en"), "en_us", "en-us", "en_gb", "en-gb", "english", "英文", "英语", "英", "yw"


_CODES = {LanguageName.ZH: "zh_CN", LanguageName.EN: "en"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Lang(View):
    """The person's language; one ``chosen`` just now holds from this very card on."""

    card: ClassVar[str] = "lang"

    language: str
    chosen: bool
    others: tuple[LanguageName, ...]

    def buttons(self) -> Sequence[Button]:
        return [Button(LANGUAGES[_CODES[word]], Ask(command_line("lang", word))) for word in self.others]


@command(
    "lang",
    aliases=("语言", "yy", "language"),
    examples=("/lang en", "/语言 中文"),
    changes=True,
    shows=(),
    summary=phrase("Your language"),
    place=90,
)
async def lang(tongue: LanguageName | None = None, *, context: QuestionContext, choice: LanguageChoice) -> View:
    """Show the person's language, or set it."""
    code = _CODES[tongue] if tongue else context.person.language
    if tongue and context.person.user_id:
        await choice.choose(context.person.user_id, code)
    return Lang(
        language=LANGUAGES.get(code, code),
        chosen=tongue is not None,
        others=tuple(word for word, known in _CODES.items() if known != code),
    )
