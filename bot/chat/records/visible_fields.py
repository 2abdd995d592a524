"""What a person may see of documents that another command shows."""

from __future__ import annotations

from bot.access.policy import AccessPolicy
from bot.chat.context import QuestionContext
from bot.disclosure import ALL_FIELDS, FieldClass


def visible_fields(policy: AccessPolicy, context: QuestionContext, *commands: str) -> frozenset[FieldClass]:
    """Return the classes that the rules on all of these commands leave to the asker.

    A command that the asker may not use takes nothing away: of its documents none is found.
    """
    verdicts = [policy.decide_area(context.person, name, context.conversation.id) for name in commands]
    return ALL_FIELDS.intersection(*(verdict.grant.fields for verdict in verdicts if verdict.allowed))
