"""Numbers at the edge of what a score can hold, the same on every backend. The contract is asked directly."""

from __future__ import annotations

import pytest

from stdnet.contract import All, Change, Column, Commit, Delete, Eq, In, Save, Select, Table

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


def test_a_negative_zero_leads_to_the_id_zero_as_it_is_spelled(server):
    marks = Table("marks", Column("x", "float"))
    values = Table("values", Column("id", "int"), (Column("value", "float"),), auto=True)
    new = (Save(marks, [Change(x, None, ()) for x in (0.0, 1.0)]), Save(values, [Change(None, None, (-0.0,))]))
    plan = In("x", values, All(), "value")
    _, reply = server.execute([Commit(saves=new), Select(marks, plan, fields=())])
    assert [repr(id) for id in reply.ids] == ["0.0"]
    (done,) = server.execute([Commit((Delete(marks, plan),))])
    assert [repr(id) for id in done.deleted[0]] == ["0.0"]


def test_ids_start_at_one_whatever_was_given(server):
    first = server.execute([Commit(saves=(Save(LEVELS, [Change(-5, None, (1, 1)), Change(None, None, (2, 2))]),))])
    assert list(first[0].ids[0]) == [-5, 1]
