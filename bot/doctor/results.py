"""Results of the doctor's checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.cards.language import choose_language, load_languages
from bot.words.phrase import Phrase


class CheckGrade(StrEnum):
    """The outcome of a check."""

    GOOD = "ok"
    NOTE = "--"
    BAD = "!!"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The finding of one check, and how to fix it."""

    what: Phrase
    grade: CheckGrade
    words: Phrase
    remedy: Phrase | None = None


def describe_results(findings: Sequence[CheckResult], language: str) -> Iterator[str]:
    """Yield the lines that describe the findings."""
    say = choose_language(load_languages(), language).say
    for finding in findings:
        yield f"[{finding.grade}] {say(finding.what)}: {say(finding.words)}"
        if finding.remedy is not None:
            yield f"     → {say(finding.remedy)}"
