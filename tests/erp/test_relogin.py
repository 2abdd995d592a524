"""An expired login is renewed once, by one caller, for all."""

from __future__ import annotations

import asyncio

import pytest

from bot.erp.errors import AuthExpired, AuthFailed, ErpError, Unavailable
from bot.erp.relogin import Relogin


class Service:
    """Issues numbered sessions; only the last one is valid."""

    def __init__(self) -> None:
        self.logins = 0
        self.good = 1
        self.error: ErpError | None = None
        self.answering = asyncio.Event()
        self.answering.set()
        self.asked = asyncio.Event()

    async def login(self) -> int:
        self.logins += 1
        self.asked.set()
        await self.answering.wait()
        if self.error is not None:
            raise self.error
        return self.logins

    async def ask(self, session: int) -> int:
        await asyncio.sleep(0)
        if session < self.good:
            raise AuthExpired("over")
        return session


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def relogin(service: Service) -> Relogin[int]:
    return Relogin(service.login)


async def test_one_login_serves_all(service: Service, relogin: Relogin[int]) -> None:
    assert await asyncio.gather(*(relogin.run(service.ask) for _ in range(5))) == [1] * 5
    assert (service.logins, relogin.session) == (1, 1)


async def test_all_who_notice_share_one_renewal(service: Service, relogin: Relogin[int]) -> None:
    await relogin.run(service.ask)
    service.good = 2
    assert await asyncio.gather(*(relogin.run(service.ask) for _ in range(5))) == [2] * 5
    assert service.logins == 2


async def test_who_notices_late_takes_what_is_there(service: Service, relogin: Relogin[int]) -> None:
    await relogin.run(service.ask)
    noticed, renewed = asyncio.Event(), asyncio.Event()

    async def slow(session: int) -> int:
        if session == 1:
            noticed.set()
            await renewed.wait()
        return await service.ask(session)

    late = asyncio.create_task(relogin.run(slow))
    await noticed.wait()
    service.good = 2
    await relogin.run(service.ask)
    renewed.set()
    assert await late == 2
    assert service.logins == 2


async def test_a_new_session_that_is_refused_too_is_a_wrong_account(service: Service, relogin: Relogin[int]) -> None:
    service.good = 99
    with pytest.raises(AuthFailed):
        await relogin.run(service.ask)
    assert service.logins == 2


@pytest.mark.parametrize(
    ("error", "told"), [(AuthFailed, AuthFailed), (AuthExpired, AuthFailed), (Unavailable, Unavailable)]
)
async def test_a_login_that_fails_is_tried_once_for_all_and_again_later(
    service: Service, relogin: Relogin[int], error: type[ErpError], told: type[ErpError]
) -> None:
    service.error = error("no")
    answers = await asyncio.gather(*(relogin.run(service.ask) for _ in range(5)), return_exceptions=True)
    assert {type(answer) for answer in answers} == {told}
    assert service.logins == 1
    service.error = None
    assert await relogin.run(service.ask) == 2


async def test_who_goes_away_does_not_take_the_login_along(service: Service, relogin: Relogin[int]) -> None:
    service.answering.clear()
    first, second = (asyncio.create_task(relogin.run(service.ask)) for _ in range(2))
    await service.asked.wait()
    first.cancel()
    service.answering.set()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_an_error_that_nobody_waits_for_is_no_noise(service: Service, relogin: Relogin[int]) -> None:
    service.answering.clear()
    only = asyncio.create_task(relogin.run(service.ask))
    await service.asked.wait()
    only.cancel()
    with pytest.raises(asyncio.CancelledError):
        await only
    service.error = Unavailable("down")
    service.answering.set()
    for _ in range(5):
        await asyncio.sleep(0)
    assert relogin.session is None


async def test_a_session_is_logged_out_once_and_the_next_call_logs_in_anew(
    service: Service, relogin: Relogin[int]
) -> None:
    ended: list[int] = []

    async def log_out(session: int) -> None:
        ended.append(session)

    await relogin.end(log_out)
    await relogin.run(service.ask)
    await relogin.end(log_out)
    await relogin.end(log_out)
    assert ended == [1]
    assert await relogin.run(service.ask) == 2


async def test_a_logout_that_fails_hinders_nothing(service: Service, relogin: Relogin[int]) -> None:
    async def log_out(session: int) -> None:
        raise Unavailable

    await relogin.run(service.ask)
    await relogin.end(log_out)
    assert relogin.session is None


async def test_a_login_under_way_is_ended(service: Service, relogin: Relogin[int]) -> None:
    async def log_out(session: int) -> None:
        raise AssertionError("nobody is logged in")

    service.answering.clear()
    asked = asyncio.ensure_future(relogin.run(service.ask))
    await service.asked.wait()
    await relogin.end(log_out)
    with pytest.raises(asyncio.CancelledError):
        await asked
