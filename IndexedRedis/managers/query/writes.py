"""Query methods that write: update by filter, create, get or create.

Each method has an awaitable twin with the prefix ``a``. Both run the same flow.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..._core.flows import Flow
from ..._core.links import saving
from ..._core.partitions import writing
from ..._core.partitions.queries.verbs import the_one
from ..._core.queries.query import Query
from ..._core.text import near_miss
from ...errors import UniqueError, UsageError
from ...generics import M
from ...twins import awaitable
from .flows import QueryFlows

__all__ = ('QueryWrites',)

Created = tuple[Any, bool]

# How often getOrCreate() looks again, while others create and delete the object.
CREATE_ATTEMPTS = 20


class QueryWrites(QueryFlows[M]):
    """Update the objects that match, or create one."""

    def update(self, /, **values: Any) -> int:
        """Set fields of the objects that match, in chunks, and return how many were updated.

        All values are converted before anything is sent. Each chunk is written whole, in one
        moment, with its index entries. The script compares the fields that the filters name, so an
        object that another process changes meanwhile, such that it does not match, stays as it
        is. So of several processes that call ``filter(owner=None).update(owner=me)``, each object
        goes to one. If the call fails, the chunks so far are written; call it again. Objects in
        memory keep their values.

        :param values: ``name=value`` of any fields; a linked object must be saved
        :raises UsageError: if no value is given, or a name is unknown
        :raises FieldValueError: if a field cannot hold its value, or decides the partition
        :raises UniqueError: if two objects would have one unique value; earlier chunks stay written
        :raises OutcomeUnknownError: if the connection breaks before a reply, and the values decide
            which objects match; other updates are sent again

        Redis: the pks; then for up to 64 of them ``SMISMEMBER``, ``HMGET`` of the fields to
        compare, and one script of about 1 ms.
        """
        return self._run(self._update(values))

    @awaitable(update)
    async def aupdate(self, /, **values: Any) -> int:
        return await self._arun(self._update(values))

    def create(self, /, **values: Any) -> M:
        """Make an object, save it, and return it: ``Model(**values)``, then ``save()``.

        :param values: values by field name
        :raises UsageError: if the query has filters
        :raises FieldValueError: if a field cannot hold its value
        :raises UniqueError: if another object has a unique value of it
        """
        return self._run(self._create(values))

    @awaitable(create)
    async def acreate(self, /, **values: Any) -> M:
        return await self._arun(self._create(values))

    def getOrCreate(
        self, /, defaults: Mapping[str, Any] | None = None, **values: Any
    ) -> tuple[M, bool]:
        """Return the object with these values and False; if there is none, a new one and True.

        If ``UNIQUE_FIELDS`` lists the fields of these values, or some of them, any number of
        processes that call it create one object. Without unique fields, another process may create
        an object with the same values between look-up and save: then there are two of them.

        :param defaults: further values of a new object
        :param values: ``name=value`` of indexed fields
        :raises UsageError: if the query has filters, no value is given, or a name is unknown
        :raises QueryError: if a field is not indexed
        :raises MultipleObjectsError: if several objects have these values
        :raises UniqueError: if an object with other values has a unique value of the new one

        Redis: as :meth:`get` with filters; then as :meth:`create`.
        """
        return self._run(self._get_or_create(values, defaults or {}, 'getOrCreate'))

    @awaitable(getOrCreate)
    async def agetOrCreate(
        self, /, defaults: Mapping[str, Any] | None = None, **values: Any
    ) -> tuple[M, bool]:
        return await self._arun(self._get_or_create(values, defaults or {}, 'getOrCreate'))

    def updateOrCreate(
        self, /, defaults: Mapping[str, Any] | None = None, **values: Any
    ) -> tuple[M, bool]:
        """Set the defaults on the object with these values; if there is none, create it with both.

        See :meth:`getOrCreate`, also for what happens if several processes do it at a time.

        :param defaults: the values to set
        :param values: ``name=value`` of indexed fields
        :returns: the object, and whether it was created
        :raises ObjectGoneError: if another process deletes the object meanwhile
        :raises UniqueError: if another object has a unique value of it
        """
        return self._run(self._update_or_create(values, defaults or {}))

    @awaitable(updateOrCreate)
    async def aupdateOrCreate(
        self, /, defaults: Mapping[str, Any] | None = None, **values: Any
    ) -> tuple[M, bool]:
        return await self._arun(self._update_or_create(values, defaults or {}))

    def _update(self, values: Mapping[str, Any]) -> Flow[int]:
        from ..._core.bulk.update import encoded  # saves import time

        self._columns(values)  # refuses unknown names
        written = encoded(self._schema, values)

        def updated(asked: Query) -> Flow[int]:
            return writing.update_matching(asked, written)

        return self._asked(updated, reads=False)

    def _create(self, values: Mapping[str, Any]) -> Flow[M]:
        self._refuse_filters('create')
        return self._saved(self.mdl(**values))

    def _get_or_create(
        self, values: Mapping[str, Any], defaults: Mapping[str, Any], method: str
    ) -> Flow[Created]:
        for attempt in range(CREATE_ATTEMPTS):
            found = yield from self._with(values, method)
            if found is not None:
                return found, False
            try:
                return (yield from self._saved(self.mdl(**{**values, **defaults}))), True
            except UniqueError as error:
                # Most likely another process has just created the object.
                if attempt and not values.keys() >= {*error.fields}:
                    raise
                last = error
        raise last

    def _update_or_create(
        self, values: Mapping[str, Any], defaults: Mapping[str, Any]
    ) -> Flow[Created]:
        self._columns(defaults)
        found, created = yield from self._get_or_create(values, defaults, 'updateOrCreate')
        if not created:
            for name, value in defaults.items():
                setattr(found, name, value)
            yield from self._saved(found)
        return found, created

    def _with(self, values: Mapping[str, Any], method: str) -> Flow[Any]:
        """Return the object with these values, or None."""
        self._refuse_filters(method)
        schema = self._schema
        if not values:
            raise UsageError(f'{schema.name}: {method}() needs values to look for: name=value.')
        for name in values:
            if name not in schema.columns:
                hint = near_miss(name, list(schema.columns))
                raise UsageError(
                    f'{schema.name}: {method}() takes values of fields, not {name!r}.{hint}'
                )
        return (yield from the_one(self._filtered(values)._query, schema.all))

    def _saved(self, obj: Any) -> Flow[Any]:
        yield from saving.save(self._schema, [obj], [None], self._server_of)
        return obj
