"""Every exception of stdnet, one tree.

An exception builds its message from its data, in its class, and names the model, the field, the value and
the next step. Classes that stand for a mistake that Python has a builtin for are that builtin, too. Nothing
here imports another module of stdnet, and no other module defines an exception.

```
StdNetException
├─ ConnectionError
├─ ImproperlyConfigured
│  ├─ AbstractModel                (AttributeError)
│  ├─ BadConnectionString          (ValueError)
│  ├─ UnknownScheme                (NotImplementedError)
│  ├─ MissingExtra                 (ImportError)
│  ├─ TableMismatch
│  └─ AnalyzerMismatch
├─ AlreadyRegistered
│  └─ DuplicateModel               (KeyError)
├─ ModelNotAvailable
├─ SessionNotAvailable
│  └─ RelationNotLoaded
├─ InvalidTransaction
│  └─ ReadOnly
├─ CannotExpire                    (ValueError)
├─ ResponseError
│  ├─ CommitException
│  │  └─ ConflictError
│  ├─ CommitUnknown
│  ├─ CallUnknown
│  └─ WrongKind
├─ FieldError
│  ├─ FieldOptionError             (TypeError)
│  ├─ NotARelation                 (ValueError)
│  └─ FieldValueError
│     └─ InvalidValue              (ValueError)
├─ InvalidKeyword                  (ValueError)
├─ NotConvertible                  (ValueError)
│  └─ WrongType                    (TypeError, AttributeError)
├─ StructureFieldError
│  ├─ StructureNotBound            (AttributeError)
│  └─ BadStructureValue            (ValueError)
├─ ObjectNotValidated              = Model.DoesNotValidate
├─ SerializerError                 (ValueError)
│  ├─ UnknownSerializer
│  └─ BadRow
└─ QuerySetError
   ├─ UnknownField
   ├─ UnknownLookup
   ├─ NotIndexed
   ├─ BadLookupValue
   ├─ BadExpression
   ├─ BadAggregate
   ├─ BadUpdate
   ├─ ManyToManyError
   └─ ObjectNotFound               = Model.DoesNotExist
```
"""

from __future__ import annotations

import builtins
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

_SHOWN = 80


def shown(value: object) -> str:
    """Return the ``repr`` of ``value``, cut to a length that a message can bear."""
    try:
        text = repr(value)
    except Exception:
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


def _suggestion(name: str, candidates: Iterable[str]) -> str:
    from difflib import get_close_matches

    known = sorted(candidates)
    close = get_close_matches(name, known, n=1)
    if close:
        return f' Did you mean "{close[0]}"?'
    return f" Known names: {', '.join(known)}." if known else ""


class StdNetException(Exception):
    """The root of all exceptions raised by stdnet. They survive pickling, with their text and their data."""

    def __reduce__(self) -> Any:
        return _rebuilt, (type(self), self.args), self.__dict__


def _rebuilt(cls: type[StdNetException], args: tuple[Any, ...]) -> StdNetException:
    """Make an exception again without building its message anew."""
    return cls.__new__(cls, *args)


class ConnectionError(StdNetException, builtins.ConnectionError):
    """The data server could not be reached."""


class ImproperlyConfigured(StdNetException):
    """A model, a router or a connection string is declared in a way that cannot work."""


class AbstractModel(ImproperlyConfigured, AttributeError):
    """An abstract model was used as if it had rows."""

    def __init__(self, modelkey: str) -> None:
        super().__init__(
            f'Model "{modelkey}" is abstract: it has no rows and no primary key. Use a model that derives from it.'
        )


class BadConnectionString(ImproperlyConfigured, ValueError):
    """A connection string has a part that is not understood."""

    def __init__(self, scheme: str, problem: str, example: str) -> None:
        super().__init__(f"Cannot use this {scheme}:// connection string: {problem}. Example: {example}")


class UnknownScheme(ImproperlyConfigured, NotImplementedError):
    """A connection string begins with a scheme that no backend serves."""

    def __init__(self, scheme: str, known: Iterable[str]) -> None:
        names = ", ".join(f"{name}://" for name in sorted(known))
        super().__init__(f'No backend serves the scheme "{scheme}". Known schemes: {names}.')


