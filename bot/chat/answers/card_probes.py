"""Card probes: an administrator taps what they see, which settles questions that DingTalk's pages leave open.

The card's title is a number. Everybody gets one number, and the tester another one as a private value: the tapped
number tells whether private values are delivered. The answer shows a third number in the text. If that does not appear
on another device, whose client fetches the card anew, answers to clicks are not stored.

Docs: platform/dingtalk/unknowns.md#answers-and-private-values
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from bot.cards.card import Card, CardButton, CardReply, Click
from bot.chat.answers.probe_results import ProbeResults
from bot.words.phrase import Phrase, phrase

SECOND_LOOK_AFTER = timedelta(seconds=15)
"""An earlier second tap repeats the first: nobody can have opened another device meanwhile."""

CARD_NAME = "probe"

Say = Callable[[str, Phrase], str]
"""Translates a phrase into a language."""


class ProbeTap(StrEnum):
    """What a tester sees; the token of a button."""

    PUBLIC = "probe.public"
    PRIVATE = "probe.private"
    ANSWER_THERE = "probe.answer_there"
    """The other device shows the answer's number, too."""
    ANSWER_HERE_ALONE = "probe.answer_here_alone"
    """The first device shows the answer's number, the other one does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardProbe:
    """The latest probe of a card template, and its result or that of an earlier one; None: unknown so far."""

    template: str
    track_id: str
    user_id: str
    """The tester."""
    sent_at: datetime
    looked_at: datetime | None = None
    """When they first tapped a number."""
    private_values: bool | None = None
    own_answers: bool | None = None


class CardProbeStore(Protocol):
    """Stores one probe per template; raises a `bot.words.errors.DingerpError` when unavailable."""

    def known(self) -> Mapping[str, CardProbe]:
        """Return the probes by template, as last loaded."""
        ...

    async def load(self) -> None:
        """Load them again."""
        ...

    async def put(self, probe: CardProbe) -> None:
        """Store a probe in place of the template's last one."""
        ...


def confirmed_ways(probes: Mapping[str, CardProbe], templates: Collection[str]) -> ProbeResults:
    """Return the results confirmed for all these templates: cards of any of them may be on one path."""
    found = [probes.get(template) for template in templates]
    return ProbeResults(
        private_values=all(probe is not None and probe.private_values is True for probe in found),
        own_answers=all(probe is not None and probe.own_answers is True for probe in found),
    )


@dataclass(frozen=True, slots=True)
class ProbeNumbers:
    """Three different four-digit numbers derived from the card's id."""

    public: str
    private: str
    answer: str

    @classmethod
    def of(cls, track_id: str) -> ProbeNumbers:
        digest = int.from_bytes(hashlib.sha256(track_id.encode()).digest()[:8], "big")
        first = 1000 + digest % 9000
        step = 1 + digest // 9000 % 2999
        public, private, answer = (1000 + (first - 1000 + step * turn) % 9000 for turn in range(3))
        return cls(str(public), str(private), str(answer))


def probe_card(number: str, numbers: ProbeNumbers, language: str, say: Say) -> Card:
    """Return the card as seen by a person for whom its title is ``number``."""
    choices = sorted([(numbers.public, ProbeTap.PUBLIC), (numbers.private, ProbeTap.PRIVATE)])
    return _card(
        say(language, phrase("Trial of the cards: %(number)s", number=number)),
        say(language, phrase("Which number stands in the title? Please tap the same number below.")),
        tuple(CardButton(text, "blue", token=tap) for text, tap in choices),
        language,
    )


def _card(title: str, body: str, buttons: tuple[CardButton, ...], language: str) -> Card:
    twin = f"{title}\n\n{body}"
    return Card(
        name=CARD_NAME, language=language, title=title, body=body, tips="", buttons=buttons, twin=twin, fields={}
    )


