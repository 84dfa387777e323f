"""Random histories against plain Python. The rule: after any sequence of calls, through fresh and
stale objects of two classes over one set of keys, the server holds what a dict of dicts says."""

from __future__ import annotations

import copy
import itertools

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from judge.checker import check_model

from IndexedRedis import IndexedRedisModel, IRField, errors, irNull

pytestmark = pytest.mark.histories
NAMES = ('name', 'n', 'tag', 'note', 'items')
INDEXED = ('name', 'n', 'tag')
_numbers = itertools.count(1)

words = st.sampled_from(['', 'a', 'b', 'a:b', 'é', None])
numbers = st.sampled_from([0, 1, -1, 10**20, None])
lists = st.sampled_from([[], [1], ['x', {'y': None}], None])
values = st.fixed_dictionaries(
    {},
    optional={'name': words, 'n': numbers, 'tag': words, 'note': words, 'items': lists},
)
conditions = st.dictionaries(
    st.sampled_from([name + suffix for name in INDEXED for suffix in ('', '__ne')]),
    st.one_of(words, numbers),
    max_size=3,
).map(
    lambda given: {
        key: value
        for key, value in given.items()
        if value is None or isinstance(value, int) == (key.removesuffix('__ne') == 'n')
    }
)


class Fields(IndexedRedisModel):
    """What both classes have in common."""

    FIELDS = [
        IRField('name'),
        IRField('n', valueType=int),
        IRField('tag', hashIndex=True),
        IRField('note'),
        IRField('items', valueType=list),
    ]
    INDEXED_FIELDS = list(INDEXED)
    KEY_NAME = 'Fields'


def row(given):
    """A complete row; what is not given is null."""
    return {name: copy.deepcopy(given.get(name)) for name in NAMES}


def seen(obj):
    """The values of an object, nulls as None."""
    got = {name: copy.deepcopy(getattr(obj, name)) for name in NAMES}
    return {name: None if value is irNull else value for name, value in got.items()}


class Handle:
    """An object, and what it must know: its values, and those it took for stored."""

    def __init__(self, obj, local, base=None):
        self.obj, self.local, self.base = obj, copy.deepcopy(local), base

    @property
    def changes(self):
        if self.base is None:
            return dict(self.local)
        return {name: new for name, new in self.local.items() if new != self.base[name]}


