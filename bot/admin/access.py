"""``dingerp access``: reads access rules and explains what they mean for a person."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bot.access.grants import Grant
from bot.access.loader import AccessRuleSet, review_access
from bot.access.people import Person
from bot.access.policy import AccessPolicy, AccessRequest, AccessVerdict, ConsideredRule
from bot.access.wording import describe_scope
from bot.admin.inputs import read_content
from bot.admin.output import at, describe_names, escape_invisible, say_lines, warning
from bot.admin.rules_in_force import warn_of_lost, warn_of_unread
from bot.bootstrap.access import AccessNotChosen, choose_policy, make_access_policy, review_configured
from bot.bootstrap.closed_groups import tell_closed
from bot.bootstrap.names import known_names, look_for_facts, review_settings
from bot.bootstrap.rule_places import refuse_missing
from bot.bootstrap.rules import ACCESS
from bot.cards.language import Language, choose_language, load_languages
from bot.cards.status_labels import status_label
from bot.chat.message import Conversation, ConversationKind
from bot.chat.registry import AnyCommand, Commands
from bot.rulefiles.document import Reviewed
from bot.rulefiles.errors import RuleProblem, RulesError, did_you_mean
from bot.rulefiles.followed_file import find_files
from bot.settings import Settings, load_settings
from bot.words.disclosure import FieldClass
from bot.words.errors import ConfigurationError
from bot.words.phrase import Phrase, Say, Words, phrase


async def check_access(settings: Settings, file: Path | None, say: Say = str) -> tuple[bool, list[str]]:
    """Return whether the rules are valid, and lines with confirmation, warnings, or every error.

    ``file`` is a rule file or a whole configuration; without it, both that are in force are read.
    """
    if file is not None and "access" in _tables(file):
        settings, file = load_settings(file), None
    fine, lines = await _check_all(settings, file)
    return fine, say_lines(lines, say)


async def _check_all(settings: Settings, file: Path | None) -> tuple[bool, list[Words]]:
    known = known_names(settings, Commands.discover(), await look_for_facts(settings), is_strict=True)
    path = file or next(iter(find_files(settings.access_rules)), None)
    lines: list[Words] = []
    rule_sets: list[AccessRuleSet] = []
    fine = True
    if file is None:
        refuse_missing("access.file", settings.access.file)
        where = settings.file or phrase("configuration")
        try:
            review = review_configured(settings, known)
            rule_sets.append(review.rules)
            lines += _summary(where, review)
        except RulesError as error:
            fine = False
            lines += _problems(where, error.problems)
        except ConfigurationError as error:
            fine = False
            lines.append(error.explain())
    if path is not None:
        try:
            review = review_access(read_content(path), known, name=str(path))
            rule_sets.append(review.rules)
            lines += _summary(path, review)
        except RulesError as error:
            fine = False
            lines += _problems(path, error.problems)
    if file is None:
        lost = await warn_of_lost(settings, known, ACCESS) if fine else []
        names_fine, told = describe_names(review_settings(settings, known))
        fine, lines = fine and names_fine and not lost, [*lines, *lost, *told]
    if fine and file is None:
        try:
            lines += _closed_commands(choose_policy(settings, rule_sets))
        except AccessNotChosen as error:
            fine = False
            lines.append(error.explain())
    if file is None:
        lines += [*map(warning, await tell_closed(settings) if fine else ()), *warn_of_unread(settings.access_rules)]
    return fine, lines


def _closed_commands(policy: AccessPolicy) -> Iterator[Words]:
    if policy.closed:
        commands = tuple(f"/{command}" for command in policy.closed)
        yield phrase("closed to everybody, since no rule allows them to anybody: %(commands)s", commands=commands)


def _tables(file: Path) -> dict[str, object]:
    with suppress(ValueError):
        return tomllib.loads(read_content(file).decode("utf-8-sig"))
    return {}  # what is wrong with it is told when it is read as rules


def _summary(where: Path | Words, review: Reviewed[AccessRuleSet]) -> Iterator[Words]:
    rule_set, count = review.rules, len(review.rules.rules)
    switches = (("presets", rule_set.presets), ("open", rule_set.open), ("read_only", rule_set.read_only))
    counted = phrase("1 rule") if count == 1 else phrase("%(count)s rules", count=count)
    yield at(where, phrase("fine, %(said)s", said=(counted, *(name for name, chosen in switches if chosen))))
    for each in review.warnings:
        yield at(f"{where}:{each.line}", warning(each.reason))


def _problems(where: Path | Words, problems: tuple[RuleProblem, ...]) -> Iterator[Words]:
    for problem in problems:
        yield at(f"{where}:{problem.line}", problem.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessQuestion:
    """Who wants to do what where. ``roles`` and ``departments`` replace those of the directory."""

    user_id: str
    line: str
    conversation_id: str = ""
    roles: tuple[str, ...] = ()
    departments: tuple[str, ...] = ()


def explain_access(settings: Settings, question: AccessQuestion) -> list[str]:
    """Return the verdict on a command with its reasons in both languages, the rules, and what would be visible.

    Raises `ConfigurationError` for wrong rules and for an unknown command.
    """
    commands = Commands.discover()
    policy = make_access_policy(settings)
    command = _find_command(commands, question.line)
    person = Person(
        user_id=question.user_id,
        name=question.user_id,
        roles=frozenset(question.roles),
        departments=frozenset(question.departments),
    )
    request = command.request(Conversation(question.conversation_id, ConversationKind.GROUP))
    explained = _Explained(
        policy=policy,
        person=person,
        request=request,
        shows=command.shows,
        verdict=policy.decide(person, request),
        considered=policy.consider(person, request),
        languages=_languages(),
    )
    return [escape_invisible(line) for line in explained.lines()]


def _find_command(commands: Commands, line: str) -> AnyCommand:
    word = line.split(maxsplit=1)[0] if line.strip() else ""
    found = commands.named("/" + word.lstrip("/"))
    if found is None:
        raise ConfigurationError(f"there is no command {word!r}; {did_you_mean(word.lstrip('/'), [*commands])}")
    return found


def _languages() -> tuple[Language, Language]:
    known = load_languages()
    return choose_language(known, "en"), choose_language(known, "zh_CN")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Explained:
    policy: AccessPolicy
    person: Person
    request: AccessRequest
    shows: tuple[str, ...]
    verdict: AccessVerdict
    considered: tuple[ConsideredRule, ...]
    languages: tuple[Language, Language]

    def lines(self) -> Iterator[str]:
        may = "may" if self.verdict.allowed else "may not"
        yield f"{self.person.user_id} {may} use /{self.request.command}"
        yield f"  why: {self._say(self.verdict.reason)}"
        if self.verdict.ask:
            yield f"  ask: {', '.join(self.verdict.ask)}"
        yield f"  decided by: {self.verdict.rule}"
        yield f"  roles: {', '.join(self._roles()) or 'none; --role gives those of the directory'}"
        if self.verdict.allowed:
            yield from self._visible()
        yield f"  a group sees: {self._sees(self._shared(outsiders=False))}"
        yield f"  a group with outsiders sees: {self._sees(self._shared(outsiders=True))}"
        for considered in self.considered:
            yield f"  rule “{considered.rule.name}” {_effect(considered)}"

    def _visible(self) -> Iterator[str]:
        """Yield what they see: for documents of other commands, what the rules on those allow."""
        documents = [each for each in self.shows if each != self.request.command]
        granted = any(each.rule.allows and each.names_person and each.holds_here for each in self.considered)
        if granted or not documents:
            yield f"  sees: {self._sees(self.verdict.grant)}"
        for command in documents:
            verdict = self.policy.decide_area(self.person, command, self.request.conversation_id)
            yield f"  sees of what /{command} shows: {self._sees(verdict.grant)}, decided by: {verdict.rule}"

    def _roles(self) -> Iterator[str]:
        configured = self.policy.configured_roles(self.person)
        for role in sorted(self.policy.roles_of(self.person)):
            yield f"{role} (configuration)" if role in configured else role

    def _shared(self, *, outsiders: bool) -> Grant:
        return self.policy.shared_answer(
            self.request.conversation_id, self.request.command, self.shows, outsiders=outsiders
        )

    def _sees(self, grant: Grant) -> str:
        if not grant.scopes:
            return "nothing"
        fields = ", ".join(self._say(status_label(field)) for field in FieldClass if field in grant.fields)
        scopes = (", ".join(map(self._say, describe_scope(scope))) for scope in grant.scopes)
        return f"{fields or 'no figures or names'}, of {' or '.join(scope or 'all documents' for scope in scopes)}"

    def _say(self, words: Phrase | str) -> str:
        if isinstance(words, str):
            return words
        english, chinese = self.languages
        return f"{english.say(words)} / {chinese.say(words)}"


def _effect(considered: ConsideredRule) -> str:
    rule = considered.rule
    taken = "the command" if rule.takes_command else ", ".join(sorted(rule.fields or ()))
    does = "is about shared cards" if rule.shared else "allows" if rule.allows else f"denies {taken}"
    if not considered.holds_here:
        return f"{does}, in other conversations"
    return does if rule.shared or considered.names_person else f"{does}, to others"
