"""The rules of alerts and of approvals, and the questions of the company's own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.options import ConfigOption, OutputFormat, command_group, read_settings, say_in_terminal

if TYPE_CHECKING:
    from bot.settings import Settings


def _print_with_running(lines: list[str], settings: Settings, *names: str) -> None:
    """Print what was found, and what the running bot says of the rules with these names."""
    from bot.admin.rules_in_force import describe_running_rules

    running = asyncio.run(describe_running_rules(settings, *names, say=say_in_terminal)) if names else []
    print("\n".join([*lines, *running]))


route_commands = command_group("The rules by which alerts find their places.")


@route_commands.command("check")
def check_routes(
    file: Annotated[Path | None, typer.Argument(help="File of the rules; by default the one in force.")] = None,
    config: ConfigOption = None,
) -> None:
    """Read the alert rules and name every error with its line; exit code 1 if there is one."""
    from bot.admin.route_check import check_rules

    settings = read_settings(config)
    fine, lines = asyncio.run(check_rules(settings, file, say_in_terminal))
    _print_with_running(lines, settings, *(() if file else ("alert rules",)))
    raise SystemExit(int(not fine))


@route_commands.command("test")
def explain_routes(
    event: Annotated[Path, typer.Argument(help="File with one CloudEvent, or a list of them, as JSON.")],
    config: ConfigOption = None,
    rules: Annotated[Path | None, typer.Option(help="File of the rules; by default the one in force.")] = None,
    at: Annotated[str, typer.Option(help="When it would come, such as 2026-10-01T08:30; by default now.")] = "",
    source: Annotated[str, typer.Option(help="Name of the source that it would come from.")] = "main",
    as_: Annotated[OutputFormat, typer.Option("--as", help="What to print.")] = OutputFormat.TEXT,
) -> None:
    """Say where an event would go, when and why, without sending; exit code 1 if it cannot be understood."""
    from bot.admin.route_check import try_routes

    fine, lines = try_routes(read_settings(config), event, rules=rules, at=at, source=source, form=as_.value)
    print("\n".join(lines))
    raise SystemExit(int(not fine))


access_commands = command_group("The rules by which people may see and do things.")


@access_commands.command("check")
def check_access_rules(
    file: Annotated[
        Path | None,
        typer.Argument(help="File of rules, or a whole configuration; by default all that is in force."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Read the access rules and name every error with file, line and the nearest word; exit code 1 if there is one."""
    from bot.admin.access import check_access

    settings = read_settings(config)
    fine, lines = asyncio.run(check_access(settings, file, say_in_terminal))
    _print_with_running(lines, settings, *(() if file else ("configuration", "access rules")))
    raise SystemExit(int(not fine))


@access_commands.command("explain")
def explain_access_rules(
    user: Annotated[str, typer.Argument(help="User id of the person.")],
    line: Annotated[str, typer.Argument(metavar="COMMAND", help="What they type, such as “/po PO-1001”.")],
    config: ConfigOption = None,
    conversation: Annotated[str, typer.Option(help="Id of the conversation; by default one that no rule names.")] = "",
    role: Annotated[
        list[str] | None, typer.Option(help="A role that the directory gives them; may be said several times.")
    ] = None,
    department: Annotated[
        list[str] | None, typer.Option(help="A department of theirs; may be said several times.")
    ] = None,
) -> None:
    """Say whether somebody may use a command, why, by which rules, and what they and a group see of its answer."""
    from bot.admin.access import AccessQuestion, explain_access

    question = AccessQuestion(
        user_id=user,
        line=line,
        conversation_id=conversation,
        roles=tuple(role or ()),
        departments=tuple(department or ()),
    )
    settings = read_settings(config)
    _print_with_running(explain_access(settings, question), settings, "configuration", "access rules")


@access_commands.command("outsiders")
def list_outsider_groups(config: ConfigOption = None) -> None:
    """List the groups in which people from outside the organisation are known to be."""
    from bot.admin.outsiders import list_outsider_groups

    print("\n".join(asyncio.run(list_outsider_groups(read_settings(config)))))


@access_commands.command("unmark")
def unmark_outsider_group(
    conversation: Annotated[str, typer.Argument(help="Id of the group.")],
    reason: Annotated[str, typer.Option(help="Why nobody from outside is there any more.")],
    config: ConfigOption = None,
) -> None:
    """Take a group for one without people from outside, until the next one writes or taps there."""
    from bot.admin.outsiders import unmark

    print("\n".join(asyncio.run(unmark(read_settings(config), conversation, reason))))


policy_commands = command_group("The rules by which documents are decided.")


@policy_commands.command("check")
def check_policy_rules(
    file: Annotated[Path | None, typer.Argument(help="File of the rules; by default the one in force.")] = None,
    config: ConfigOption = None,
) -> None:
    """Read the approval rules and name every error with its line; exit code 1 if there is one."""
    from bot.admin.policy_context import check_policy

    settings = read_settings(config)
    fine, lines = asyncio.run(check_policy(settings, file, say_in_terminal))
    _print_with_running(lines, settings, *(() if file else ("approval rules",)))
    raise SystemExit(int(not fine))


@policy_commands.command("explain")
def explain_policy(
    number: Annotated[str, typer.Argument(help="Number of a document.")],
    config: ConfigOption = None,
    user: Annotated[str, typer.Option(help="User id: also say what this person may do now, and why.")] = "",
    source: Annotated[str, typer.Option(help="ERP of the order; by default the first that has it.")] = "",
    rules: Annotated[
        Path | None, typer.Option(help="File of the rules; by default the one in force, and the open case.")
    ] = None,
) -> None:
    """Say which rule decides about a document and why, who is named, and who may decide."""
    from bot.admin.policy_explain import explain_document

    settings = read_settings(config)
    lines = asyncio.run(explain_document(settings, number, user=user, source=source, rules=rules))
    _print_with_running(lines, settings, *(() if rules else ("approval rules",)))


@policy_commands.command("replay")
def replay_policy(
    rules: Annotated[Path, typer.Option(help="File of the new rules.")],
    config: ConfigOption = None,
    since: Annotated[str, typer.Option(help="How far back: 90d, or a date.")] = "90d",
) -> None:
    """Say which past documents new rules would let others decide; nothing is changed."""
    from bot.admin.policy_replay import replay_rules

    print("\n".join(asyncio.run(replay_rules(read_settings(config), rules, since=since))))


question_commands = command_group("The questions of the company's own.")


@question_commands.command("check")
def check_questions(
    file: Annotated[Path | None, typer.Argument(help="File of the questions; by default the one in force.")] = None,
    config: ConfigOption = None,
) -> None:
    """Read the questions, name every error with its line, and ask each with its sample; exit code 1 if one fails."""
    from bot.admin.named_questions import check_questions

    settings = read_settings(config)
    fine, lines = asyncio.run(check_questions(settings, file, say_in_terminal))
    _print_with_running(lines, settings, *(() if file else ("questions",)))
    raise SystemExit(int(not fine))


@question_commands.command("try")
def try_question(
    name: Annotated[str, typer.Argument(help="Name of the question.")],
    words: Annotated[list[str] | None, typer.Argument(help="What would be typed behind it.")] = None,
    config: ConfigOption = None,
) -> None:
    """Ask a question and print the first rows with all columns, whoever may see them in chat."""
    from bot.admin.named_questions import try_question

    print("\n".join(asyncio.run(try_question(read_settings(config), name, words or (), say_in_terminal))))
