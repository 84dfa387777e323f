"""A model as starlette-admin knows it: its list, the page of an object, its forms.

The rule: the library's queries find the objects; their rows are then read as stored bytes, so a
list decodes no value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NoReturn

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette_admin import BaseModelView
from starlette_admin.exceptions import FormValidationError
from starlette_admin.filters import FilterGroup
from starlette_admin.types import RequestAction

from .. import IRForeignLinkFieldBase
from ..cli.exact import exact
from ..errors import FieldValueError, IndexedRedisError, UniqueError
from . import values
from .fields import PK, PkField, Row, StoredField, admin_name
from .filters import condition_of, search_condition

__all__ = ('ModelView',)

NOT_FOUND, BAD_REQUEST = 404, 400
CHANGED = 'it has changed since this form was opened; now it is {}. Load the page again to edit it.'
# Rows of the largest list that an action asks for at once.
ALL_ROWS = 1000


class ModelView(BaseModelView):
    """The pages of a model.

    :param model: the model
    :param key: its name in URLs
    :param read_only: whether no page changes anything
    """

    list_template = 'ir/list.html'
    detail_template = 'ir/detail.html'
    create_template = 'ir/create.html'
    edit_template = 'ir/edit.html'
    page_size = 20
    page_size_options = [20, 50, 100]
    search_highlight = False
    icon = 'fa fa-table'
    pk_attr = PK
    #: the views of all models, by their classes; the site sets it
    views: dict[Any, ModelView]

    def __init__(self, model: Any, key: str, read_only: bool = True) -> None:
        columns = model._validated().columns
        stored = [
            StoredField(admin_name(field, i), field, columns[name].indexed, columns[name].sorted)
            for i, field in enumerate(model.FIELDS)
            for name in [field.name]
        ]
        self.model, self.key, self.read_only = model, key, read_only
        self.display_name = self.menu_label = model.__name__
        self.fields = [PkField(), *stored]
        self.stored: dict[str, StoredField] = {field.name: field for field in stored}
        self.sortable_fields = [
            PK,
            *(field.name for field in stored if columns[field.source.name].sorted),
        ]
        self.searchable_fields = [field.name for field in stored if field.filters]
        self.indexed = [name for name, column in columns.items() if column.indexed]
        self._exact = exact(model)
        super().__init__()

    def can_create(self, request: Request) -> bool:
        """Return whether objects can be made."""
        return not self.read_only

    can_edit = can_delete = can_create

    def can_export(self, request: Request) -> bool:
        """Return False: ``indexedredis export`` does it, and exactly."""
        return False

    can_import = can_export

    def can_access_field(
        self, request: Request, field: Any, action: RequestAction | None = None
    ) -> bool:
        """Return whether a page has a field; forms have no pk."""
        action = request.state.action if action is None else action
        in_form = action in (RequestAction.CREATE, RequestAction.EDIT)
        return not (in_form and field.name == PK)

    def query(
        self, q: str | None, sorts: Sequence[tuple[str, str]] | None, filters: FilterGroup | None
    ) -> Any:
        """Return the query of a list; None if no field can hold the text of the search.

        :raises HTTPException: if a filter has a value that its field cannot hold
        """
        try:
            query = self.model.objects
            if q:
                found = search_condition(self.model, self.indexed, q)
                if found is None:
                    return None
                query = query.filter(found)
            condition = condition_of(filters or FilterGroup(), self.stored)
            query = query if condition is None else query.filter(condition)
            return query.orderBy(*self._order(sorts or ()))
        except (IndexedRedisError, TypeError, ValueError) as error:
            _refuse(error)

    def _order(self, sorts: Sequence[tuple[str, str]]) -> list[str]:
        if [*sorts] == [(PK, 'asc')]:
            return []  # the order of a query without one
        names = {PK: 'pk', **{name: field.source.name for name, field in self.stored.items()}}
        return [('-' if way == 'desc' else '') + names[name] for name, way in sorts]

    async def find_all(
        self,
        request: Request,
        skip: int = 0,
        limit: int = 100,
        q: str | None = None,
        sorts: Sequence[tuple[str, str]] | None = None,
        filters: FilterGroup | None = None,
    ) -> list[Row]:
        """Return the rows of a page of the list.

        Redis: as ``getPrimaryKeys()`` of the part; ``SMISMEMBER`` and ``HMGET``.
        """
        query = self.query(q, sorts, filters)
        if query is None:
            return []
        part = query.limit(limit if limit > 0 else ALL_ROWS, skip)
        return await self.rows(await part.agetPrimaryKeys())

    async def count(
        self, request: Request, q: str | None = None, filters: FilterGroup | None = None
    ) -> int:
        """Return how many objects a list has."""
        query = self.query(q, None, filters)
        return 0 if query is None else await query.acount()

    async def rows(self, pks: Sequence[Any]) -> list[Row]:
        """Return the stored bytes of objects, without those that are gone."""
        found = await self._exact.objects.agetMultiple(pks)
        return [Row(obj.getPk(), obj.asDict(strKeys=True)) for obj in found if obj is not None]

    async def find_by_pk(self, request: Request, pk: Any) -> Row | None:
        """Return the stored bytes of an object; None if it is not stored."""
        if not re.fullmatch('0*[1-9][0-9]{0,18}', str(pk)):
            return None
        return next(iter(await self.rows([int(pk)])), None)

    async def find_by_pks(self, request: Request, pks: list[Any]) -> list[Row]:
        """Return the stored bytes of objects."""
        return await self.rows(_numbers(pks))

    async def create(self, request: Request, data: dict[str, Any]) -> Any:
        """Store a new object with what a form sent.

        :raises FormValidationError: if a field cannot hold its value, or it is not unique
        """
        obj = self.model()
        offered = {
            name: typed
            for name, typed in data.items()
            if typed is not None and self.stored[name].editable(None)
        }
        await self._assign(obj, offered)
        return await self._saved(obj)

    async def edit(self, request: Request, pk: Any, data: dict[str, Any]) -> Any:
        """Store the fields that a form changed.

        :raises FormValidationError: as of :meth:`create`; or if somebody else changed one of them
        """
        stored = await self._stored_row(request, pk)
        obj = await self.model.objects.aget(int(pk))
        if obj is None:
            raise HTTPException(NOT_FOUND)
        changed = {
            name: typed
            for name, typed in data.items()
            if typed is not None
            and self.stored[name].editable(stored[self.stored[name].source.name])
            and values.has_changed(self.stored[name].source, typed)
        }
        await self._assign(obj, changed)
        # Last, so that nothing but the way to the server is left in which somebody may change it.
        self._check_unchanged(await self._stored_row(request, pk), changed)
        return await self._saved(obj)

    async def _stored_row(self, request: Request, pk: Any) -> Mapping[str, bytes | None]:
        row = await self.find_by_pk(request, pk)
        if row is None:
            raise HTTPException(NOT_FOUND)
        return row.stored

    def _check_unchanged(
        self, stored: Mapping[str, bytes | None], changed: Mapping[str, values.Typed]
    ) -> None:
        """Check that fields hold what the form was made from."""
        errors: dict[str | int, Any] = {}
        for name, typed in changed.items():
            source = self.stored[name].source
            now = values.shown(source, stored[source.name])
            if typed.mark != now.mark:
                errors[name] = CHANGED.format('null' if now.null else repr(now.short))
        if errors:
            raise FormValidationError(errors)

    async def _assign(self, obj: Any, typed: dict[str, values.Typed]) -> None:
        """Set attributes, and check that links lead to objects."""
        errors: dict[str | int, Any] = {}
        for name, given in typed.items():
            source = self.stored[name].source
            try:
                value = values.value_of(source, given)
                setattr(obj, source.name, value)
                if isinstance(source, IRForeignLinkFieldBase) and value:
                    await _check_targets(source.foreignModel, value.getPks())
            except (FieldValueError, ValueError, TypeError) as error:
                errors[name] = str(error)
        if errors:
            raise FormValidationError(errors)

    async def _saved(self, obj: Any) -> Any:
        try:
            await obj.asave(cascadeSave=False)
        except UniqueError as error:
            names = [name for name, each in self.stored.items() if each.source.name in error.fields]
            raise FormValidationError(dict.fromkeys(names, str(error))) from error
        return obj

    async def delete(self, request: Request, pks: list[Any]) -> int | None:
        """Delete objects; return their number."""
        found: int = await self.model.objects.filter(pk__in=_numbers(pks)).adelete()
        return found

    def targets(self, field: StoredField, value: values.Shown) -> list[tuple[str, str | None]]:
        """Return each pk of a link, and the key of the view of its target; None if it has none."""
        view = self.view_of(field.source.foreignModel)
        pks = value.text.split(',') if value.kind in ('text', 'absent') else []
        return [(pk, view.key if view and pk.isdigit() else None) for pk in pks if pk]

    def view_of(self, model: Any) -> ModelView | None:
        """Return the view of a model, or of another class for the same objects."""
        exactly = self.views.get(model)
        alike = (view for view in self.views.values() if view.model.KEY_NAME == model.KEY_NAME)
        return exactly or next(alike, None)

    def linking(self) -> list[tuple[ModelView, StoredField]]:
        """Return the indexed links of all views that lead to this model."""
        return [
            (view, field)
            for view in self.views.values()
            for field in view.stored.values()
            if field.is_link
            and field.filters
            and not field.source.isMulti()
            and self.view_of(field.source.foreignModel) is self
        ]


def _numbers(pks: Iterable[Any]) -> list[int]:
    """Return pks as numbers, without texts that are not numbers."""
    return [int(pk) for pk in pks if str(pk).isdecimal()]


async def _check_targets(model: Any, pks: list[Any]) -> None:
    """Check that objects are stored.

    :raises ValueError: if one is not
    """
    found = await model.objects.agetMultipleOnlyFields(pks, [model.FIELDS[0].name])
    missing = [str(pk) for pk, obj in zip(pks, found, strict=True) if obj is None]
    if missing:
        raise ValueError(f'there is no {model.__name__} {", ".join(missing)}')


def _refuse(error: Exception) -> NoReturn:
    """Answer with the text of an error."""
    raise HTTPException(BAD_REQUEST, str(error)) from error
