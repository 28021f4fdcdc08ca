"""Threads and forks: no duplicate, no half commit, and a child with a whole copy and a usable lock."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import traceback
import warnings
from collections import Counter
from contextlib import contextmanager
from uuid import uuid4

import pytest

from stdnet import CommitException, odm

WRITERS, NAMES, READERS = 8, 200, 3
SECONDS = 60


class Half(odm.StdModel):
    """Rows come in pairs: a left and a right one of each name, in one commit."""

    name = odm.SymbolField(unique=True)
    pair = odm.SymbolField()
    number = odm.IntegerField(index=True)

    class Meta:
        app_label = "memory"


@pytest.fixture
def models():
    made = odm.Router(f"memory://threads-{uuid4().hex[:8]}")
    made.register(Half)
    yield made
    made.half.backend.check()
    made.flush()


@pytest.fixture
def tiny_switches():
    """Let the interpreter change threads as often as it can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@contextmanager
def threads(*functions):
    """Run functions in threads and raise the first error of any of them."""
    errors = []

    def guarded(function):
        try:
            function()
        except BaseException:
            errors.append(traceback.format_exc())

    running = [threading.Thread(target=guarded, args=(function,), daemon=True) for function in functions]
    for thread in running:
        thread.start()
    yield
    for thread in running:
        thread.join(SECONDS)
        assert not thread.is_alive(), "a thread hangs"
    assert not errors, errors[0]


def add_pair(models, n):
    """Commit both halves of a pair; return whether they were not there yet."""
    try:
        with models.session().begin() as t:
            for side in "lr":
                t.add(Half(name=f"{n}{side}", pair=f"{n}", number=n))
    except CommitException:
        return False
    return True


def test_writers_and_readers(models, tiny_switches):
    won, done = Counter(), threading.Event()
    barrier = threading.Barrier(WRITERS)

    def write():
        barrier.wait(SECONDS)
        mine = [n for n in range(NAMES) if add_pair(models, n)]
        won.update(mine)

    def read():
        while not done.is_set():
            pairs = Counter(half.pair for half in models.half.all())
            assert set(pairs.values()) <= {2}, "half a commit is visible"
            assert models.half.count() % 2 == 0
            assert models.half.filter(number__ge=0).count() % 2 == 0

    with threads(*[read] * READERS):
        with threads(*[write] * WRITERS):
            pass
        done.set()
    assert won == Counter(range(NAMES))
    assert models.half.count() == 2 * NAMES
    assert sorted(half.id for half in models.half.all()) == list(range(1, 2 * NAMES + 1))


def test_writers_that_take_away_and_put_back(models, tiny_switches):
    """Each writer takes pairs away and puts them back: what is there is always whole."""
    for n in range(20):
        add_pair(models, n)

    def churn(seed):
        def run():
            for step in range(40):
                pair = f"{(seed * 7 + step) % 20}"
                session = models.session()
                with session.begin() as t:
                    t.delete(session.query(Half).filter(pair=pair))
                add_pair(models, int(pair))
                assert models.half.filter(pair=pair).count() in (0, 2)

        return run

    with threads(*map(churn, range(WRITERS))):
        pass
    assert set(Counter(half.pair for half in models.half.all()).values()) == {2}


# -- fork -------------------------------------------------------------------------------------------------------


def in_a_child(function):
    """Run ``function`` in a forked child and return the text that it returns; a child that hangs is an error."""
    read, write = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # a fork beside threads is what is tested here
        child = os.fork()
    if child == 0:
        try:
            text = function()
        except BaseException:
            text = traceback.format_exc()
        os.write(write, text.encode())
        os._exit(0)
    os.close(write)
    ready, _, _ = select.select([read], [], [], SECONDS)
    if not ready:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(read, "rb") as answer:
        assert ready, "the child hangs"
        return answer.read().decode()


def test_a_child_has_a_copy_of_its_own(models):
    add_pair(models, 1)

    def child():
        seen = models.half.count()
        add_pair(models, 2)
        models.half.backend.check()
        return f"{seen} {models.half.count()}"

    assert in_a_child(child) == "2 4"
    assert models.half.count() == 2


def test_forks_beside_committing_threads(models, tiny_switches):
    done = threading.Event()

    def write(first):
        def run():
            n = 0
            while not done.is_set():
                add_pair(models, n * WRITERS + first)
                n = (n + 1) % NAMES  # a child has to read them all: if there were ever more, it would take ever longer

        return run

    def child():
        models.half.backend.check()
        pairs = Counter(half.pair for half in models.half.all())
        added = add_pair(models, -1)
        fresh = odm.Router("memory://")
        fresh.register(Half)
        add_pair(fresh, 1)
        return f"{set(pairs.values()) <= {2}} {added} {fresh.half.count()}"

    try:
        with threads(*map(write, range(4))):
            try:
                for _ in range(8):
                    assert in_a_child(child) == "True True 2"
            finally:
                done.set()
    finally:
        done.set()
    assert models.half.filter(pair="-1").count() == 0
