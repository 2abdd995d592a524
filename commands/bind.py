"""/bind: people's accounts in the ERPs: one's own, asking for one, and the administrators' yes or no."""

from __future__ import annotations

from bot.access.policy import ADMIN, AccessPolicy, AccessVerdict, Denied
from bot.cards.view import View
from bot.chat.accounts.binding import MAX_ACCOUNT, AccountRefused, ErpAccounts
from bot.chat.accounts.keys import LINK_STANDS, ErpKeys
from bot.chat.accounts.own_accounts import AccountPart, own_accounts
from bot.chat.accounts.views import AccountKeyLink, request_view
from bot.chat.arguments import Keyword, Word
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument
from bot.chat.message import ConversationKind
from bot.chat.parsing import command_line
from bot.chat.registry import command
from bot.words.phrase import Phrase, phrase


class BindTarget(Word):
    """An ERP's name, or the account where there is one ERP only; an administrator's answer names the person."""

    placeholder = phrase("ERP")


class AccountWord(Word):
    """An account, as the ERP calls it; blanks may be in it."""

    placeholder = phrase("account")
    takes_rest = True


class BindDecision(Keyword):
    """An administrator's answer to a request."""

    ACCEPT = phrase("accept"), "同意绑定"
    DECLINE = phrase("decline"), "拒绝绑定"


@command(
    "bind",
    aliases=("绑定", "bd"),
    examples=("/bind main chen@example.com", "/绑定 main 陈立"),
    changes=True,
    shows=(),
    summary=phrase("Your accounts in the ERPs"),
    place=82,
    proposable=False,
)
async def bind(
    target: BindTarget | None = None,
    account: AccountWord | None = None,
    *,
    decision: BindDecision | None = None,
    part: AccountPart | None = None,
    accounts: ErpAccounts,
    keys: ErpKeys,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Show the asker's accounts, ask for one, get the page for a key, or decide a request."""
    if part is not None and decision is None and account is None:
        return await _offer_page(str(target) if target else _only_source(accounts), accounts, keys, context)
    if decision is not None:
        return await _decide(decision, str(target or ""), str(account or ""), accounts, policy, context)
    if target is None:
        return await own_accounts(accounts, context)
    source, wanted = (_only_source(accounts), str(target)) if account is None else (str(target), str(account))
    if source not in accounts.sources:
        raise BadArgument(phrase("There is no ERP of this name. There are: %(names)s", names=_names(accounts)))
    if len(wanted) > MAX_ACCOUNT:
        raise BadArgument(phrase("That is too long for an account."))
    try:
        await accounts.ask(context.person.user_id or "", context.person.name, source, wanted)
    except AccountRefused as refused:
        return await own_accounts(accounts, context, refused.reason)
    return await own_accounts(
        accounts, context, phrase("The administrators have been asked. You will be told in your own chat.")
    )


async def _offer_page(source: str, accounts: ErpAccounts, keys: ErpKeys, context: QuestionContext) -> View:
    if context.conversation.kind is ConversationKind.GROUP:
        reason = phrase(
            "Only you may have the link for entering your key, and others read along here. Send me this in your own "
            "chat with me: %(line)s",
            line=command_line("bind", source, AccountPart.KEY),
        )
        raise Denied(AccessVerdict(False, reason))
    try:
        url, account = await keys.offer(context.person.user_id or "", source)
    except AccountRefused as refused:
        return await own_accounts(accounts, context, refused.reason)
    return AccountKeyLink(source=source, account=account, minutes=int(LINK_STANDS.total_seconds() // 60), url=url)


async def _decide(
    decision: BindDecision,
    user_id: str,
    request: str,
    accounts: ErpAccounts,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    if ADMIN not in policy.roles_of(context.person):
        raise Denied(AccessVerdict(False, phrase("Only administrators decide about accounts."), (ADMIN,)))
    source, _, account = request.partition(" ")
    remark: Phrase | None = None
    try:
        agrees = decision is BindDecision.ACCEPT
        await accounts.decide(user_id, source, account, by=context.person.user_id or "", agrees=agrees)
    except AccountRefused as refused:
        remark = refused.reason
    found = await accounts.find(user_id, source)
    if found is None:
        raise BadArgument(phrase("There is no such request."))
    return request_view(found, context.person.name if remark is None else found.decided_by, remark)


def _only_source(accounts: ErpAccounts) -> str:
    if len(accounts.sources) != 1:
        raise BadArgument(phrase("Say at which ERP: %(names)s", names=_names(accounts)))
    return accounts.sources[0]


def _names(accounts: ErpAccounts) -> tuple[str, ...]:
    return tuple(accounts.sources)
