"""ManyToManyField: rows of two models that are linked by rows of a third, the through model.

The field is no column. It makes, or completes, the through model, and gives both sides a manager.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, cast

from ..errors import FieldError, ManyToManyError
from .compositeid import CompositeIdField
from .fields import Field
from .links import Hop, Link
from .meta import forget
from .references import refer
from .related import RelatedManager
from .relations import ForeignKey

if TYPE_CHECKING:
    from .model import Model, StdModel


class ManyToManyField(Field[Any]):
    """A relation of many rows to many others.

    ``model`` is as for a ``ForeignKey``. ``through`` is the model whose rows are the links; by default one is made,
    named ``<model>_<related model>``. It gets a foreign key to each side, named after it (the second with the suffix
    ``2`` if both are the same), and a ``CompositeIdField`` over them; a model of your own may have more fields.
    Registering either side registers it. The related model's manager is ``related_name`` or ``<model>_set``.

    >>> from stdnet import odm
    >>> class Role(odm.StdModel):
    ...     name = odm.SymbolField()
    >>> class Profile(odm.StdModel):
    ...     roles = odm.ManyToManyField(Role, related_name="profiles")
    >>> models = odm.Router("memory://")
    >>> backend = models.register(Profile)
    >>> profile, role = models.profile.new(), models.role.new(name="admin")
    >>> link = profile.roles.add(role)
    >>> [role.name for role in profile.roles.all()], models.profile.filter(roles__name="admin").count()
    (['admin'], 1)
    """

    class_index = False
    class_required = False
    indexable = False
    is_column = False

    def __init__(self, model: Any, through: Any = None, related_name: str | None = None, **options: Any) -> None:
        if not model:
            raise FieldError("A ManyToManyField needs the model that it refers to.")
        super().__init__(**options)
        self.options |= {"model": model, "through": through, "related_name": related_name}
        self.relmodel: Any = model
        self.through: Any = through
        self.related_name = related_name
        self.made: Any = None

    if TYPE_CHECKING:
        # The managers of both sides take the place of the field when the models are made.
        def __get__(self, instance: object, owner: Any) -> Many2ManyRelatedManager: ...  # type: ignore[override]
        def __set__(self, instance: object, value: NoReturn) -> None: ...

    def prepare(self) -> None:
        refer(self.model, self.relmodel, self._found)

    def _found(self, relmodel: Any) -> None:
        if relmodel._meta.abstract:
            raise FieldError(f'{self} refers to "{relmodel._meta}", which is abstract and has no rows.')
        self.relmodel = relmodel
        if self.through is not None:
            refer(self.model, self.through, self._join)
            return
        self.made = self._make()
        try:
            self._join(self.made)
        except BaseException:
            self.unmake()
            raise

    def unmake(self) -> None:
        """Forget the through model that was made for a model which is not to be."""
        if self.made is not None:
            forget(self.made)
            self.made = self.through = None

    def _make(self) -> type[StdModel]:
        from .model import ModelType, StdModel  # a model has fields, and this field makes a model

        name = f"{self.meta.name}_{self.relmodel._meta.name}"
        earlier = [each for each in self.meta.fields if isinstance(each, ManyToManyField) and each is not self]
        if any(getattr(each.through, "__name__", "") == name for each in earlier):
            name = f"{name}_{self.name}"
        options = {"app_label": self.meta.app_label, "register": self.meta.registers}
        namespace = {"__module__": self.model.__module__, "Meta": type("Meta", (), options)}
        return cast("type[StdModel]", ModelType(name, (StdModel,), namespace))

    def _join(self, through: Any) -> None:
        """Give the through model its keys and its id, and both sides their managers."""
        self.related_name = self.related_name or f"{self.meta.name}_set"
        self.meta.check_related(self.name, self)
        self.relmodel._meta.check_related(self.related_name, self)
        own, other = self.meta.name, self.relmodel._meta.name
        if own == other:
            other += "2"
        keys = {own: self._key(through, own, self.model), other: self._key(through, other, self.relmodel)}
        fields: dict[str, Field[Any]] = {name: key for name, key in keys.items() if not hasattr(key, "meta")}
        through._meta.adopt({**fields, "id": CompositeIdField(own, other)})
        self.through = through
        first, second = keys.values()
        self.meta.add_related(self.name, Many2ManyRelatedManager(first, self.name, formkey=second))
        self.relmodel._meta.add_related(
            self.related_name, Many2ManyRelatedManager(second, self.related_name, formkey=first)
        )

    def _key(self, through: Any, name: str, model: Any) -> ForeignKey[Any]:
        """Return the through model's own key to a model, or a new one."""
        field = through._meta.dfields.get(name)
        if field is None:
            return ForeignKey(model, related_name="+")
        if not isinstance(field, ForeignKey) or field.relmodel is not model or not field.required:
            raise FieldError(
                f'{field} must be a required ForeignKey to "{model._meta}", because {self} goes through it.'
            )
        return field


