"""The drivers: outcomes in, errors and cancellation thrown in, ``finally`` run."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from stdnet import InvalidTransaction, getdb, odm
from stdnet.backends.base import FaultInjecting
from stdnet.contract import Ping
from stdnet.odm.runner import Fire, Trip, arun, run


class Trouble(Exception):
    """What goes wrong outside of a program."""


def driven(program):
    return asyncio.run(arun(program))


DRIVERS = [run, driven]
SERVER = getdb("memory://")


def failing(error):
    return FaultInjecting(SERVER, lambda when, requests: error if when == "before" else None)


@pytest.mark.parametrize("drive", DRIVERS)
def test_a_program_is_sent_the_replies_and_its_result_is_returned(drive):
    def program():
        first = yield Trip(SERVER, [Ping(), Ping()])
        second = yield Trip(SERVER, [])
        return first, second

    assert drive(program()) == ([True, True], [])


@pytest.mark.parametrize("drive", DRIVERS)
def test_a_program_without_effects(drive):
    def program():
        return 5
        yield

    assert drive(program()) == 5


@pytest.mark.parametrize("error", [Trouble("x"), KeyboardInterrupt(), SystemExit(2), MemoryError()])
@pytest.mark.parametrize("drive", DRIVERS)
def test_errors_are_thrown_into_the_program(drive, error):
    steps = []

    def program():
        try:
            yield Trip(failing(error), [Ping()])
        except BaseException as caught:
            steps.append(caught)
            raise
        finally:
            steps.append("finally")

    if drive is driven and isinstance(error, (KeyboardInterrupt, SystemExit)):
        with pytest.raises(type(error)):
            drive(program())
    else:
        with pytest.raises(type(error)) as info:
            drive(program())
        assert info.value is error
    assert steps == [error, "finally"]


@pytest.mark.parametrize("drive", DRIVERS)
def test_a_program_may_survive_an_error_and_go_on(drive):
    def program():
        with suppress(Trouble):
            yield Trip(failing(Trouble()), [Ping()])
        replies = yield Trip(SERVER, [Ping()])
        return replies

    assert drive(program()) == [True]


@pytest.mark.parametrize("drive", DRIVERS)
def test_an_effect_that_raises_stop_iteration_does_not_end_the_program_quietly(drive):
    def program():
        yield Trip(failing(StopIteration(7)), [Ping()])

    with pytest.raises(RuntimeError):
        drive(program())


@pytest.mark.parametrize("drive", DRIVERS)
def test_errors_of_the_program_itself(drive):
    def program():
        yield Trip(SERVER, [Ping()])
        raise Trouble

    with pytest.raises(Trouble):
        drive(program())


class Waiting(FaultInjecting):
    """A server whose answers never come."""

    def __init__(self):
        super().__init__(SERVER, lambda when, requests: None)
        self.asked = asyncio.Event()

    async def execute_async(self, requests):
        self.asked.set()
        await asyncio.Event().wait()


def test_cancellation_is_thrown_into_the_program():
    steps = []

    def program(server):
        try:
            yield Trip(server, [Ping()])
        except asyncio.CancelledError:
            steps.append("cancelled")
            raise
        finally:
            steps.append("finally")

    async def main():
        server = Waiting()
        task = asyncio.create_task(arun(program(server)))
        await server.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert steps == ["cancelled", "finally"]


def test_a_cancelled_commit_leaves_the_session_usable():
    class City(odm.StdModel):
        name = odm.SymbolField()

        class Meta:
            register = False

    async def main():
        server = Waiting()
        models = odm.AsyncRouter(server)
        models.register(City)
        session, city = models.session(), City(name="Genoa")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(first := asyncio.ensure_future(session.add(city))), 0.01)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert session.transaction is None
        assert city not in session
        assert session.dirty == frozenset()

    asyncio.run(main())


def test_a_closed_coroutine_runs_the_finally_blocks():
    steps = []

    def program(server):
        try:
            yield Trip(server, [Ping()])
        finally:
            steps.append("finally")

    async def main():
        coroutine = arun(program(Waiting()))
        coroutine.send(None)
        coroutine.close()

    asyncio.run(main())
    assert steps == ["finally"]


# -- signals ----------------------------------------------------------------------------------------------------


def fired(event):
    def program():
        return (yield Fire(event, int, {"n": 1}))

    return program()


@pytest.mark.parametrize("drive", DRIVERS)
def test_the_outcome_of_a_signal_is_the_list_of_results(drive):
    event = odm.Event()
    event.bind(lambda event, sender, n: (sender, n))
    event.bind(lambda event, sender, **kwargs: kwargs, sender=int)
    event.bind(lambda event, sender, **kwargs: "never", sender=str)
    assert drive(fired(event)) == [(int, 1), {"n": 1}]


def test_coroutines_are_awaited_one_after_the_other():
    event, steps = odm.Event(), []

    async def slow(event, sender, n):
        steps.append("slow begins")
        await asyncio.sleep(0)
        steps.append("slow ends")
        return "slow"

    event.bind(slow)
    event.bind(lambda event, sender, n: steps.append("plain"))
    assert driven(fired(event)) == ["slow", None]
    assert steps == ["slow begins", "slow ends", "plain"]


def test_a_blocking_session_refuses_coroutine_functions():
    event, steps = odm.Event(), []

    async def coroutine(event, sender, n):
        steps.append(n)

    event.bind(coroutine)
    event.bind(coroutine)
    with pytest.raises(InvalidTransaction, match="use an AsyncRouter"):
        run(fired(event))
    assert steps == []


@pytest.mark.parametrize("drive", DRIVERS)
def test_an_error_of_a_callback_stops_the_later_ones(drive):
    event, steps = odm.Event(), []

    def fail(event, sender, n):
        raise Trouble

    event.bind(fail)
    event.bind(lambda event, sender, n: steps.append(n))
    with pytest.raises(Trouble):
        drive(fired(event))
    assert steps == []
