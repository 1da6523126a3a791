"""The clock of the sandbox runs, stands still, jumps, and wakes its sleepers."""

import asyncio
import math
import threading

import pytest

from sinch_wrapper.sandbox import Clock
from sinch_wrapper.sandbox._clock import MachineTime
from tests.helpers.sandbox import START


class Source:
    """A machine's time that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_clock_starts_at_the_given_time_and_runs_with_its_source() -> None:
    """The start is an offset to the machine's time."""
    source = Source()
    clock = Clock(START, source=source)
    source.now += 5

    assert START + 5 == clock()


def test_frozen_clock_moves_only_when_advanced() -> None:
    """A frozen clock ignores the machine's time; when it runs again, it continues from there."""
    source = Source()
    clock = Clock(START, frozen=True, source=source)
    source.now += 5
    clock.advance(60)
    stood = clock()
    clock.run()
    source.now += 1
    ran = clock()
    clock.freeze()
    source.now += 1

    assert (START + 60, START + 61, START + 61, True) == (stood, ran, clock(), clock.frozen)


@pytest.mark.parametrize("seconds", [-1, math.inf, math.nan])
def test_clock_does_not_go_back(seconds: float) -> None:
    """Only finite steps forward are taken."""
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(seconds)


def test_clock_ends_where_dates_do() -> None:
    """A step beyond the last date is refused before anything fails because of it."""
    clock = Clock(START, frozen=True)
    with pytest.raises(ValueError, match="year 9998"):
        clock.advance(1e12)
    assert START == clock()


def test_sleeper_wakes_when_another_thread_moves_the_clock() -> None:
    """However far the step, sleepers whose time has come wake, and others sleep on."""
    clock = Clock(START, frozen=True)

    async def sleep() -> list[str]:
        woken: list[str] = []

        async def nap(seconds: float) -> None:
            await clock.sleep(seconds)
            woken.append(f"{seconds:g}")

        naps = [asyncio.create_task(nap(seconds)) for seconds in (10, 3600, 1e9)]
        while clock.waiting < 3:  # noqa: ASYNC110 (a property of the clock)
            await asyncio.sleep(0)
        threading.Thread(target=clock.advance, args=[3600]).start()
        await asyncio.wait_for(asyncio.gather(*naps[:2]), 60)
        naps[2].cancel()
        await asyncio.gather(*naps, return_exceptions=True)
        return woken

    assert {"10", "3600"} == set(asyncio.run(sleep()))
    assert 0 == clock.waiting


def test_running_clock_wakes_by_itself() -> None:
    """Without any step a sleeper wakes when the machine's time has come."""
    clock = Clock()

    async def sleep() -> float:
        began = clock()
        await clock.sleep(0.01)
        return clock() - began

    assert asyncio.run(sleep()) >= 0.01


def test_step_reaches_sleepers_of_a_running_clock() -> None:
    """A running clock can be moved as well."""
    clock = Clock()

    async def sleep() -> None:
        nap = asyncio.create_task(clock.sleep(3600))
        while not clock.waiting:  # noqa: ASYNC110 (a property of the clock)
            await asyncio.sleep(0)
        clock.advance(3600)
        await asyncio.wait_for(nap, 60)

    asyncio.run(sleep())


def test_machine_time_goes_on_while_a_test_has_stopped_it() -> None:
    """Time that stands still for longer than a clock's step passes by the processor's ticks."""
    wall, ticks = [100.0, 100.0, 100.0, 100.0, 102.0, 102.0, 102.0], [0.0, 0.05, 2.0, 2.0, 4.0]
    moment = MachineTime(iter(wall).__next__, iter(ticks).__next__)

    assert [100.0, 100.0, 100.0, 102.0, 102.0, 102.0, 104.0] == [moment() for _ in range(7)]
