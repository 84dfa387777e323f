"""Programs that still use IndexedRedis 6.0.3 write while this version resets. The rule:

- What they insert before the swap goes with the old data set, what they insert after it belongs to
  the new one; their deletes hold. One more reset, and the checker finds nothing.
- What they save through a handle of an object that a reset has replaced meanwhile (6.0.3 does not
  look) leaves an index entry, and after the grace time half a row, of a pk that no longer exists.
  No read gives it out and its pk is never used again, but it stays until somebody clears it, and
  ``count()`` of one filter, which is the size of the index set, counts it.
- In between, an index set may list objects that are gone for as long as a reset takes.
"""

from __future__ import annotations

import re

import pytest

from faults.item import contents, edition, over
from faults.old_version import OldVersion
from faults.proxy import INTERLEAVED
from faults.writers.workers import together

# 6.0.3 does not know sorted sets.
pytestmark = pytest.mark.parametrize('sorts', ['plain'], indirect=True)

NEW = [('e2', n, 2) for n in range(3)]
# What a 6.0.3 client may leave of an object that was replaced.
REMAINS = re.compile(
    r'Item: (data of \d+ is there for ever, but \d+ is not in :keys'
    r'|index set \S+ lists \d+, which is not in :keys)'
)


@pytest.fixture
def old(raw):
    return OldVersion(raw)


def insert(old, _):
    old.insert(77)


def delete(old, handles):
    old.delete(handles[1])


def update(old, handles):
    old.update(handles[0], 78)


def update_to_a_value_of_the_new_set(old, handles):
    old.update(handles[0], 2)


@pytest.mark.damaged
@pytest.mark.parametrize(
    'act', [insert, delete, update, update_to_a_value_of_the_new_set], ids=lambda act: act.__name__
)
def test_a_write_of_6_0_3_between_the_steps_of_a_reset(item, proxy, stored, old, act):
    model, remains, inserted = over(proxy.params), 0, 0

    def begin():
        stored.empty()
        item.saver.save(edition(item, 1, 3))
        return edition(model, 2, 3), [old.fetch(pk) for pk in (1, 2, 3)]

    for _ in range(2):  # the second time the server knows the scripts
        data, _ = begin()
        proxy.watch()
        model.reset(data)
    steps = len(proxy.commands)
    for number in range(1, steps + 1):
        data, handles = begin()
        proxy.fault(number, INTERLEAVED, lambda handles=handles: act(old, handles))
        model.reset(data)
        found = contents(item)
        inserted += found in ([*NEW, ('old', 77, 0)], [('old', 77, 0), *NEW])
        assert [row for row in found if row[2]] == NEW, f'{act.__name__} before command {number}'
        assert item.objects.filter(n__ne=99).count() == len(found)
        item.reset(edition(item, 3, 2))
        findings = stored.findings()
        assert all(map(REMAINS.fullmatch, findings)), findings
        remains += bool(findings)
        assert findings == [] or act in (update, update_to_a_value_of_the_new_set)
        assert contents(item) == [('e3', 0, 3), ('e3', 1, 3)]
        assert stored.kept_work_keys() == []
    assert proxy.happened == steps
    assert inserted > 0 if act is insert else inserted == 0


@pytest.mark.damaged
def test_what_6_0_3_saves_after_the_grace_time_is_never_given_out(filled, stored, old, raw):
    handle = old.fetch(7)
    (first, *_) = filled.reset(edition(filled, 2, 3))
    raw.delete('_ir_|Item:data:7')  # as if the grace time were over
    old.update(handle, 1)
    assert len(stored.findings()) == 2
    assert filled.objects.get(7) is None
    assert filled.objects.exists(7) is False
    assert filled.objects.filter(n=1).getPrimaryKeys() == [first + 1]
    assert [obj._id for obj in filled.objects.filter(n=1).all()] == [first + 1]
    assert filled.objects.filter(n=1).count() == 2  # the size of the index set
    assert filled.deleter.deleteByPk(7) == 0
    assert stored.findings() == []


@pytest.mark.damaged
@pytest.mark.either('large')
@pytest.mark.parametrize('large', [0, 20], ids=['all sets filled', 'some sets moved'])
@pytest.mark.parametrize('ways', [['insert', 'insert', 'delete'], ['insert', 'update', 'delete']])
def test_writers_of_6_0_3_against_resets(filled, four_workers, stored, figures, ways, large):
    write = [('write_as_6_0_3', {'ways': ways, 'own': own, 'of': 3}) for own in range(3)]
    enough = {**dict.fromkeys(ways, 300), 'resets': 60}
    reset = ('reset_often', {'size': 60, 'large': large})
    counts = together(four_workers, *write, reset, enough=enough)
    found = filled.objects.all()
    assert all(obj.name == ('old' if obj.edition == 0 else f'e{obj.edition}') for obj in found)
    assert len({obj.edition for obj in found} - {0}) == 1
    filled.reset(edition(filled, 1, 3))
    findings = stored.findings()
    assert all(map(REMAINS.fullmatch, findings)), findings
    assert findings == [] or 'update' in ways
    assert contents(filled) == [('e1', n, 1) for n in range(3)]
    assert filled.objects.filter(edition=1, n__ne=99).count() == 3
    del counts['milliseconds']
    figures('3 writers of 6.0.3 against resets', **counts, remains=len(findings))
    filled.deleter.destroyModel()
    assert stored.findings() == []
