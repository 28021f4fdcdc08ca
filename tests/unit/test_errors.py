"""Every exception survives pickling with its text and its data."""

from __future__ import annotations

import pickle

import pytest

from stdnet import errors


@pytest.mark.parametrize(
    "error",
    [
        errors.UnknownField("shop.item", "nme", "filter", ["name"]),
        errors.BadExpression("this.x >", "it ends too early", 8),
        errors.BadAggregate("shop.item", "Sum('name')", "a CharField holds nothing that can be added"),
        errors.InvalidKeyword("shop.item", ["colour"], ["color"]),
        errors.InvalidValue("shop.item.size", "x", "is not an integer"),
        errors.CommitException(["first", "second"], 2, ["one", "two"], ["shop.other"]),
        errors.ConflictError([errors.Conflict("shop.item", 1, 2, 3, False, ("size",))], ["first"], 2, ["one"]),
        errors.BadUpdate("shop.item.size", "x", "it is the primary key"),
        errors.FieldValueError([{"size": "is not an integer"}]),
        errors.CommitUnknown("token", "the connection was lost"),
        errors.DuplicateModel("shop.item"),
        errors.MissingExtra("redis://", "redis"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_pickling(error):
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.args, vars(copy)) == (type(error), str(error), error.args, vars(error))
