"""Random writes to a model with unique fields, beside a dict. The rule: a write is refused exactly
if two objects would share a value afterwards, and then nothing is written."""

from __future__ import annotations

import contextlib
from typing import Any
from unittest.mock import patch

import hypothesis
import pytest
from hypothesis import strategies as st
from judge.checker import check_model

from IndexedRedis import IRField, UniqueError, irNull, resetChanged
from IndexedRedis._core.bulk import insert as bulk_insert
from IndexedRedis._core.bulk import redo
from IndexedRedis._core.writes import sizes

NAMES = ('email', 'shop', 'sku')
VALUES = {
    'email': st.sampled_from(['a', 'b', 'c', '', None]),
    'shop': st.sampled_from(['s', '1', None]),
    'sku': st.sampled_from([1, 11, None]),
}
ROW = st.fixed_dictionaries(VALUES)
CHANGE = st.fixed_dictionaries({}, optional=VALUES).filter(bool)
NUMBER = st.integers(0, 5)
WRITE = st.one_of(
    st.tuples(st.just('insert'), st.lists(ROW, min_size=1, max_size=4)),
    st.tuples(st.just('change'), st.lists(st.tuples(NUMBER, CHANGE), min_size=1, max_size=4)),
    st.tuples(st.just('change partial'), st.lists(st.tuples(NUMBER, CHANGE), max_size=3)),
    st.tuples(st.just('put'), st.tuples(st.integers(1, 9), ROW)),
    st.tuples(st.just('update'), st.tuples(VALUES['shop'], CHANGE)),
    st.tuples(st.just('delete'), NUMBER),
    st.tuples(st.just('reset'), st.tuples(st.lists(NUMBER, max_size=2), st.lists(ROW, max_size=3))),
    st.tuples(st.just('reset changed'), st.lists(ROW, max_size=4)),
)
Rows = dict[int, dict[str, Any]]


def collide(rows: Rows) -> bool:
    """Whether two rows share a unique value."""
    emails = [row['email'] for row in rows.values() if row['email'] is not None]
    pairs = [(row['shop'], row['sku']) for row in rows.values()]
    pairs = [pair for pair in pairs if None not in pair]
    return len({*emails}) < len(emails) or len({*pairs}) < len(pairs)


class Both:
    """The model and the dict."""

    def __init__(self, model: Any) -> None:
        self.model, self.rows = model, Rows()

    def new(self, row: dict[str, Any]) -> Any:
        return self.model(**{name: value for name, value in row.items() if value is not None})

    def expect(self, rows: Rows, write: Any) -> Any:
        """Write, and expect these rows afterwards, or a refusal; return what was written."""
        if collide(rows):
            with pytest.raises(UniqueError):
                write()
            return None
        done = write()
        self.rows = rows
        return done

    def pk(self, number: int) -> int:
        return sorted(self.rows)[number % len(self.rows)]

    def do(self, what: str, how: Any) -> None:
        getattr(self, what.replace(' ', '_'))(how)
        assert self.stored() == self.rows

    def stored(self) -> Rows:
        return {
            obj._id: {name: _plain(getattr(obj, name)) for name in NAMES}
            for obj in self.model.objects.all()
        }

    def insert(self, rows: Any) -> None:
        first = 10**6
        fresh = dict(enumerate(rows, first))
        pks = self.expect(
            {**self.rows, **fresh}, lambda: self.model.saver.save(map_new(self, rows))
        )
        if pks:
            for pk, row in zip(pks, rows, strict=True):
                del self.rows[first]
                self.rows[pk] = row
                first += 1

    def change(self, changes: Any, partial: bool = False) -> None:
        if not self.rows:
            return
        by_pk = {self.pk(number): change for number, change in changes}
        rows = {pk: {**row, **by_pk.get(pk, {})} for pk, row in self.rows.items()}
        objs = []
        for pk, change in by_pk.items():
            obj = self.model.objects.get(pk)
            if partial:
                obj = self.model.objects.getOnlyFields(pk, [next(iter(change))])
            for name, value in change.items():
                setattr(obj, name, value)
            objs.append(obj)
        if objs:
            self.expect(rows, lambda: self.model.saver.save(objs))

    def change_partial(self, changes: Any) -> None:
        self.change(changes, partial=True)

    def put(self, how: Any) -> None:
        pk, row = how
        self.expect(
            {**self.rows, pk: row}, lambda: self.model.saver.save(self.new(row), forceID=pk)
        )

    def update(self, how: Any) -> None:
        shop, change = how
        rows = {
            pk: {**row, **change} if row['shop'] == shop else row for pk, row in self.rows.items()
        }
        self.expect(rows, lambda: self.model.objects.filter(shop=shop).update(**change))
        if collide(rows):  # the chunks before the one that was refused are written
            self.rows = self.stored()

    def delete(self, number: int) -> None:
        if self.rows:
            pk = self.pk(number)
            self.model.objects.get(pk).delete()
            del self.rows[pk]

    def reset(self, how: Any) -> None:
        kept, rows = how
        kept = {self.pk(number) for number in kept} if self.rows else set()
        objs = [*self.model.objects.getMultiple([*kept]), *map_new(self, rows)]
        expected = {**{pk: self.rows[pk] for pk in kept}, **dict(enumerate(rows, 10**6))}
        if self.expect(expected, lambda: self.model.reset(objs)) is not None:
            self.rows = {obj._id: row for obj, row in zip(objs, expected.values(), strict=True)}

    def reset_changed(self, rows: Any) -> None:
        rows = list({row['email']: row for row in rows}.values())
        objs = map_new(self, rows)
        keys = {self.model: 'email'}
        write = lambda: resetChanged({self.model: objs}, keys)  # noqa: E731
        if self.expect(dict(enumerate(rows)), write) is not None:
            self.rows = {obj._id: row for obj, row in zip(objs, rows, strict=True)}


def _plain(value: Any) -> Any:
    return None if value is irNull else value


def map_new(both: Both, rows: Any) -> list[Any]:
    return [both.new(row) for row in rows]


@pytest.mark.parametrize('way', ['short', 'in steps'])
@hypothesis.settings(
    max_examples=40, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture]
)
@hypothesis.given(st.lists(WRITE, max_size=12))
def test_random_writes(make_model, raw, way, writes):
    model = make_model(
        ['email', IRField('shop', hashIndex=True), IRField('sku', valueType=int)],
        indexed=['shop'],
        UNIQUE_FIELDS=['email', ('shop', 'sku')],
    )
    both = Both(model)
    with contextlib.ExitStack() as stack:
        if way == 'in steps':
            for place, name in ((sizes, 'SCRIPT_US'), (sizes, 'STEP_US')):
                stack.enter_context(patch.object(place, name, 30))
            for place in (redo, bulk_insert):
                stack.enter_context(patch.object(place, 'PUBLISHED_AT_ONCE', 2))
        for what, how in writes:
            both.do(what, how)
            assert check_model(raw, model) == []
    model.deleter.destroyModel()
