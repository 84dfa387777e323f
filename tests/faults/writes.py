"""Every kind of write, to be done to a model of three objects. The rule: each says what must be
stored once it was done, however often it had to be tried."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import IndexedRedis as IR
from faults.item import Box, Item, edition
from IndexedRedis._core.bulk import insert, redo
from IndexedRedis._core.writes import sizes

OLD = [('e1', 0, 1), ('e1', 1, 1), ('e1', 2, 1)]
NEW = [('e2', 0, 2), ('e2', 1, 2), ('e2', 2, 2)]


class Write:
    """One kind of write: what it is done to, how it is done (again), and what must come of it."""

    #: models that it may leave work keys in, besides
    others = ()

    def __init__(self, model):
        self.objs = self.prepare(model)
        self.model = model

    def prepare(self, model):
        return list(model.objects.allByAge())

    def links_are_right(self):
        """Whether stored links lead to what they should, if there are any."""
        return True


class Insert(Write):
    expected = [*OLD, NEW[0]]

    def prepare(self, model):
        return edition(model, 2, 1)

    def do(self):
        self.model.saver.save(self.objs)


class InsertMany(Insert):
    expected = [*OLD, *NEW]

    def prepare(self, model):
        return edition(model, 2, 3)


class InsertVeryMany(InsertMany):
    """As if they were so many that they are stored out of sight, two by two."""

    def do(self):
        with (
            patch.object(sizes, 'SCRIPT_US', 2),
            patch.multiple(insert, CHUNK=2, LISTED=2),
        ):
            super().do()


class InsertInSteps(InsertVeryMany):
    """As if they were so many that they are published two by two."""

    def do(self):
        with (
            patch.object(redo, 'PUBLISHED_AT_ONCE', 2),
            patch.object(insert, 'PUBLISHED_AT_ONCE', 2),
        ):
            super().do()


def others_write_few() -> Any:
    """Have what others write meanwhile go in one script, as few objects do."""
    return patch.multiple(sizes, SCRIPT_US=4000, STEP_US=2000)


class InSteps:
    """Mixed in: as if there were so many objects that they are written one by one."""

    def do(self):
        with patch.multiple(sizes, SCRIPT_US=1, STEP_US=1):
            super().do()


class InsertAndUpdate(Insert):
    expected = [*OLD[:2], ('e1', 42, 1), *NEW[:2]]

    def prepare(self, model):
        last = model.objects.last()
        last.n = 42
        return [last, *edition(model, 2, 2)]


class InsertAndUpdateInSteps(InSteps, InsertAndUpdate):
    pass


class Update(Write):
    expected = [*OLD[:2], ('e1', 42, 1)]

    def do(self):
        self.objs[2].n = 42
        self.objs[2].save()


class Delete(Write):
    expected = OLD[:2]

    def do(self):
        self.objs[2].delete()


class DeleteMatching(Write):
    expected = OLD[1:]

    def do(self):
        self.model.objects.filter(n=0).delete()


class DeleteMany(Write):
    expected = OLD[2:]

    def do(self):
        self.model.deleter.deleteMultiple(self.objs[:2])


class DeleteManyInSteps(InSteps, DeleteMany):
    pass


class Reindex(Write):
    expected = OLD

    def do(self):
        self.model.objects.reindex()


class Cascade(Write):
    """A new object saves new ones and a changed one along that it links to."""

    expected = [*OLD[:2], ('e1', 42, 1), *NEW[:2]]

    def prepare(self, model):
        last = model.objects.last()
        last.n = 42
        boxes = Box.connectAlt(model.REDIS_CONNECTION_PARAMS)
        return [boxes(name='box', items=[last, *edition(model, 2, 2)])]

    def do(self):
        self.objs[0].save()


class CascadeInSteps(InSteps, Cascade):
    pass


class Reset(Write):
    expected = NEW

    def prepare(self, model):
        return edition(model, 2, 3)

    def do(self):
        self.model.reset(self.objs)


class ResetInPlace(Write):
    """The first object keeps its pk, so it has to stay the first."""

    expected = NEW

    def prepare(self, model):
        first = model.objects.first()
        return [*edition(model, 2, 1, pks=[first._id]), *edition(model, 2, 3)[1:]]

    def do(self):
        self.model.reset(self.objs)


class ResetIterator(Reset):
    """The data set comes from a generator, anew for each attempt."""

    def do(self):
        self.model.reset(obj for obj in self.objs)


class ResetMany(Reset):
    """Boxes with their items, in one moment."""

    others = (Box,)

    def prepare(self, model):
        items = edition(model, 2, 3)
        boxes = Box.connectAlt(model.REDIS_CONNECTION_PARAMS)
        return boxes, [boxes(name='e2', items=items)], items

    def do(self):
        boxes, new, items = self.objs
        IR.resetMany([(boxes, new), (self.model, items)])

    def links_are_right(self):
        (only,) = Box.objects.all()
        return [obj._id for obj in only.items] == Item.objects.getPrimaryKeys(True)


class ResetChanged(Write):
    """One object is removed, one stays as it is, one is changed, two are new."""

    expected = [('e1', 1, 1), ('e2', 2, 2), ('e2', 3, 2), ('e2', 4, 2)]

    def prepare(self, model):
        return [edition(model, 1, 2)[1], *edition(model, 2, 5)[2:]]

    def do(self):
        objs = [obj.copy() for obj in self.objs]
        IR.resetChanged([(self.model, objs)], {self.model: 'n'})


WRITES = [
    *(Insert, InsertMany, InsertVeryMany, InsertAndUpdate, Update, Delete, DeleteMany),
    *(InsertInSteps, InsertAndUpdateInSteps, DeleteManyInSteps, CascadeInSteps),
    *(DeleteMatching, Reindex, Cascade),
    *(Reset, ResetInPlace, ResetIterator, ResetMany, ResetChanged),
]
IN_STEPS = (
    *(InsertVeryMany, InsertInSteps, InsertAndUpdateInSteps, DeleteManyInSteps, CascadeInSteps),
)
RESETS = (Reset, ResetInPlace, ResetIterator, ResetMany, ResetChanged)
