"""Numbers at the edge of what a score can hold, the same on every backend. The contract is asked directly."""

from __future__ import annotations

import pytest

from stdnet.contract import All, Change, Column, Commit, Eq, In, Save, Select, Table

EDGE = 2**53
LEVELS = Table("levels", Column("id", "int"), (Column("rank", "int", index="range"), Column("big", "int")), auto=True)


@pytest.fixture
def filled(server):
    server.execute([Commit(saves=(Save(LEVELS, [Change(None, None, (EDGE, EDGE + 1)), Change(None, None, (5, 5))]),))])
    return server


@pytest.mark.parametrize(("value", "ids"), [(EDGE, [1]), (EDGE + 1, []), (-EDGE - 1, []), (5, [2])])
def test_an_integer_that_no_score_can_hold_equals_no_value_of_a_range_index(filled, value, ids):
    (reply,) = filled.execute([Select(LEVELS, Eq("rank", (value,)), fields=())])
    assert list(reply.ids) == ids


def test_such_integers_of_another_column_match_nothing(filled):
    (reply,) = filled.execute([Select(LEVELS, In("rank", LEVELS, All(), "big"), fields=())])
    assert list(reply.ids) == [2]


def test_ids_start_at_one_whatever_was_given(server):
    first = server.execute([Commit(saves=(Save(LEVELS, [Change(-5, None, (1, 1)), Change(None, None, (2, 2))]),))])
    assert list(first[0].ids[0]) == [-5, 1]
