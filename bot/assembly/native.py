"""DingTalk's own approvals, where the company wants them."""

from __future__ import annotations

from bot.approvals.book import Books
from bot.approvals.native.companion import Companion
from bot.approvals.native.matching import Fields
from bot.approvals.service import ApprovalDesk
from bot.assembly.base import Base
from bot.cards.language import choose
from bot.dingtalk.workflow import Workflow
from bot.phrase import Phrase
from bot.store.native import StoredNativeRecords


def furnish_native(base: Base, desk: ApprovalDesk, books: Books) -> Companion | None:
    """Return what keeps them in step with the cases; None where none are wanted."""
    native = base.settings.approvals.native
    if not native.process:
        return None
    language = choose(base.languages, base.settings.language)

    def say(words: Phrase) -> str:
        return language.say(words)

    return Companion(
        desk,
        books,
        Workflow(base.api, process=native.process, case_field=native.fields.case),
        StoredNativeRecords(base.database),
        fields=Fields(**native.fields.model_dump()),
        originator=native.originator,
        say=say,
        now=base.now,
        metrics=base.metrics,
    )