class Histories(RuleBasedStateMachine):
    """The rules are what a program may do; ``truth`` is what must then be stored."""

    handles = Bundle('handles')
    client = None
    remembered = 0

    def __init__(self):
        super().__init__()
        self.model = type(IndexedRedisModel)(
            'One', (Fields,), {'KEY_NAME': f'H{next(_numbers)}', 'FIELDS': list(Fields.FIELDS)}
        )
        self.model.CLIENT_SIDE_CACHE = self.remembered
        self.twin = type(IndexedRedisModel)('Two', (self.model,), {})
        self.truth, self.used = {}, set()

    def new(self, given, **more):
        model = self.twin if len(given) % 2 else self.model
        return model(**given, **more)

    def fresh(self, pk):
        assert pk not in self.used
        self.used.add(pk)
        return pk

    @rule(target=handles, given=values)
    def insert(self, given):
        obj = self.new(given)
        (pk,) = obj.save()
        self.truth[self.fresh(pk)] = row(given)
        return Handle(obj, row(given), row(given))

    @rule(target=handles, given=st.lists(values, min_size=2, max_size=4))
    def insert_many(self, given):
        objs = [self.model(**each) for each in given]
        for pk, each in zip(self.model.saver.save(objs), given, strict=True):
            self.truth[self.fresh(pk)] = row(each)
        both = zip(objs, given, strict=True)
        return multiple(*(Handle(obj, row(each), row(each)) for obj, each in both))

    @rule(target=handles, known=handles)
    def fetch(self, known):
        """One more object of the same pk: from now on one of the two goes stale."""
        obj = self.twin.objects.get(known.obj._id or 0)
        if obj is None:
            assert known.obj._id not in self.truth
            return multiple()
        assert seen(obj) == self.truth[obj._id]
        return Handle(obj, seen(obj), seen(obj))

    @rule(handle=handles, given=values)
    def assign(self, handle, given):
        for name, value in given.items():
            setattr(handle.obj, name, value)
        handle.local.update(copy.deepcopy(given))
        assert seen(handle.obj) == handle.local

    @rule(handle=handles)
    def change_in_place(self, handle):
        if handle.local['items'] is not None:
            handle.obj.items.append('more')
            handle.local['items'] = [*handle.local['items'], 'more']

    @rule(handle=handles)
    def save(self, handle):
        self._save([handle], handle.obj.save)

    @rule(some=st.lists(handles, max_size=3))
    def save_many(self, some):
        chosen = {handle.obj._id or id(handle): handle for handle in some}.values()
        self._save(chosen, lambda: self.model.saver.save([handle.obj for handle in chosen]))

    def _save(self, handles, save):
        gone = [h for h in handles if h.base is not None and h.changes and not self._stored(h)]
        if gone:
            before = [handle.obj.__dict__.copy() for handle in handles]
            with pytest.raises(errors.ObjectGoneError):
                save()
            # The marks may be refined, but pks and values stay as they were.
            for handle, was in zip(handles, before, strict=True):
                assert (handle.obj._id, seen(handle.obj)) == (was['_id'], handle.local)
            return
        for handle, pk in zip(handles, save(), strict=True):
            if handle.base is None and pk not in self.truth:
                self.truth[self.fresh(pk)] = dict(handle.local)
            elif handle.changes:
                self.truth[pk].update(handle.changes)
            handle.base = dict(handle.local)
            assert not handle.obj.hasUnsavedChanges()

    def _stored(self, handle):
        return handle.obj._id in self.truth

    @rule(handle=handles)
    def delete(self, handle):
        pk = handle.obj._id
        assert handle.obj.delete() == int(pk is not None)
        assert handle.obj._id is None
        self.truth.pop(pk, None)
        handle.base = None

    @rule(handle=handles)
    def delete_by_pk(self, handle):
        pk = handle.obj._id
        if pk is not None:
            assert self.twin.deleter.deleteByPk(pk) == int(pk in self.truth)
            self.truth.pop(pk, None)

    @rule(filters=conditions.filter(bool))
    def delete_matching(self, filters):
        matching = self._matching(filters)
        assert self.model.objects.filter(**filters).delete() == len(matching)
        for pk in matching:
            del self.truth[pk]

    @rule(target=handles, known=handles, given=values)
    def put(self, known, given):
        """Write all of a record under a pk that was used before, whether it is there or not."""
        pk = known.obj._id
        if pk is None:
            return multiple()
        obj = self.new(given, _id=pk)
        assert obj.save() == [pk]
        self.truth[pk] = row(given)
        return Handle(obj, row(given), row(given))

    @rule(target=handles, given=values, ahead=st.integers(1, 3))
    def put_ahead(self, given, ahead):
        """Write under a pk that was never handed out: the counter has to move past it."""
        pk = self.fresh(max(self.used, default=0) + ahead)
        obj = self.new(given)
        assert self.model.saver.save(obj, forceID=pk) == [pk]
        self.truth[pk] = row(given)
        return Handle(obj, row(given), row(given))

    @rule(target=handles, given=st.lists(values, max_size=3), brought=st.lists(handles, max_size=2))
    def reset(self, given, brought):
        kept = list({handle.obj._id or id(handle): handle for handle in brought}.values())
        made = [Handle(self.model(**each), row(each)) for each in given]
        handles = [*made[:1], *kept, *made[1:]]
        was = [handle.obj._id for handle in handles]
        pks = self.model.objects.reset([handle.obj for handle in handles])
        assert [pk for pk in pks if pk not in was] == sorted(pk for pk in pks if pk not in was)
        self.truth = {}
        for handle, before, pk in zip(handles, was, pks, strict=True):
            assert pk == (before or self.fresh(pk)) == handle.obj._id
            self.truth[pk] = dict(handle.local)
            handle.base = dict(handle.local)
        return multiple(*made)

    @rule()
    def reindex(self):
        assert self.twin.objects.reindex() == len(self.truth)

    def _matching(self, filters):
        def passes(values, key, wanted):
            name, _, negated = key.partition('__')
            return (values[name] == wanted) != bool(negated)

        return {
            pk
            for pk, values in self.truth.items()
            if all(passes(values, key, wanted) for key, wanted in filters.items())
        }

    @rule(filters=conditions)
    def ask(self, filters):
        query, matching = self.twin.objects.filter(**filters), self._matching(filters)
        assert query.count() == len(matching)
        assert query.getPrimaryKeys(True) == sorted(matching)
        assert {obj._id: seen(obj) for obj in query.all()} == {
            pk: self.truth[pk] for pk in matching
        }
        for found, pick in ((query.first(), min), (query.last(), max)):
            assert (found._id if found else None) == pick(matching, default=None)
        found = query.random()
        assert (found._id in matching) if found else not matching

    @invariant()
    def nothing_is_damaged(self):
        assert check_model(self.client, self.model) == []
        stored = {int(pk) for pk in self.client.smembers(f'_ir_|{self.model.KEY_NAME}:keys')}
        assert stored == self.truth.keys()

    def teardown(self):
        everything = {obj._id: seen(obj) for obj in self.model.objects.all()}
        assert everything == self.truth


@pytest.mark.parametrize(
    'answers', [0, pytest.param(30, marks=pytest.mark.telling)], ids=['', 'remembered']
)
def test_histories(raw, answers, full):
    """Histories of up to 30 steps: 30 on one server, with `--full` 100 on each."""
    Histories.client = raw

    class Emptied(Histories):
        remembered = answers

        def __init__(self):
            raw.flushall()
            super().__init__()

    run_state_machine_as_test(
        Emptied,
        settings=settings(
            max_examples=100 if full else 30,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