class MissingExtra(ImproperlyConfigured, ImportError):
    """A part of stdnet was asked for whose optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f'{what} needs an optional dependency. Run: pip install "python-stdnet[{extra}]"')


class TableMismatch(ImproperlyConfigured):
    """A database holds rows under the key of a model that are found in another way: by other indexed fields, say."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f'This database already holds rows of "{name}" with other indexed fields, ordering, types or expiry. '
            "If you changed the model, read its rows with the former definition, flush it, and store them with the new "
            "one; if there are two models, give one of them its own modelkey or namespace."
        )


class AnalyzerMismatch(ImproperlyConfigured):
    """The index of a search engine was made by another analyzer; words would be missed silently."""

    def __init__(self, stored: str, own: str) -> None:
        super().__init__(
            f'The search index was made by the analyzer "{stored}", and this engine has "{own}". Give the engine the '
            "same options, or call its reindex()."
        )


class AlreadyRegistered(StdNetException):
    """Something was registered twice that may be registered once."""


class DuplicateModel(AlreadyRegistered, KeyError):
    """Two model classes claim the same model key."""

    def __init__(self, modelkey: str) -> None:
        super().__init__(
            f'Model "{modelkey}" is already in the hash table. '
            "Give one of the two another Meta.name, Meta.app_label or Meta.modelkey, or set register = False."
        )

    def __str__(self) -> str:  # KeyError shows the repr of its argument
        return str(self.args[0])


class ModelNotAvailable(StdNetException):
    """A backend does not know a kind of model."""


class SessionNotAvailable(StdNetException):
    """An operation on an instance needs a session and the instance has none."""

    def __init__(self, what: str, operation: str) -> None:
        super().__init__(f"Cannot {operation} {what}: it has no session. Add it to a session first.")


class RelationNotLoaded(SessionNotAvailable):
    """A relation was touched that is not loaded, where it cannot or shall not be loaded by itself."""

    def __init__(self, model: object, name: str, cure: str) -> None:
        StdNetException.__init__(self, f'"{name}" of this "{model}" is not loaded, and {cure}.')


class InvalidTransaction(StdNetException):
    """A session or transaction is asked for something that its state does not allow."""


class ReadOnly(InvalidTransaction):
    """A write was sent to a read-only backend."""

    def __init__(self, request: str) -> None:
        super().__init__(f"{request} writes, and this backend is read-only. Send it to the write backend.")


class CannotExpire(StdNetException, ValueError):
    """A row cannot be given the deadline that was asked for."""

    def __init__(self, modelkey: str, problem: str) -> None:
        super().__init__(f'Cannot let this "{modelkey}" expire: {problem}.')


class ResponseError(StdNetException):
    """A backend refused or could not answer a request."""


class CommitException(ResponseError):
    """A commit was refused as a whole; nothing of it was stored.

    ``failures`` is the number of instances that were refused, ``reasons`` one sentence for each clash and
    ``instances`` the refused instances. They stay usable: mend them, add them again, and commit. ``stored`` names the
    models of other backends, which have a commit of their own each, that the same transaction had stored before.
    """

    def __init__(
        self,
        reasons: Sequence[str] | str,
        failures: int = 1,
        instances: Sequence[object] = (),
        stored: Sequence[str] = (),
    ) -> None:
        self.reasons = (reasons,) if isinstance(reasons, str) else tuple(reasons)
        self.failures = failures
        self.instances = tuple(instances)
        self.stored = tuple(stored)
        head = "" if failures == 1 else f"There were {failures} exceptions during commit. "
        head += (
            f"Nothing but {', '.join(stored)}, in another backend, was stored. " if stored else "Nothing was stored. "
        )
        super().__init__(head + "\n\n".join(self.reasons))


class Conflict(NamedTuple):
    """A row of which another version stands than was loaded.

    ``fields`` are the names of the fields in which it differs from what was loaded. ``gone``: the row was deleted.
    """

    model: str
    pk: Any
    expected: Any
    found: Any
    gone: bool
    fields: tuple[str, ...]

    def __str__(self) -> str:
        row = f"The row {self.pk!r} of {self.model}"
        if self.gone:
            return f"{row} was deleted since this instance was loaded. Save a new instance if it shall be there."
        differ = f", and differs in {', '.join(self.fields)}" if self.fields else ""
        return (
            f"{row} has changed since this instance was loaded: it is at version {self.found}, not "
            f"{self.expected}{differ}. Load it again and repeat the change."
        )


