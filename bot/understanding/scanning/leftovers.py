"""The unrecognised rest of a sentence, which may contain names."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Iterator

from bot.understanding.scanning.finding import is_letter
from bot.understanding.scanning.spans import MASK, Scan, Span

_POSSESSIVE = "'s"
_LONGEST_PIECE = 16
"""Signs of a piece in which a known name is looked for: the effort grows with their square."""
_SPEECH = re.compile("[我你您她它咱吗呢吧啊呀哦嘛么了着很就把被谁哪啥怎没别也还]|(?<=.)得")
"""Signs of speech, of which no name is made: 等了好几天 is a part of a sentence, and nobody is called so."""
_UNSPOKEN = re.compile("[^我你您她它咱吗呢吧啊呀哦嘛么了着很就把被谁哪啥怎没别也还得]+")
_STRETCH = re.compile(rf"[^{MASK}\s,;:!?，；：！？。、…~()（）\"“”\[\]【】<>=&/·的]+")
_SIGNS = "'.-_"
_LONGEST_FILLER = 10
AND = re.compile("以及|还有|还是|或者|[和跟与及同或]")
"""Stands between names of a list."""
_JOINS = re.compile("[我你您她它咱吗呢吧啊呀哦嘛么了着很就把被谁哪啥怎没别也还得和跟与及同或给在是有个不都要]")
"""Signs that are no part of the word beside them."""
_MOST_NAMES, _COST_OF_A_NAME = 2, 1
"""Names in a piece without blanks, and how many signs more a further name must explain."""


def leftover(
    scan: Scan, fillers: Container[str], verbs: Container[str], longest: int, known: Callable[[str], bool]
) -> tuple[tuple[int, str], ...]:
    """Return the unrecognised pieces with their places, without meaningless words at their ends.

    Such words are kept inside a piece, and at the ends of one that is ``known``: 有 begins many sentences, and also
    company names. ``verbs`` are left out only beside a known name.
    """
    pieces: list[tuple[int, str]] = []
    for match in re.finditer(rf"[^{MASK}\s,;:!?，；：！？。、\"“”()（）的]+", scan.rest):
        start, end = match.span()
        if scan.rest[start:end].endswith(_POSSESSIVE):
            end -= len(_POSSESSIVE)
        if names := _known_parts(scan.rest[start:end], fillers, verbs, known):
            pieces.extend((start + first, scan.text[start + first : start + last]) for first, last in names)
            continue
        start, end = without_fillers(scan.rest, start, end, fillers, longest, known)
        if _SPEECH.search(scan.rest, start, end) and not _is_name(scan.rest[start:end], fillers, known):
            for part in _UNSPOKEN.finditer(scan.rest, start, end):
                first, last = without_fillers(scan.rest, *part.span(), fillers, longest, known)
                if _is_name(scan.rest[first:last], fillers, known):
                    pieces.append((first, scan.text[first:last]))
        elif end > start:
            pieces.append((start, scan.text[start:end]))
    return tuple(pieces)


def without_fillers(
    text: str, start: int, end: int, fillers: Container[str], longest: int, known: Callable[[str], bool]
) -> tuple[int, int]:
    """Return a piece's start and end without meaningless words at its ends."""
    while start < end and (text[start:end].isascii() or not _is_name(text[start:end], fillers, known)):
        if size := _filler(text[start:end], fillers, longest, at_end=False):
            start += size
        elif size := _filler(text[start:end], fillers, longest, at_end=True):
            end -= size
        else:
            break
    return start, end


def _is_name(piece: str, fillers: Container[str], known: Callable[[str], bool]) -> bool:
    return piece not in fillers and known(piece)