class CardProbes:
    """Answers taps on probe cards."""

    def __init__(self, store: CardProbeStore, *, now: Callable[[], datetime], say: Say) -> None:
        self._store = store
        self._now = now
        self._say = say

    async def answer(self, click: Click, language: str) -> CardReply:
        """Record what the tester sees and return the card's next state; nothing for a replaced probe.

        Raises a `bot.words.errors.DingerpError` when the store is unavailable: the card then stays unchanged.
        """
        await self._store.load()
        probe = next((each for each in self._store.known().values() if each.track_id == click.track_id), None)
        try:
            tap = ProbeTap(click.token)
        except ValueError:
            tap = None
        if probe is None or tap is None:
            return CardReply(shown=self._end(language, phrase("A newer trial has taken its place.")))
        noted, card = self._judge(probe, tap, language)
        if noted != probe:
            await self._store.put(noted)
        return CardReply(shown=card)

    def _judge(self, probe: CardProbe, tap: ProbeTap, language: str) -> tuple[CardProbe, Card]:
        now, numbers = self._now(), ProbeNumbers.of(probe.track_id)
        if tap is ProbeTap.ANSWER_THERE:
            noted = replace(probe, own_answers=False)
            return noted, self._end(language, _told(noted))
        if probe.looked_at is None or now - probe.looked_at < SECOND_LOOK_AFTER:
            first = replace(probe, looked_at=probe.looked_at or now, private_values=tap is ProbeTap.PRIVATE)
            return first, self._ask_elsewhere(numbers, language)
        if tap is ProbeTap.ANSWER_HERE_ALONE:
            noted = replace(probe, own_answers=True)
            return noted, self._end(language, _told(noted))
        return probe, self._ask_again(numbers, language)

    def _ask_elsewhere(self, numbers: ProbeNumbers, language: str) -> Card:
        """Return the card after the first look: its text has the third number, since a private value may cover the
        title.
        """
        words = phrase(
            "Thank you, that is noted. Number of this device: **%(number)s**. Leave this card open, and open this chat"
            " on a second device that has not shown it yet: best one where DingTalk was just installed. If this text"
            " stands there as well, tap the button. If two numbers stand there as buttons, tap one of them there.",
            number=numbers.answer,
        )
        button = CardButton(self._say(language, phrase("The same text there")), "blue", token=ProbeTap.ANSWER_THERE)
        return _card(self._say(language, phrase("Trial of the cards")), self._say(language, words), (button,), language)

    def _ask_again(self, numbers: ProbeNumbers, language: str) -> Card:
        """Return the card on the second device: it has to be certain that the first one received the answer at all."""
        words = phrase(
            "Does the card on your first device show the number %(number)s, and is this a second device? Only then tap"
            " the button. Otherwise leave it, and start the trial once more.",
            number=numbers.answer,
        )
        title = self._say(language, phrase("Trial of the cards: second look"))
        text = self._say(language, phrase("Yes, %(number)s stands there alone", number=numbers.answer))
        button = CardButton(text, "blue", token=ProbeTap.ANSWER_HERE_ALONE)
        return _card(title, self._say(language, words), (button,), language)

    def _end(self, language: str, words: Phrase) -> Card:
        return _card(self._say(language, phrase("Trial of the cards")), self._say(language, words), (), language)


def _told(probe: CardProbe) -> Phrase:
    return phrase(
        "Thank you. %(private)s %(answers)s",
        private=private_words(probe.private_values),
        answers=answer_words(probe.own_answers),
    )


def say_outcome(known: Mapping[str, CardProbe], templates: Iterable[str]) -> Phrase:
    """Return what people have seen on the cards of all templates in use; a result not shown by all is unknown."""
    probes = [known.get(template) for template in templates]
    private = _of_all([probe.private_values if probe else None for probe in probes])
    return phrase(
        "%(private)s %(answers)s",
        private=private_words(private),
        answers=answer_words(_of_all([probe.own_answers if probe else None for probe in probes])),
    )


def _of_all(seen: Collection[bool | None]) -> bool | None:
    if False in seen:
        return False
    return None if None in seen or not seen else True


def private_words(seen: bool | None) -> Phrase:
    """Return the finding on values for single people."""
    if seen is None:
        return phrase("Whether values for single people arrive is not known.")
    if seen:
        return phrase("Values for single people arrive.")
    return phrase("Values for single people do not arrive: nobody gets any.")


def answer_words(seen: bool | None) -> Phrase:
    """Return the finding on answers to taps."""
    if seen is None:
        return phrase("Whether others see the answer to a tap is not known.")
    if seen:
        return phrase("The answer to a tap is seen by nobody else.")
    return phrase("The answer to a tap is stored: others see it, so it shows what all may see.")
