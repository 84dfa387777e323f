"""Every kind of write, to be done to a model of three objects. The rule: each says what must be
stored once it was done, however often it had to be tried."""

from __future__ import annotations

from faults.item import edition

OLD = [('e1', 0, 1), ('e1', 1, 1), ('e1', 2, 1)]
NEW = [('e2', 0, 2), ('e2', 1, 2), ('e2', 2, 2)]


class Write:
    """One kind of write: what it is done to, how it is done (again), and what must come of it."""

    def __init__(self, model):
        self.objs = self.prepare(model)
        self.model = model

    def prepare(self, model):
        return list(model.objects.allByAge())


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


class InsertAndUpdate(Insert):
    expected = [*OLD[:2], ('e1', 42, 1), *NEW[:2]]

    def prepare(self, model):
        last = model.objects.last()
        last.n = 42
        return [last, *edition(model, 2, 2)]


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


WRITES = [Insert, InsertMany, InsertAndUpdate, Update, Delete, DeleteMatching, Reset, ResetInPlace]