class ConflictError(CommitException):
    """A commit was refused because a row has changed, or was deleted, since the instance to be saved was loaded.

    ``conflicts`` names each such row, and the fields that differ; ``reasons`` may tell of other clashes, too.
    """

    def __init__(
        self,
        conflicts: Sequence[Conflict],
        reasons: Sequence[str] = (),
        failures: int = 1,
        instances: Sequence[object] = (),
        stored: Sequence[str] = (),
    ) -> None:
        self.conflicts = tuple(conflicts)
        super().__init__([*map(str, conflicts), *reasons], failures, instances, stored)


class CommitUnknown(ResponseError):
    """The connection was lost while a commit was on its way, and the attempts to ask again failed.

    ``token`` names the commit: once the server is back, ``resolve(token)`` of the backend tells whether it was applied.
    """

    def __init__(self, token: str, problem: str) -> None:
        self.token = token
        super().__init__(
            f'It is not known whether the commit "{token}" was applied. {problem} '
            "Ask the backend's resolve() with this token when the server is back, or commit again with the same token."
        )


class CallUnknown(ResponseError):
    """The connection was lost while an operation on a structure was on its way; it is not sent a second time."""

    def __init__(self, operation: str, kind: str, problem: str) -> None:
        super().__init__(
            f'It is not known whether "{operation}" of a {kind} was carried out. {problem} '
            "Look at the structure before you call it again."
        )


class WrongKind(ResponseError):
    """A key, or a place of a structure, holds something else than what belongs there."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f'The key "{key}" holds another type than stdnet keeps there, so nothing was changed. '
            "Something else wrote to this namespace: remove that key, or use another namespace."
        )


class FieldError(StdNetException):
    """A field or a model's set of fields is declared wrongly."""


class FieldOptionError(FieldError, TypeError):
    """A field got an option that it does not know."""

    def __init__(self, field: str, options: Iterable[str]) -> None:
        names = ", ".join(sorted(options))
        super().__init__(f"{field} got unknown options: {names}. Remove them or correct their names.")


class NotARelation(FieldError, ValueError):
    """A relation was asked for by a name that is not one."""

    def __init__(self, modelkey: str, name: str, known: Iterable[str]) -> None:
        super().__init__(f'"{name}" is not a relation of "{modelkey}".{_suggestion(name, known)}')


class FieldValueError(FieldError):
    """Instances with invalid values were about to be committed; nothing was stored.

    The text is JSON: the errors of the instance by field, or, when several instances are invalid, a list of
    such objects. ``errors`` is that list in any case, ``instances`` are the invalid instances.
    """

    def __init__(self, errors: Sequence[Mapping[str, str]] | str, instances: Sequence[object] = ()) -> None:
        self.errors = [{"": errors}] if isinstance(errors, str) else [dict(e) for e in errors]
        self.instances = tuple(instances)
        if isinstance(errors, str):
            super().__init__(errors)
        else:
            super().__init__(json.dumps(self.errors[0] if len(self.errors) == 1 else self.errors))


class InvalidValue(FieldValueError, ValueError):
    """A value cannot be converted to what a field holds."""

    def __init__(self, field: object, value: object, problem: str) -> None:
        self.field = str(field)
        self.problem = problem
        super().__init__(f"{field}: {shown(value)} {problem}.")


class InvalidKeyword(StdNetException, ValueError):
    """A model's constructor got a keyword or a positional argument that the model does not have."""

    def __init__(self, modelkey: str, names: Sequence[str], known: Iterable[str] = ()) -> None:
        if len(names) == 1:
            text = f'"{names[0]}" is an invalid keyword for {modelkey}.{_suggestion(names[0], known)}'
        else:
            text = f"{', '.join(sorted(names))} are invalid keywords for {modelkey}."
        super().__init__(text)


class NotConvertible(StdNetException, ValueError):
    """A helper or an encoder of ``stdnet.utils`` got a value that it cannot convert."""

    def __init__(self, helper: str, value: object, problem: str) -> None:
        super().__init__(f"{helper}: {shown(value)} {problem}.")


class WrongType(NotConvertible, TypeError, AttributeError):
    """A helper or an encoder of ``stdnet.utils`` got a value of a type that it does not take."""


class StructureFieldError(StdNetException):
    """A structure of a row cannot be used: the row is not saved, does not exist any more, or has no session."""


class StructureNotBound(StructureFieldError, AttributeError):
    """A structure was read or sent before it was added to a session."""

    def __init__(self, structure: object, operation: str) -> None:
        super().__init__(
            f'Cannot call "{operation}" of this {structure}: it has no session. '
            "Register it with a router and add it to a session first."
        )


