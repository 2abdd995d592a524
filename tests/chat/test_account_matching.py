"""Accounts found by job number, mobile or mail: only what is verified and points to one account and one person."""

from __future__ import annotations

from bot.access.staff_keys import MatchKey, StaffKeys, phone_number
from bot.chat.accounts.matching import AccountMatch, MatchOutcome, match_accounts
from bot.erp.model import ErpUser
from tests.rows import each_row

JOB, MOBILE, MAIL = MatchKey.JOB_NUMBER, MatchKey.MOBILE, MatchKey.MAIL
ALL = (JOB, MOBILE, MAIL)
LI = StaffKeys(user_id="sales01", name="李娜", verified={JOB: "S1", MOBILE: "8613800000006", MAIL: "li@example.com"})
WANG = StaffKeys(user_id="keeper01", name="王仓", verified={JOB: "K1", MOBILE: "8613800000007"})


def user(account: str, job_number: str = "", mobile: str = "", mail: str = "", *, is_active: bool = True) -> ErpUser:
    return ErpUser(account=account, name=account, job_number=job_number, mobile=mobile, mail=mail, is_active=is_active)


def outcomes(people: list[StaffKeys], users: list[ErpUser], keys: tuple[MatchKey, ...] = ALL) -> dict[str, object]:
    found = match_accounts(people, users, keys)
    return {one.user_id: one.account or one.outcome for one in found}


@each_row(
    ("known", "key"),
    [
        (user("lina", job_number=" s1 "), JOB),
        (user("lina", mobile="+86 138-0000-0006"), MOBILE),
        (user("lina", mobile="13800000006"), MOBILE),
        (user("lina", mobile="0086 138 0000 0006"), MOBILE),
        (user("lina", mail="LI@Example.com "), MAIL),
    ],
)
def test_one_key_that_is_one_persons_is_enough(known: ErpUser, key: MatchKey) -> None:
    assert list(match_accounts([LI, WANG], [known, user("other", "X9", "13900000000", "x@example.com")], ALL)) == [
        AccountMatch(user_id="sales01", name="李娜", account="lina", key=key, outcome=MatchOutcome.FOUND)
    ]


def test_only_the_keys_that_are_wanted_count() -> None:
    assert outcomes([LI], [user("lina", mobile="13800000006")], (JOB, MAIL)) == {}
    assert outcomes([LI], [user("lina", mobile="13800000006")], (MOBILE,)) == {"sales01": "lina"}


@each_row(
    "users",
    [
        [user("lina", job_number="S1"), user("li2", job_number="s1")],
        [user("lina", job_number="S1"), user("boss", mobile="13800000006")],
        [user("lina", job_number="S1", mobile="13800000006"), user("boss", mobile="13800000006")],
    ],
)
def test_keys_that_lead_to_several_accounts_bind_nothing(users: list[ErpUser]) -> None:
    assert outcomes([LI, WANG], users) == {"sales01": MatchOutcome.SEVERAL_ACCOUNTS}


def test_a_key_of_several_people_binds_none_of_them() -> None:
    twin = StaffKeys(user_id="sales02", name="李娜", verified={JOB: "s1"})
    claims = StaffKeys(user_id="sales03", name="李娜", unverified={JOB: "S1"})
    expected = MatchOutcome.SEVERAL_PEOPLE
    assert outcomes([LI, twin], [user("lina", "S1")]) == {"sales01": expected, "sales02": expected}
    assert outcomes([LI, claims], [user("lina", "S1")]) == {"sales01": expected, "sales03": expected}


def test_two_people_who_come_to_one_account_by_different_keys_get_none() -> None:
    found = outcomes([LI, WANG], [user("shared", job_number="S1", mobile="13800000007")])
    assert set(found.values()) == {MatchOutcome.SEVERAL_PEOPLE}


def test_what_is_not_verified_binds_nothing_and_says_so() -> None:
    new = StaffKeys(user_id="new01", name="新", unverified={MOBILE: "8613800000009", MAIL: "boss@example.com"})
    assert outcomes([new], [user("boss", mail="boss@example.com")]) == {"new01": MatchOutcome.UNVERIFIED}
    mixed = StaffKeys(user_id="m", name="m", verified={JOB: "M1"}, unverified={MAIL: "boss@example.com"})
    assert outcomes([mixed], [user("boss", mail="boss@example.com"), user("m", "M1")]) == {"m": "m"}


def test_an_account_that_is_closed_is_nobodys() -> None:
    closed = user("old", "S1", is_active=False)
    assert outcomes([LI], [closed]) == {}
    assert outcomes([LI], [closed, user("lina", "S1")]) == {"sales01": "lina"}


def test_an_empty_key_is_no_key() -> None:
    blank = StaffKeys(user_id="b", name="b", verified={JOB: " ", MOBILE: "", MAIL: ""})
    assert outcomes([blank], [user("x"), user("y", job_number="  ")]) == {}


@each_row(
    ("text", "number"),
    [
        ("138 0000-0006", "8613800000006"),
        ("(+86)13800000006", "8613800000006"),
        ("+44 7700 900123", "447700900123"),
        ("00447700900123", "447700900123"),
        ("7700 900123", "7700900123"),
        ("ext. 12", "12"),
        ("", ""),
    ],
)
def test_how_a_number_is_read(text: str, number: str) -> None:
    assert phone_number(text) == number
