"""Addresses of the pages: with the prefix, and never of another site."""

from __future__ import annotations

from bot.web.pages.public_address import PublicAddress, local_path
from tests.rows import each_row


@each_row(
    "path, goes_to",
    [
        ("/ask?line=%2Forder", "/ask?line=%2Forder"),
        ("/", "/"),
        ("", "/"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("javascript:alert(1)", "/"),
        ("/ok\r\nSet-Cookie: a=b", "/"),
        ("/a\tb", "/"),
        ("/login?next=/login", "/"),
        ("/logout", "/"),
        ("evil.example", "/"),
        (f"/{'x' * 2_699}", f"/{'x' * 2_699}"),
        (f"/{'x' * 2_700}", "/"),
    ],
)
def test_a_login_leads_back_to_a_page_of_ours_alone(path: str, goes_to: str) -> None:
    assert local_path(path) == goes_to


@each_row(
    "url, origin, address, cookie, cookie_path",
    [
        ("https://bot.example", "https://bot.example", "/ask?line=a", "__Host-dingerp-session", "/"),
        ("https://bot.example:8443", "https://bot.example:8443", "/ask?line=a", "__Host-dingerp-session", "/"),
        ("https://x.example/erp", "https://x.example", "/erp/ask?line=a", "__Secure-dingerp-session", "/erp/"),
        ("http://127.0.0.1:8788", "http://127.0.0.1:8788", "/ask?line=a", "dingerp-session", "/"),
    ],
)
def test_addresses(url: str, origin: str, address: str, cookie: str, cookie_path: str) -> None:
    known = PublicAddress(url)
    assert (known.origin, known.of("/ask", line="a"), known.cookie("session"), known.cookie_path) == (
        origin,
        address,
        cookie,
        cookie_path,
    )