def _known_parts(
    piece: str, fillers: Container[str], verbs: Container[str], known: Callable[[str], bool]
) -> tuple[tuple[int, int], ...]:
    """Return the known names in a piece, if all around them are fillers and verbs: 美居 and 螺丝 in 美居拿螺丝.

    The names are as few as possible, at most two, and as long as possible.
    """
    if piece.isascii() or len(piece) > _LONGEST_PIECE:
        return ()
    # What of the piece up to each place is in names; the best of the ways to come there.
    best: list[tuple[tuple[int, int], ...] | None] = [()] + [None] * len(piece)
    for end in range(1, len(piece) + 1):
        for start in range(end):
            before, text = best[start], piece[start:end]
            if before is None:
                continue
            if text in fillers or text in verbs:
                best[end] = _better(best[end], before)
            elif len(text) > 1 and _may_follow(before, start) and known(text):
                best[end] = _better(best[end], (*before, (start, end)))
    return best[-1] or ()


def _may_follow(names: tuple[tuple[int, int], ...], start: int) -> bool:
    """Return whether a further name may begin: two adjacent ones are an unknown one, such as 膨胀螺丝."""
    return not names or (len(names) < _MOST_NAMES and names[-1][1] < start)


def _better(one: tuple[tuple[int, int], ...] | None, other: tuple[tuple[int, int], ...]) -> tuple[tuple[int, int], ...]:
    """Return the split with more characters in names, with a cost of one per name."""

    def gain(names: tuple[tuple[int, int], ...]) -> int:
        return sum(end - start - _COST_OF_A_NAME for start, end in names)

    return other if one is None or gain(other) > gain(one) else one


def _filler(piece: str, fillers: Container[str], longest: int, *, at_end: bool) -> int:
    """Return the length of the longest filler at one end of a piece; Latin ones are whole words."""
    if piece.isascii():
        return len(piece) if piece in fillers else 0
    for size in range(min(len(piece), longest), 0, -1):
        word, beside = (piece[-size:], piece[:-size][-1:]) if at_end else (piece[:size], piece[size:][:1])
        torn = is_letter(word[0 if at_end else -1]) and beside and is_letter(beside)  # us in USB风扇
        if word in fillers and not torn:
            return size
    return 0


def unread(scan: Scan, held: Iterable[Span], without_meaning: Container[str]) -> Iterator[tuple[int, int]]:
    """Yield the places of what stands in a sentence beside the ``held`` spans and the words without meaning.

    Adjacent Latin words are one: "acme trading".
    """
    rest = scan.rest
    for span in held:
        rest = f"{rest[: span.start]}{MASK * len(span.text)}{rest[span.start + len(span.text) :]}"
    last: tuple[int, int] | None = None
    for start, end in _pieces_with_meaning(rest, without_meaning):
        if last and rest[last[1] : start] == " " and rest[last[0] : end].isascii():
            last = last[0], end
            continue
        if last:
            yield last
        last = start, end
    if last:
        yield last


def _pieces_with_meaning(rest: str, without_meaning: Container[str]) -> Iterator[tuple[int, int]]:
    for match in _STRETCH.finditer(rest):
        start, end = match.span()
        piece = rest[start:end]
        if piece.isascii():
            word = piece.removesuffix(_POSSESSIVE).strip(_SIGNS)
            first = start + piece.find(word)
            if word and word not in without_meaning and not word.isdigit():
                yield first, first + len(word)
        elif left := _meaning_in(piece, without_meaning):
            first, last = _with_neighbours(piece, left[0], left[-1] + 1)
            yield start + first, start + last


def _with_neighbours(piece: str, first: int, last: int) -> tuple[int, int]:
    """Return a word with the signs beside it that mean nothing by themselves: 华为, 老王, and 比亚迪 after 和."""
    alone = last - first == 1
    if first and _JOINS.match(piece, first - 1) is None and (alone or (first > 1 and AND.match(piece, first - 2))):
        first -= 1
    if alone and last < len(piece) and _JOINS.match(piece, last) is None:
        last += 1
    return first, last


def _meaning_in(piece: str, without_meaning: Container[str]) -> list[int]:
    """Return the places of a piece in none of its words without meaning, the longest of which are found first."""
    left = set(range(len(piece)))
    for size in range(min(len(piece), _LONGEST_FILLER), 0, -1):
        for start in range(len(piece) - size + 1):
            places = range(start, start + size)
            if left.issuperset(places) and piece[start : start + size] in without_meaning:
                left.difference_update(places)
    return sorted(left)