class Many2ManyRelatedManager(RelatedManager):
    """The rows on the other side of a many-to-many relation.

    ``formodel`` is the model of these rows, ``model`` (or ``through``) the through model; ``name_relmodel`` and
    ``name_formodel`` are the names of its keys to this side and to the other.
    """

    def __init__(self, field: Any, name: str, instance: Any = None, formkey: Any = None) -> None:
        super().__init__(field, name, instance)
        self.formkey: ForeignKey[Any] = formkey

    def bound(self, instance: Any) -> Any:
        return type(self)(self.field, self.name, instance, self.formkey)

    @property
    def through(self) -> type[Model]:
        """The through model."""
        return self.model

    @property
    def formodel(self) -> type[Model]:
        """The model on the other side."""
        model: type[Model] = self.formkey.relmodel
        return model

    @property
    def name_relmodel(self) -> str:
        """The name of the through model's key to this side."""
        name: str = self.field.name
        return name

    @property
    def name_formodel(self) -> str:
        """The name of the through model's key to the other side."""
        return self.formkey.name

    def link(self) -> Link:
        meta, here, there = self.field.meta, self.field, self.formkey
        hops = (
            Hop(here.related_pk.attname, meta, here.attname),
            Hop(there.attname, there.related_meta, there.related_pk.attname),
        )
        return Link(self.name, hops, there, many=True)

    def throughquery(self, session: Any = None) -> Any:
        """Return a query over the rows of the through model: those of the bound instance, or all."""
        query = self.session(session).query(self.model)
        return query if self.instance is None else query.intersect(query.filter(**{self.name_relmodel: self.pk()}))

    def _rows(self, session: Any) -> Any:
        query = session.query(self.formodel)
        if self.instance is None:
            return query
        return query.intersect(self.throughquery(session).get_field(self.name_formodel))

    def add(self, value: Any, session: Any = None, **kwargs: Any) -> Any:
        """Link an object, and return the row of the through model; keywords are its other fields.

        It is saved at once, or with the transaction of the session. What is linked already stays linked.
        Raises ``ManyToManyError`` for a class, and unless both sides are saved and of the right models.
        """
        self._check(value, "link")
        session = self.session(session)
        row = self.model(**{self.name_relmodel: self.instance, self.name_formodel: value, **kwargs})
        self._forget(value)
        return session.add(row)

    def remove(self, value: Any, session: Any = None) -> Any:
        """Unlink an object; return what ``session.delete`` returns: deleted pks, or ``None`` if it was not linked."""
        self._check(value, "unlink")
        session = self.session(session)
        rows = session.query(self.model).filter(**{self.name_relmodel: self.instance, self.name_formodel: value})
        self._forget(value)
        return session.delete(rows)

    def _check(self, value: Any, verb: str) -> None:
        if self.instance is None:
            raise ManyToManyError(
                f'Cannot {verb} to the class "{self.relmodel._meta}". Use "{self.name}" of an instance.'
            )
        if not hasattr(value, "_meta") or isinstance(value, type) or value._meta is not self.formkey.related_meta:
            raise ManyToManyError(
                f'Cannot {verb} {value!r}: "{self.name}" of "{self.relmodel._meta}" holds "{self.formodel._meta}".'
            )
        for each in (self.instance, value):
            if each._meta.pkname() not in each.dbdata:
                raise ManyToManyError(f'Cannot {verb} a "{each._meta}" that is not saved. Save it first.')
            if verb == "link" and each.get_state().deleted:
                raise ManyToManyError(f'Cannot {verb} a "{each._meta}" that is deleted. Make a new instance.')

    def _forget(self, value: Any) -> None:
        """Drop what was loaded along and is about to change."""
        self.instance.__dict__.pop(self.link().cache_name, None)
        for manager in value._meta.related.values():
            if getattr(manager, "field", None) is self.formkey:
                value.__dict__.pop(manager.link().cache_name, None)
