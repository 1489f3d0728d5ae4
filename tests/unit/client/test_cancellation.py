import os
import signal
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from keyferry_client import CancellationToken, CancellationTokenSource, OperationCanceledError

PATIENCE_SECONDS = 20


def run_in_threads(number: int, work: Callable[[], object]) -> None:
    """Run `work` in threads that begin at the same moment, and wait for all."""
    start = threading.Barrier(number)

    def run() -> None:
        start.wait(PATIENCE_SECONDS)
        work()

    threads = [threading.Thread(target=run) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


def test_a_token_is_cancelled_with_its_source_and_stays_so() -> None:
    source = CancellationTokenSource()
    token = source.token
    assert (token.is_cancellation_requested, source.is_cancellation_requested) == (False, False)
    token.throw_if_cancellation_requested()
    source.cancel()
    source.cancel()
    assert (token.is_cancellation_requested, source.is_cancellation_requested) == (True, True)
    with pytest.raises(OperationCanceledError) as caught:
        token.throw_if_cancellation_requested()
    assert caught.value.cancellation_token is token
    assert "canceled" in repr(token)


def test_none_is_never_cancelled() -> None:
    none = CancellationToken.none
    assert not none.can_be_canceled
    assert not none.is_cancellation_requested
    none.throw_if_cancellation_requested()
    registration = none.register(lambda: pytest.fail("none was cancelled"))
    assert not registration.unregister()
    registration.close()
    assert repr(none) == "<CancellationToken none>"
    assert CancellationTokenSource().token.can_be_canceled


def test_callbacks_run_once_the_last_registered_first() -> None:
    source, ran = CancellationTokenSource(), list[int]()
    for number in range(3):
        source.token.register(partial(ran.append, number))
    source.cancel()
    source.cancel()
    assert ran == [2, 1, 0]


def test_a_callback_registered_too_late_runs_at_once_in_the_registering_thread() -> None:
    source, ran = CancellationTokenSource(), list[int]()
    source.cancel()
    registration = source.token.register(lambda: ran.append(threading.get_ident()))
    assert ran == [threading.get_ident()]
    assert not registration.unregister()


def test_what_a_late_callback_raises_reaches_who_registers_it() -> None:
    source = CancellationTokenSource()
    source.cancel()
    with pytest.raises(ZeroDivisionError):
        source.token.register(lambda: 1 / 0)


def test_an_unregistered_callback_never_runs() -> None:
    source, ran = CancellationTokenSource(), list[str]()
    first = source.token.register(lambda: ran.append("first"))
    source.token.register(lambda: ran.append("second"))
    assert first.unregister()
    assert not first.unregister()
    source.cancel()
    assert ran == ["second"]


def test_a_callback_is_unregistered_at_the_end_of_its_block() -> None:
    source, ran = CancellationTokenSource(), list[str]()
    with source.token.register(lambda: ran.append("never")):
        pass
    source.cancel()
    assert ran == []


def test_what_callbacks_raise_loses_no_other_callback_and_is_raised_as_a_group() -> None:
    source, ran = CancellationTokenSource(), list[str]()

    def fail(error: BaseException) -> None:
        raise error

    source.token.register(lambda: ran.append("last"))
    source.token.register(lambda: fail(ValueError("one")))
    source.token.register(lambda: ran.append("between"))
    source.token.register(lambda: fail(KeyError("two")))
    with pytest.raises(ExceptionGroup) as caught:
        source.cancel()
    assert [type(error) for error in caught.value.exceptions] == [KeyError, ValueError]
    assert ran == ["between", "last"]
    source.cancel()


def test_an_interruption_in_a_callback_loses_no_other_and_is_not_swallowed() -> None:
    source, ran = CancellationTokenSource(), list[str]()

    def interrupt() -> None:
        raise KeyboardInterrupt

    source.token.register(lambda: ran.append("last"))
    source.token.register(interrupt)
    with pytest.raises(BaseExceptionGroup) as caught:
        source.cancel()
    assert caught.value.subgroup(KeyboardInterrupt) is not None
    assert ran == ["last"]


def test_a_callback_may_cancel_register_and_unregister() -> None:
    source, ran = CancellationTokenSource(), list[str]()
    victim = source.token.register(lambda: ran.append("victim"))

    def meddle() -> None:
        source.cancel()
        assert victim.unregister()
        source.token.register(lambda: ran.append("added"))
        own.close()
        ran.append("meddled")

    own = source.token.register(meddle)
    source.cancel()
    assert ran == ["added", "meddled"]


def test_closing_a_registration_waits_for_its_running_callback() -> None:
    source, has_begun, release, order = (
        CancellationTokenSource(),
        threading.Event(),
        threading.Event(),
        list[str](),
    )

    def callback() -> None:
        has_begun.set()
        release.wait(PATIENCE_SECONDS)
        order.append("callback ended")

    registration = source.token.register(callback)
    canceller = threading.Thread(target=source.cancel)
    canceller.start()
    assert has_begun.wait(PATIENCE_SECONDS)
    assert not registration.unregister()
    closer = threading.Thread(target=lambda: (registration.close(), order.append("closed")))
    closer.start()
    release.set()
    closer.join(PATIENCE_SECONDS)
    canceller.join(PATIENCE_SECONDS)
    assert order == ["callback ended", "closed"]


def test_cancelled_from_100_threads_at_once_each_callback_runs_once() -> None:
    source, ran, seen = CancellationTokenSource(), list[int](), list[bool]()
    for number in range(50):
        source.token.register(partial(ran.append, number))

    def cancel() -> None:
        source.cancel()
        seen.append(source.token.is_cancellation_requested)

    run_in_threads(100, cancel)
    assert sorted(ran) == list(range(50))
    assert seen == [True] * 100


def register_beside_a_canceller() -> None:
    """Seven threads register, and take half of it back, while the eighth cancels."""
    source, ran, expected = CancellationTokenSource(), list[object](), list[object]()
    cancels = iter([True] + [False] * 7)

    def work() -> None:
        if next(cancels):
            source.cancel()
            return
        for number in range(20):
            mark = (threading.get_ident(), number)
            registration = source.token.register(partial(ran.append, mark))
            if number % 2 or not registration.unregister():
                expected.append(mark)

    run_in_threads(8, work)
    source.cancel()
    assert sorted(map(str, ran)) == sorted(map(str, expected))


def test_a_callback_registered_while_others_cancel_runs_exactly_once_unless_it_was_taken_back() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for _ in range(30):
            register_beside_a_canceller()
    finally:
        sys.setswitchinterval(before)


def test_a_signal_handler_may_cancel_while_the_same_thread_registers() -> None:
    sources, ran = [CancellationTokenSource()], list[int]()
    previous = signal.signal(signal.SIGUSR1, lambda *_: sources[-1].cancel())
    try:
        for _ in range(50):
            sources.append(CancellationTokenSource())
            ran.clear()
            registered = 0
            sender = threading.Thread(target=os.kill, args=[os.getpid(), signal.SIGUSR1])
            sender.start()
            while not sources[-1].is_cancellation_requested:
                sources[-1].token.register(partial(ran.append, 1))
                registered += 1
            sender.join()
            assert len(ran) == registered
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_cancel_after_cancels_by_itself() -> None:
    with CancellationTokenSource(cancel_after=0.01) as source:
        cancelled = threading.Event()
        source.token.register(cancelled.set)
        assert cancelled.wait(PATIENCE_SECONDS)
        assert source.is_cancellation_requested


def test_cancel_after_replaces_the_time_that_was_set_before() -> None:
    with CancellationTokenSource(cancel_after=3600) as source:
        cancelled = threading.Event()
        source.token.register(cancelled.set)
        source.cancel_after(timedelta(milliseconds=10))
        assert cancelled.wait(PATIENCE_SECONDS)


def test_a_timer_that_was_replaced_or_stopped_cancels_nothing() -> None:
    source = CancellationTokenSource(cancel_after=3600)
    (number,) = source._timers
    source.cancel_after(None)
    source._go_off(number)
    assert source._timers == {}
    assert not source.is_cancellation_requested


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf"), timedelta(days=-1)])
def test_cancel_after_refuses_what_is_no_time_to_come(seconds: float | timedelta) -> None:
    with pytest.raises(ValueError, match="0 seconds or more"):
        CancellationTokenSource().cancel_after(seconds)


def test_a_timer_is_gone_once_the_source_is_cancelled_or_closed() -> None:
    for end in (CancellationTokenSource.cancel, CancellationTokenSource.close):
        source = CancellationTokenSource(cancel_after=3600)
        (timer,) = source._timers.values()
        end(source)
        timer.join(PATIENCE_SECONDS)
        assert not timer.is_alive()
        source.cancel_after(3600)
        assert source._timers == {}


def test_a_linked_source_is_cancelled_with_any_of_its_tokens() -> None:
    for which in range(2):
        parents = CancellationTokenSource(), CancellationTokenSource()
        with CancellationTokenSource.create_linked_token_source(
            CancellationToken.none, *(parent.token for parent in parents)
        ) as linked:
            assert not linked.is_cancellation_requested
            parents[which].cancel()
            assert linked.is_cancellation_requested
            assert not parents[1 - which].is_cancellation_requested


def test_a_linked_source_cancels_none_of_its_tokens() -> None:
    parent = CancellationTokenSource()
    linked = CancellationTokenSource.create_linked_token_source(parent.token)
    linked.cancel()
    assert not parent.is_cancellation_requested


def test_a_source_linked_to_a_cancelled_token_is_born_cancelled() -> None:
    parent = CancellationTokenSource()
    parent.cancel()
    assert CancellationTokenSource.create_linked_token_source(parent.token).is_cancellation_requested


def test_a_closed_linked_source_lets_go_of_its_tokens() -> None:
    parent = CancellationTokenSource()
    with CancellationTokenSource.create_linked_token_source(parent.token) as linked:
        assert len(parent._registrations) == 1
    assert parent._registrations == {}
    parent.cancel()
    assert not linked.is_cancellation_requested


def test_a_closed_source_cancels_nothing_and_a_cancelled_token_stays_cancelled() -> None:
    with CancellationTokenSource() as source:
        source.token.register(lambda: pytest.fail("the source was closed"))
    source.cancel()
    assert not source.token.is_cancellation_requested
    with CancellationTokenSource() as cancelled:
        cancelled.cancel()
    assert cancelled.token.is_cancellation_requested


def test_try_reset_makes_a_source_as_good_as_new() -> None:
    source, ran = CancellationTokenSource(cancel_after=3600), list[str]()
    source.token.register(lambda: ran.append("before"))
    assert source.try_reset()
    assert source._timers == {}
    source.token.register(lambda: ran.append("after"))
    source.cancel()
    assert ran == ["after"]


def test_try_reset_refuses_a_source_that_was_cancelled_is_linked_or_closed() -> None:
    cancelled, closed, parent = (CancellationTokenSource() for _ in range(3))
    cancelled.cancel()
    closed.close()
    linked = CancellationTokenSource.create_linked_token_source(parent.token)
    assert [source.try_reset() for source in (cancelled, closed, linked)] == [False] * 3
    assert cancelled.is_cancellation_requested


def test_try_reset_refuses_while_the_timer_is_going_off() -> None:
    source = CancellationTokenSource(cancel_after=3600)
    source._timers.popitem()[1].cancel()  # as `_go_off` does, before it cancels
    assert not source.try_reset()