class BadStructureValue(StructureFieldError, ValueError):
    """A structure cannot hold a value, or its content is not what an operation needs."""

    def __init__(self, structure: object, operation: str, problem: str) -> None:
        super().__init__(f'Cannot call "{operation}" of a {structure}: {problem}.')


class ObjectNotValidated(StdNetException):
    """A value that must be unique is taken (``Model.DoesNotValidate``)."""


class SerializerError(StdNetException, ValueError):
    """A dump cannot be written or read in the way that was asked for."""


class UnknownSerializer(SerializerError):
    """A serializer was asked for by a name that none has."""

    def __init__(self, name: object, known: Iterable[str]) -> None:
        super().__init__(f"There is no serializer {shown(name)}.{_suggestion(str(name), known)}")


class BadRow(SerializerError):
    """A line or a row of a dump cannot be loaded; nothing of its batch was stored.

    ``line`` is its number, from 1, in the file (in a JSON dump: among the rows of its model), ``problem`` says what
    is wrong with it. ``stored`` rows were stored before, in earlier batches.
    """

    def __init__(self, place: str, line: int, problem: str, stored: int = 0) -> None:
        self.line, self.problem, self.stored = line, problem, stored
        before = f"{stored} rows were stored before it" if stored else "nothing was stored before it"
        super().__init__(
            f"{place} {line} cannot be loaded: {problem.rstrip('.')}. Nothing of its batch was stored; {before}. "
            "Correct it and load the dump again: a row that has an id takes the place of the one that was stored."
        )


class QuerySetError(StdNetException):
    """A query cannot be compiled or its result is not what was asked for."""


class UnknownField(QuerySetError):
    """A query names a field that the model does not have."""

    def __init__(self, modelkey: str, name: str, purpose: str, known: Iterable[str] = ()) -> None:
        super().__init__(
            f'Could not {purpose} on model "{modelkey}". Field "{name}" does not exist.{_suggestion(name, known)}'
        )


class UnknownLookup(QuerySetError):
    """A filter keyword ends in something that is neither a lookup nor a path of its field."""

    def __init__(self, field: object, lookup: str, known: Iterable[str]) -> None:
        super().__init__(f'Unknown lookup "{lookup}" on field {field}.{_suggestion(lookup, known)}')


class NotIndexed(QuerySetError):
    """An equality filter names a field without an index."""

    def __init__(self, kind: str, field: object) -> None:
        super().__init__(
            f"{kind} {field} is not an index. Cannot query. "
            "Add index=True to the field, or use a range or text lookup, which scans."
        )


class BadLookupValue(QuerySetError):
    """The right-hand side of a filter cannot be compared with its field."""

    def __init__(self, field: object, lookup: str, value: object, problem: str) -> None:
        name = f"{field}__{lookup}" if lookup else str(field)
        super().__init__(f"Cannot filter on {name}: {shown(value)} {problem}.")


class BadExpression(QuerySetError):
    """A ``where`` expression is not in the expression language; the message points at the place."""

    def __init__(self, code: str, problem: str, position: int = 0) -> None:
        self.position = position
        line = code.replace("\n", " ")
        super().__init__(f"Cannot use this expression: {problem}.\n  {line}\n  {' ' * position}^")


class BadAggregate(QuerySetError):
    """An aggregate cannot be computed of the field that it names."""

    def __init__(self, modelkey: str, term: object, problem: str) -> None:
        super().__init__(f'Could not aggregate {shown(term)} on model "{modelkey}": {problem}.')


class BadUpdate(QuerySetError):
    """``query.update`` cannot set a field to what it was given."""

    def __init__(self, field: object, value: object, problem: str) -> None:
        super().__init__(f"Cannot update {field} to {shown(value)}: {problem}.")


class ManyToManyError(QuerySetError):
    """Two objects cannot be linked or unlinked: one is not saved, is of the wrong model, or is a class."""


class ObjectNotFound(QuerySetError):
    """No row matches (``Model.DoesNotExist``)."""


def not_found(modelkey: str, criteria: Mapping[str, Any]) -> ObjectNotFound:
    """Build the error of a ``get`` that matches no row."""
    text = ", ".join(f"{name}={shown(value)}" for name, value in criteria.items()) or "no criteria"
    return ObjectNotFound(f'No "{modelkey}" matches {text}.')
