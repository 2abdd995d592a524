"""Keys that the directory and other systems may share for a member: job number, mobile, mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class MatchKey(StrEnum):
    """The kinds of key that a person in DingTalk and an account in an ERP may share."""

    JOB_NUMBER = "job_number"
    MOBILE = "mobile"
    MAIL = "mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffKeys:
    """A member's keys from the directory; mobiles with country code, see `phone_number`.

    ``unverified`` are those that the person may have entered without proof.
    """

    user_id: str
    name: str
    verified: Mapping[MatchKey, str] = field(default_factory=dict)
    unverified: Mapping[MatchKey, str] = field(default_factory=dict)


_MOBILE_DIGITS = 11


def phone_number(text: str, country: str = "") -> str:
    """Return a phone number as digits with country code; Chinese mobiles without one get 86."""
    digits = "".join(char for char in text if char in "0123456789")
    if country and digits:
        return f"{country}{digits}"
    if digits.startswith("00"):
        return digits[2:]
    if "+" not in text and len(digits) == _MOBILE_DIGITS and digits.startswith("1"):
        return f"86{digits}"
    return digits
