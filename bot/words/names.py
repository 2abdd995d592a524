"""The names of people, roles, conversations and ERPs in settings and rules, and whether they exist.

Settings mark names in their field types, readers of rules where they read a key; the collected names are checked here,
by everything that reads them: the start, an edit of a file, ``dingerp … check`` and the doctor.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.words.phrase import Phrase, Words, join_words, phrase
from bot.words.spelling import closest, did_you_mean, is_meant


class NameKind(StrEnum):
    """What a name refers to."""

    COMMAND = "command"
    CONVERSATION = "conversation"
    DEPARTMENT = "department"
    """By id or name."""
    DEPARTMENT_ID = "department_id"
    EVENT_SOURCE = "event_source"
    PERSON = "person"
    ROLE = "role"
    """In the settings or the directory."""
    CONFIGURED_ROLE = "configured_role"
    SENDER = "sender"
    """A sender of events by webhook or queue: a name that is not an ERP's may be a sender's own."""
    SOURCE = "source"


class NameGrade(StrEnum):
    """How certain it is that a name does not exist."""

    WRONG = "wrong"
    """It cannot exist."""
    GONE = "gone"
    """The directory does not have it: an error in a check, while a bot starts although a person left."""
    DOUBTFUL = "doubtful"
    """It does not exist now."""
    UNSEEN = "unseen"
    """It may exist without the bot having seen it yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NameReference:
    """A name and its position: in ``file`` (or an environment variable) at ``line``, from 1; 0: no line."""

    kind: NameKind
    value: str
    file: str
    line: int
    key: str

    def __str__(self) -> str:
        """Return the position as text."""
        return f"{self.file} line {self.line} ({self.key})" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class NameFacts:
    """The names seen by the bot, at one moment."""

    people: Mapping[str, str]
    """Members' names by userId."""
    departments: Mapping[str, str]
    """Ids → names."""
    roles: Collection[str]
    """Members' roles in the directory."""
    conversations: Collection[str]
    """Ids of conversations in which somebody wrote, or a card was shown."""
    read_at: datetime | None
    """When the directory was last read completely; None: never, or it is being read."""


