"""What ERPs know of the reference company's people besides their accounts."""

from __future__ import annotations


def job_number(user_id: str) -> str:
    """Return the number that a company's HR gave somebody."""
    return f"E-{user_id.upper()}"


def mobile(user_id: str) -> str:
    """Return a mobile number; the digits only have to differ between people."""
    return f"138 0000 {sum(map(ord, user_id)):04}"


def mail(user_id: str) -> str:
    """Return the address of somebody's mailbox in the company."""
    return f"{user_id}@company.example"
