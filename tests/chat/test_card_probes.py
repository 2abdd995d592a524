"""The probe: what a tester's taps say, in whichever order they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.cards.card import Card, Click
from bot.cards.track_ids import TrackIds
from bot.chat.answers.card_probes import CardProbe, CardProbes, ProbeNumbers, ProbeTap, confirmed_ways, probe_card
from bot.chat.answers.probe_results import ProbeResults
from tests.rows import each_row

TRACK = TrackIds("secret").for_probe("t\0now", "it01")
NUMBERS = ProbeNumbers.of(TRACK)
SENT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
PUBLIC, PRIVATE, THERE, ALONE = ProbeTap.PUBLIC, ProbeTap.PRIVATE, ProbeTap.ANSWER_THERE, ProbeTap.ANSWER_HERE_ALONE


@dataclass(slots=True)
class MemoryProbes:
    probes: dict[str, CardProbe] = field(default_factory=dict)

    def known(self) -> Mapping[str, CardProbe]:
        return self.probes

    async def load(self) -> None:
        """Nothing changes elsewhere."""

    async def put(self, probe: CardProbe) -> None:
        self.probes[probe.template] = probe


async def tapped(taps: Sequence[tuple[int, str]], before: CardProbe) -> tuple[CardProbe, list[Card]]:
    """Return the probe and the cards after taps, each at its second."""
    store, clock, shown = MemoryProbes({"t": before}), [SENT], []
    probes = CardProbes(store, now=lambda: clock[0], say=lambda language, words: str(words))
    for second, token in taps:
        clock[0] = SENT + timedelta(seconds=second)
        click = Click(track_id=TRACK, user_id="it01", corp_id="c", token=token)
        reply = await probes.answer(click, "en")
        assert reply.shown is not None
        shown.append(reply.shown)
    return store.probes["t"], shown


ALL = ProbeResults(private_values=True, own_answers=True)
NEW = CardProbe(template="t", track_id=TRACK, user_id="it01", sent_at=SENT)


@each_row(
    ("taps", "private_values", "own_answers"),
    [
        ([], None, None),
        ([(5, PUBLIC)], False, None),
        ([(5, PRIVATE)], True, None),
        ([(5, PRIVATE), (6, PRIVATE)], True, None),  # an impatient second tap
        ([(5, PUBLIC), (7, PRIVATE)], True, None),  # they looked again
        ([(5, PRIVATE), (60, THERE)], True, False),
        ([(5, PRIVATE), (60, PUBLIC)], True, None),  # on a second device, or again on the first: it asks
        ([(5, PRIVATE), (60, PRIVATE), (70, ALONE)], True, True),
        ([(5, PUBLIC), (60, PUBLIC), (70, ALONE)], False, True),
        ([(5, PRIVATE), (60, THERE), (70, ALONE)], True, True),  # it was seen after all
        ([(5, ALONE)], False, None),  # nothing can be said before the first look
        ([(5, PRIVATE), (6, "probe.other")], True, None),
    ],
)
async def test_what_taps_say(
    taps: Sequence[tuple[int, str]], private_values: bool | None, own_answers: bool | None
) -> None:
    probe, _ = await tapped(taps, NEW)
    assert (probe.private_values, probe.own_answers) == (private_values, own_answers)


async def test_what_was_known_before_holds_until_somebody_says_otherwise() -> None:
    known = replace(NEW, private_values=True, own_answers=True)
    assert (await tapped([], known))[0] == known
    probe, _ = await tapped([(5, PUBLIC)], known)
    assert (probe.private_values, probe.own_answers) == (False, True)


async def test_the_answer_shows_the_third_number_and_asks_for_another_device() -> None:
    _, (first, again) = await tapped([(5, PRIVATE), (60, PRIVATE)], NEW)
    assert NUMBERS.answer in first.body, "the title may be covered by a value of the tester's own"
    assert [button.token for button in first.buttons] == [THERE]
    assert "second device" in first.body
    assert [button.token for button in again.buttons] == [ALONE]


def test_the_card_does_not_tell_which_number_is_whose() -> None:
    cards = [probe_card(number, NUMBERS, "en", lambda _, words: str(words)) for number in (NUMBERS.public, "")]
    assert [[button.text for button in card.buttons] for card in cards] == [
        sorted([NUMBERS.public, NUMBERS.private])
    ] * 2


@pytest.mark.parametrize("number", range(50))
def test_three_different_numbers(number: int) -> None:
    found = ProbeNumbers.of(TrackIds("secret").for_probe(str(number), "it01"))
    numbers = {found.public, found.private, found.answer}
    assert len(numbers) == 3
    assert all(len(each) == 4 for each in numbers)


async def test_an_older_card_says_nothing() -> None:
    newer = replace(NEW, track_id=TrackIds("secret").for_probe("t\0later", "it01"))
    probe, [card] = await tapped([(5, PRIVATE)], newer)
    assert probe == newer
    assert not card.buttons


@each_row(
    ("known", "ways"),
    [
        ({}, ProbeResults()),
        ({"a": (True, True)}, ProbeResults()),
        ({"a": (True, True), "b": (True, None)}, ProbeResults(private_values=True)),
        ({"a": (True, True), "b": (False, True)}, ProbeResults(own_answers=True)),
        (
            {"a": (True, True), "b": (True, True), "gone": (False, False)},
            ProbeResults(private_values=True, own_answers=True),
        ),
    ],
)
def test_what_is_confirmed_holds_for_all_templates_in_use(
    known: Mapping[str, tuple[bool | None, bool | None]], ways: ProbeResults
) -> None:
    probes = {
        template: replace(NEW, template=template, private_values=private, own_answers=own)
        for template, (private, own) in known.items()
    }
    assert confirmed_ways(probes, {"a", "b"}) == ways


def test_a_probe_is_for_one_person() -> None:
    tracks = TrackIds("secret")
    assert tracks.is_ours(TRACK)
    assert tracks.is_probe_for(TRACK, "it01")
    assert not tracks.is_probe_for(TRACK, "it02")
    assert not tracks.is_probe_for(tracks.for_message("m", "it01"), "it01")
