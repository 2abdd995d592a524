"""Creating a document safely: look for its mark, write once, and tell what the ERP then has.

The answer to the write is only a hint, and one that does not come says nothing: the mark tells whether the document is
there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.erp.errors import ErpError, UnknownOutcome
from bot.erp.kinds import D
from bot.erp.model import DocumentDraft


async def create(
    draft: DocumentDraft,
    *,
    write: Callable[[DocumentDraft], Awaitable[None]],
    find: Callable[[str], Awaitable[D | None]],
) -> D:
    """Return the document with the draft's mark, created unless it was there.

    ``write`` checks what the draft names before it sends anything, and raises `UnknownOutcome` when no answer came;
    ``find`` returns the document with a mark as it is now. Raises what the first ``find`` raises, what ``write`` raises
    when nothing was written, and `UnknownOutcome` for a document that cannot be found (yet).
    """
    found = await find(draft.mark)
    if found is not None:
        return found
    lost = UnknownOutcome("it was written and is not there yet")
    try:
        await write(draft)
    except UnknownOutcome as error:
        lost = error
    try:
        found = await find(draft.mark)
    except ErpError as error:
        raise lost from error
    if found is None:
        raise lost
    return found
