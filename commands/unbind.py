"""/unbind: give up one's account in an ERP; administrators take away anybody's."""

from __future__ import annotations

from bot.access.policy import ADMIN, AccessPolicy, AccessVerdict, Denied
from bot.cards.view import View
from bot.chat.accounts.binding import AccountRefused, ErpAccounts
from bot.chat.accounts.keys import ErpKeys
from bot.chat.accounts.own_accounts import AccountPart, own_accounts
from bot.chat.arguments import Word
from bot.chat.context import QuestionContext
from bot.chat.errors import BadArgument
from bot.chat.registry import command
from bot.words.phrase import phrase


class BoundSource(Word):
    """The ERP whose account is given up."""

    placeholder = phrase("ERP")


class BoundPerson(Word):
    """The userId of somebody else, for administrators."""

    placeholder = phrase("user id")


@command(
    "unbind",
    aliases=("解绑", "解除绑定", "jcbd"),
    examples=("/unbind main", "/解绑 main"),
    changes=True,
    shows=(),
    summary=phrase("Give up an account in an ERP"),
    place=83,
)
async def unbind(
    source: BoundSource | None = None,
    user_id: BoundPerson | None = None,
    *,
    part: AccountPart | None = None,
    accounts: ErpAccounts,
    keys: ErpKeys,
    policy: AccessPolicy,
    context: QuestionContext,
) -> View:
    """Unbind the asker's account and erase their key, or the key alone; as an administrator somebody else's."""
    own = context.person.user_id or ""
    whose = str(user_id) if user_id else own
    if whose != own and ADMIN not in policy.roles_of(context.person):
        raise Denied(AccessVerdict(False, phrase("Only administrators decide about accounts."), (ADMIN,)))
    where = source or next(iter(accounts.sources), "")
    if source is None and len(accounts.sources) != 1:
        raise BadArgument(phrase("Say at which ERP: %(names)s", names=tuple(accounts.sources)))
    erased = await keys.erase(whose, str(where), by=own)
    if part is not None:
        remark = phrase("The key is erased.") if erased else phrase("There is no key to erase.")
        return await own_accounts(accounts, context, remark)
    try:
        await accounts.unbind(whose, str(where), by=own)
    except AccountRefused as refused:
        return await own_accounts(accounts, context, phrase("The key is erased.") if erased else refused.reason)
    return await own_accounts(accounts, context, phrase("Unbound."))
