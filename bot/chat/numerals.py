"""Numbers in Chinese characters: 十二, 两千五, 三万, 一亿二."""

from __future__ import annotations

DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
POWERS = {"十": 10, "百": 100, "千": 1000}
MYRIADS = {"亿": 10**8, "万": 10**4}


def read_numerals(text: str) -> int | None:
    """Return a number in Chinese characters; None for anything else.

    A last digit counts the next power, so 两千五 is 2500 and 两万五 is 25000; 万 alone is 10000.
    """
    for sign, power in MYRIADS.items():
        before, found, after = text.partition(sign)
        if found:
            upper = read_numerals(before) if before else 1
            lower = read_numerals(after) if after else 0
            if upper is None or lower is None or after[:1] in MYRIADS:
                return None
            return upper * power + (lower * power // 10 if after in DIGITS else lower)
    return _read_below_myriad(text)


def _read_below_myriad(text: str) -> int | None:
    total, digit, power = 0, None, MYRIADS["万"]
    for sign in text:
        if sign in DIGITS and not digit:
            digit = DIGITS[sign]
        elif sign in POWERS and POWERS[sign] < power:
            power = POWERS[sign]
            # 十二 and 一千零十二 leave out the 一 before 十.
            total, digit = total + (digit or 1) * power, None
        else:
            return None
    if digit is None:
        return total
    implied = power // 10 if 100 <= power < MYRIADS["万"] and text[-2:-1] in POWERS else 1
    return total + digit * implied