NOTHING_SEEN = NameFacts(people={}, departments={}, roles=(), conversations=(), read_at=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownNames:
    """The existing names. Kinds that are None are not checked."""

    commands: Mapping[str, str] | None = None
    """Every name and alias → the command's own name."""
    roles: Mapping[str, Collection[str]] | None = None
    """Configured role → user ids."""
    usual_roles: Mapping[str, str] = field(default_factory=dict)
    """Roles with a meaning even if nobody has them → the synonym in the other language."""
    directory_roles: bool = False
    """Whether roles from DingTalk's directory count, too."""
    sources: Collection[str] | None = None
    event_sources: Collection[str] | None = None
    conversations: Collection[str] = ()
    """Ids in the configuration."""
    facts: NameFacts | None = None
    """None: not looked up."""
    is_strict: bool = False
    """Whether names that are `GONE` are errors."""


NOTHING_KNOWN = KnownNames()


@dataclass(frozen=True, slots=True)
class NameProblem:
    """Why names do not exist; ``reference`` is the first of them."""

    reference: NameReference
    reason: Words
    is_error: bool
    is_unseen: bool = False
    """Whether they may exist without the bot having seen them yet."""

    def __str__(self) -> str:
        """Return the problem with its position, in English."""
        return str(self.words)

    @property
    def words(self) -> Phrase:
        """Return the problem with its position, as a phrase for any language."""
        file, line, reason = self.reference.file, self.reference.line, self.reason
        if line:
            reason = phrase("line %(line)s: %(reason)s", line=str(line), reason=reason)
        return phrase("%(file)s: %(problems)s", file=file, problems=reason)


@dataclass(frozen=True, slots=True)
class _Doubt:
    """The text about a doubtful name; names not seen yet are reported once per file, without naming one."""

    grade: NameGrade
    said: Words


def check_names(references: Iterable[NameReference], known: KnownNames) -> tuple[NameProblem, ...]:
    """Return the wrong and doubtful names, in order."""
    found: dict[tuple[str, str, object], tuple[_Doubt, list[NameReference]]] = {}
    for each in references:
        doubt = _CHECKS[each.kind](each.value, known)
        if doubt is not None:
            apart = "" if doubt.grade is NameGrade.UNSEEN else (each.line, each.key, each.value)
            found.setdefault((str(doubt.said), each.file, apart), (doubt, []))[1].append(each)
    return tuple(_problem(doubt, several, known) for doubt, several in found.values())


def _problem(doubt: _Doubt, several: list[NameReference], known: KnownNames) -> NameProblem:
    first = several[0]
    if doubt.grade is NameGrade.UNSEEN:
        names = tuple({str(name): name for name in map(_with_line, several)}.values())
        return NameProblem(first, phrase("%(what)s: %(names)s", what=doubt.said, names=names), False, is_unseen=True)
    is_error = doubt.grade is NameGrade.WRONG or (doubt.grade is NameGrade.GONE and known.is_strict)
    return NameProblem(first, phrase("%(key)s: %(reason)s", key=first.key, reason=doubt.said), is_error)


def _with_line(reference: NameReference) -> Words:
    name = _shown(reference.value)
    return phrase("%(name)s (line %(line)s)", name=name, line=str(reference.line)) if reference.line else name


def _shown(name: str) -> str:
    return f"{name!r:.60}"


def _check_command(word: str, known: KnownNames) -> _Doubt | None:
    if known.commands is None or known.commands.get(word) == word:
        return None
    own_name = known.commands.get(word.lstrip("/").casefold())
    hint = is_meant(f"{own_name!r}") if own_name else did_you_mean(word, sorted(set(known.commands.values())))
    said = phrase("there is no command %(name)s", name=_shown(word))
    return _Doubt(NameGrade.WRONG, join_words((said, hint)))


def _check_source(word: str, known: KnownNames) -> _Doubt | None:
    if known.sources is None or word in known.sources:
        return None
    said = phrase("no ERP is called %(name)s", name=_shown(word))
    return _Doubt(NameGrade.WRONG, join_words((said, did_you_mean(word, known.sources))))


def _check_event_source(word: str, known: KnownNames) -> _Doubt | None:
    names = known.event_sources
    if names is None or word in names or (word.endswith("*") and any(name.startswith(word[:-1]) for name in names)):
        return None
    said = phrase("no ERP, webhook or queue is called %(name)s", name=_shown(word))
    return _Doubt(NameGrade.DOUBTFUL, join_words((said, did_you_mean(word, names))))


def _check_sender(word: str, known: KnownNames) -> _Doubt | None:
    sources = known.sources or ()
    if word in sources or not (meant := closest(word, sources)):
        return None
    said = phrase("no ERP is called %(name)s, whose events would come here", name=_shown(word))
    return _Doubt(NameGrade.DOUBTFUL, join_words((said, is_meant(f"{meant[0]!r}"))))


_CONVERSATION = re.compile(r"cid[A-Za-z0-9+/=_-]+")

_SAME_CONVERSATION = 0.9
"""The similarity from which one of two ids is misspelt: they are random."""


def _check_conversation(word: str, known: KnownNames) -> _Doubt | None:
    seen = known.facts.conversations if known.facts is not None else ()
    if not _CONVERSATION.fullmatch(word):
        said = phrase(
            "%(name)s is no id of a conversation; /whoami tells it, cid… with its capitals", name=_shown(word)
        )
        return _Doubt(NameGrade.WRONG, said)
    others = () if word in known.conversations else known.conversations
    if word not in seen and (meant := closest(word, [*others, *seen], similarity=_SAME_CONVERSATION)):
        said = phrase("there is no conversation %(name)s", name=_shown(word))
        return _Doubt(NameGrade.WRONG, join_words((said, is_meant(f"{meant[0]!r}"))))
    if known.facts is None or word in seen:
        return None
    return _Doubt(NameGrade.UNSEEN, phrase("conversations in which nobody has written to the bot yet"))


def _check_person(word: str, known: KnownNames) -> _Doubt | None:
    if not word or ":" in word or "*" in word or not word.isprintable() or word.split() != [word]:
        said = phrase('%(name)s is no user id; it stands alone, an example is "manager01"', name=_shown(word))
        return _Doubt(NameGrade.WRONG, said)
    facts = known.facts
    if facts is None or word in facts.people:
        return None
    if facts.read_at is None:
        return _Doubt(
            NameGrade.UNSEEN,
            phrase("people who have not written to the bot yet, and the directory has not been read completely"),
        )
    said = phrase("the directory knows no member %(name)s", name=_shown(word))
    return _Doubt(NameGrade.GONE, join_words((said, _person_meant(word, facts.people))))


def _person_meant(word: str, people: Mapping[str, str]) -> Phrase:
    meant = tuple(user_id for user_id, name in people.items() if name == word) or closest(word, people)
    if not meant:
        return phrase("/whoami tells everybody's own")
    return is_meant(f"{meant[0]!r} ({people[meant[0]]})")


def _check_department(word: str, known: KnownNames, *, by_name: bool = True) -> _Doubt | None:
    facts = known.facts
    if facts is None or word in facts.departments or (by_name and word in facts.departments.values()):
        return None
    if facts.read_at is None:
        return _Doubt(
            NameGrade.UNSEEN,
            phrase("departments that may not exist, as the directory has not been read completely"),
        )
    ids = [each for each, name in facts.departments.items() if name == word]
    if ids:
        hint = phrase("it is known by its id here, write %(name)s", name=f"{ids[0]!r}")
    else:
        hint = did_you_mean(word, sorted({*facts.departments.values()}) if by_name else sorted(facts.departments))
    said = phrase("the directory knows no department %(name)s", name=_shown(word))
    return _Doubt(NameGrade.GONE, join_words((said, hint)))


def _check_department_id(word: str, known: KnownNames) -> _Doubt | None:
    return _check_department(word, known, by_name=False)


def _check_role(word: str, known: KnownNames) -> _Doubt | None:
    if known.roles is None or known.roles.get(word) or known.roles.get(known.usual_roles.get(word, "")):
        return None
    names = sorted({*known.roles, *known.usual_roles})
    if not known.directory_roles:
        if word in names:
            return _Doubt(NameGrade.DOUBTFUL, _unheld(word))
        said = phrase("there is no role %(name)s", name=_shown(word))
        return _Doubt(NameGrade.WRONG, join_words((said, did_you_mean(word, names))))
    if known.facts is None or word in known.facts.roles:
        return None
    if known.facts.read_at is None:
        return _Doubt(
            NameGrade.UNSEEN,
            phrase("roles that nobody in access.roles has, and the directory has not been read completely"),
        )
    said = phrase("nobody has the role %(name)s, neither in access.roles nor in the directory", name=_shown(word))
    if word in names:
        return _Doubt(NameGrade.DOUBTFUL, said)
    return _Doubt(NameGrade.GONE, join_words((said, did_you_mean(word, sorted({*names, *known.facts.roles})))))


def _unheld(role: str) -> Phrase:
    return phrase("nobody has the role %(name)s in access.roles", name=_shown(role))


def _check_configured_role(word: str, known: KnownNames) -> _Doubt | None:
    if known.roles is None or known.roles.get(word):
        return None
    with_members = sorted(role for role, members in known.roles.items() if members)
    return _Doubt(NameGrade.WRONG, join_words((_unheld(word), did_you_mean(word, with_members))))


_CHECKS: Mapping[NameKind, Callable[[str, KnownNames], _Doubt | None]] = {
    NameKind.COMMAND: _check_command,
    NameKind.CONVERSATION: _check_conversation,
    NameKind.DEPARTMENT: _check_department,
    NameKind.DEPARTMENT_ID: _check_department_id,
    NameKind.EVENT_SOURCE: _check_event_source,
    NameKind.PERSON: _check_person,
    NameKind.ROLE: _check_role,
    NameKind.CONFIGURED_ROLE: _check_configured_role,
    NameKind.SENDER: _check_sender,
    NameKind.SOURCE: _check_source,
}


def find_shared_accounts(accounts: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, str, str]]:
    """Yield person, source and first person of each account shared by several people: whose decision would it be?"""
    holders: dict[tuple[str, str], str] = {}
    for person, of_person in accounts.items():
        for source, account in of_person.items():
            first = holders.setdefault((source, account), person)
            if account and first != person:
                yield person, source, first
