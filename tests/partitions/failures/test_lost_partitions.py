"""The data of a node is gone. The rule: reads and writes of its partitions say so, others go on,
and a reset heals; a model all of whose data is gone is empty, and usable."""

from __future__ import annotations

import pytest

from IndexedRedis.errors import PartitionLostError
from partitions.leftovers import assert_clean
from partitions.moments import HOME, another, judge
from partitions.played import Played
from partitions.rows import SIZE, ask, data_set, extra, extras, process

TRIES = 12


def flush(cluster, node):
    """All data of a primary, and of its replica."""
    (replica,) = cluster.replicas_of(node)
    with node.client(single_connection_client=True) as client:
        client.flushall()
        assert client.wait(1, 4000) == 1 and replica


@pytest.mark.clusters
@pytest.mark.parametrize('knows', [True, False], ids=['knows an edition', 'knows none'])
@pytest.mark.parametrize('number', [1, 4], ids=['the first edition', 'a later edition'])
@pytest.mark.parametrize('which', ['home', 'another'])
def test_a_node_of_a_cluster(cluster, place, which, number, knows):
    one = place()
    for edition in range(2, number + 1):
        one.reset(data_set(one, edition))
    objs = one.objects.filter(edition__ne=0).all()
    flush(cluster, cluster.primary_of(HOME) if which == 'home' else another(cluster))
    model = one if knows else process(1)
    with pytest.raises(PartitionLostError, match='has lost edition'):
        model.objects.all()
    with pytest.raises(PartitionLostError):
        model.objects.count()
    got = outcomes(model.objects.get, [obj._id for obj in objs])
    assert {*got} == {'read', 'PartitionLostError'}
    written = outcomes(lambda obj: obj.save(), [extra(model) for _ in range(TRIES * 4)])
    assert {*written} == {'read', 'PartitionLostError'}
    with pytest.raises(PartitionLostError):
        model.objects.filter(edition=0).delete()
    other = process(2)
    other.reset(data_set(other, 9))
    assert ask(model) == ask(process(3)) == 9
    new = [extra(model) for _ in range(TRIES)]
    for obj in new:
        obj.save()
    assert extras(process(3)) == {obj.name for obj in new}
    other.reset(data_set(other, 10))
    assert ask(one) == 10
    judge(cluster)
    twice = {obj._id for obj in objs} & {*model.objects.getPrimaryKeys()}
    assert not twice, 'pks were handed out twice'


def outcomes(act, items):
    """What became of each: 'read', or the name of the error."""
    found = []
    for item in items:
        try:
            act(item)
        except PartitionLostError as error:
            found.append(type(error).__name__)
        else:
            found.append('read')
    return found


@pytest.mark.parametrize('knows', [True, False], ids=['knows an edition', 'knows none'])
def test_all_data(begun, raw, knows):
    one = begun()
    one.reset(data_set(one, 2))
    assert one.objects.count() == SIZE
    raw.flushall()
    model = one if knows else process(1)
    assert model.objects.all() == []
    assert model.objects.count() == 0
    assert model.objects.get(1) is None
    assert raw.keys('*') == []
    obj = extra(model)
    obj.save()
    assert extras(process(2)) == extras(model) == {obj.name}
    assert_clean(raw)
    raw.flushall()
    model.reset(data_set(model, 3))
    assert ask(process(2)) == ask(one) == 3
    raw.flushall()
    assert one.objects.filter(edition=0).delete() == 0
    assert one.objects.all() == []
    assert_clean(raw)


@pytest.mark.parametrize('count', range(1, 12))
def test_a_process_dies_while_it_opens_the_first_edition(raw, count):
    raw.flushall()
    model = process(1)
    played = Played(extra(model).save)
    played.advance(count)
    played.die()
    other = process(2)
    assert other.objects.count() in (0, 1)
    obj = extra(other)
    obj.save()
    assert obj.name in extras(process(3))
    assert len(extras(other)) == process(4).objects.count()
    other.reset(data_set(other, 1))
    assert ask(process(3)) == 1
    assert_clean(raw)
