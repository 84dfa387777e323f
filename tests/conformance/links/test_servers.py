"""Links between databases and servers. The rule: every object is stored where its own model is, and
before whatever links to it."""

from __future__ import annotations

import contextlib

import pytest
import redis

from IndexedRedis import IndexedRedisModel, IRField, WrongKeyTypeError, irNull
from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField

pytestmark = pytest.mark.names_keys


@pytest.fixture(params=['another database', 'another server', 'a client'])
def place(request, redis_params, new_server, bring_client):
    """Attributes of a model that lives elsewhere, and a plain client of that place."""
    if request.param == 'another server':
        other = new_server()
        params = {name: other.params[name] for name in ('host', 'port')}
        attributes = {'REDIS_CONNECTION_PARAMS': params}
    else:
        params, attributes = {'db': 2}, {'REDIS_CONNECTION_PARAMS': {'db': 2}}
    with contextlib.closing(redis.Redis(**{**redis_params, **params})) as client:
        if request.param == 'a client':
            attributes['_connection'] = bring_client(**{**redis_params, **params})
        yield attributes, client


@pytest.fixture
def models(make_model, place):
    """`Part` lives elsewhere and may need tools of here; a `Thing` of here has parts."""
    attributes, there = place
    tool = make_model(['name'], key_name='Tool')
    part = make_model(
        ['name', IRForeignLinkField('tool', tool)], ['tool'], key_name='Part', **attributes
    )
    thing = make_model(
        ['name', IRForeignLinkField('main', part), IRForeignMultiLinkField('parts', part)],
        ['main'],
        key_name='Thing',
    )
    return thing, part, tool, there


def names(client):
    return sorted(name for name in client.keys('*:data:*') if client.ttl(name) == -1)


def test_targets_are_written_to_their_own_place_first(models, raw):
    thing, part, tool, there = models
    wheel = part(name='wheel', tool=tool(name='spanner'))
    car = thing(name='car', main=wheel, parts=[wheel, part(name='seat')])
    assert car.save() == [1]
    assert names(raw) == [b'_ir_|Thing:data:1', b'_ir_|Tool:data:1']
    assert names(there) == [b'_ir_|Part:data:1', b'_ir_|Part:data:2']
    # The tool is here, but was needed there before.
    assert there.hget(f'_ir_|Part:data:{wheel._id}', 'tool') == b'1'
    assert there.smembers('_ir_|Part:idx:tool:1') == {b'%d' % wheel._id}
    assert raw.hget('_ir_|Thing:data:1', 'main') == b'%d' % wheel._id
    assert not car.hasUnsavedChanges(cascadeObjects=True)
    wheel.name = 'big wheel'
    car.save()
    again = thing.objects.get(1)
    assert again.main.name == 'big wheel'
    assert [each.name for each in again.parts] == ['big wheel', 'seat']


def test_cascadeFetch_reads_each_from_its_own_place(models, trips):
    thing, part, tool, _ = models
    spanner = tool(name='spanner')
    wheels = [part(name=str(number), tool=spanner) for number in range(3)]
    thing.saver.save([thing(name='car', parts=wheels, main=wheels[0]), thing(main=wheels[2])])
    trips.clear()
    first, second = thing.objects.allByAge(cascadeFetch=True)
    assert len(trips) == 3
    assert [each.tool.name for each in first.parts] == ['spanner'] * 3
    assert first.main is first.parts[0]
    assert second.main is first.parts[2]
    assert len(trips) == 3
    assert first.reload() == {}
    assert len(trips) == 6


def test_cascadeFetch_takes_one_trip_for_each_server(models, make_model, trips):
    thing, part, tool, _ = models
    owner = make_model(['name'], key_name='Owner')
    links = {'thing': thing, 'part': part, 'tool': tool, 'owner': owner}
    fields = [IRForeignLinkField(name, model) for name, model in links.items()]
    box = make_model(fields, key_name='Box')
    box(**{name: model(name=name) for name, model in links.items()}).save()
    trips.clear()
    (found,) = box.objects.all(cascadeFetch=True)
    assert [getattr(found, name).name for name in links] == list(links)
    # Three models live here, one elsewhere: three commands for each model, and swap markers.
    assert sorted(len(trip) for trip in trips[1:]) == [3 + 2, 9 + 3 + 4]


def test_what_was_stored_there_stays_when_the_parent_fails_and_a_retry_works(models, raw):
    thing, part, tool, there = models
    car = thing(name='car', main=part(name='wheel', tool=tool(name='spanner')))
    raw.set('_ir_|Thing:keys', 'text')
    with pytest.raises(WrongKeyTypeError):
        car.save()
    assert (car._id, car.main._id) == (None, 1)
    assert names(raw) == [b'_ir_|Tool:data:1']
    assert there.hget('_ir_|Part:data:1', 'tool') == b'1'
    raw.delete('_ir_|Thing:keys')
    car.save()
    assert names(there) == [b'_ir_|Part:data:1']
    assert thing.objects.get(car._id).main.name == 'wheel'


def test_nothing_is_stored_when_the_other_place_refuses(models, raw):
    thing, part, _, there = models
    there.set('_ir_|Part:keys', 'text')
    car = thing(name='car', main=part(name='wheel'))
    with pytest.raises(WrongKeyTypeError):
        car.save()
    assert (car._id, car.main._id, names(raw), names(there)) == (None, None, [], [])
    there.delete('_ir_|Part:keys')
    assert thing.objects.get(car.save()[0]).main.name == 'wheel'


def test_a_reset_writes_targets_to_their_own_place(models, raw):
    thing, part, _, there = models
    thing(name='old').save()
    (pk,) = thing.reset([thing(name='new', main=part(name='wheel'))])
    assert names(there) == [b'_ir_|Part:data:1']
    assert thing.objects.get(pk).main.name == 'wheel'


def test_a_variant_on_another_connection_is_saved_there_with_its_targets_at_home(models, raw):
    thing, part, _, there = models
    other = thing.connectAlt({'db': 3})
    car = other(name='car', main=part(name='wheel'))
    assert car.save() == [1]
    assert names(there) == [b'_ir_|Part:data:1']
    assert names(raw) == []
    assert other.objects.get(1).main.name == 'wheel'
    assert other.reset([car]) == [1]


def test_a_saver_of_another_connection_takes_objects_of_the_model(books, authors, raw):
    other = books.connectAlt({'db': 3})
    book = books(title='x', author=authors(name='Ann'))
    assert other.saver.save([book]) == [1]
    assert names(raw) == [b'_ir_|Linked:Author:data:1']
    assert other.objects.get(1).author.name == 'Ann'


def test_a_target_of_another_connection_keeps_its_place(authors, books, raw):
    other = authors.connectAlt({'db': 3})
    ann = other(name='Ann')
    books(title='x', author=ann).save()
    assert names(raw) == [b'_ir_|Linked:Book:data:1']
    assert other.objects.get(1).name == 'Ann'
    ann.name = 'Anna'
    ann.save()
    assert other.objects.get(1).name == 'Anna'


def test_saveToExternal_takes_the_pks_along_and_no_targets(shelf, redis_params):
    three = shelf.objects.get(3, cascadeFetch=True)
    three.author.name = 'changed'
    assert three.saveToExternal({'db': 3}) == [1]
    there = shelf.connectAlt({'db': 3})
    assert (there.objects.get(1).author__id, there.objects.get(1).similar__id) == (2, [2, 1])
    assert there.objects.count() == 1
    assert three.author.hasUnsavedChanges()
    assert there.objects.filter(similar=[2, 1]).first().author.name == 'Bob'
    assert there.objects.filter(author=irNull).count() == 0


def test_links_across_places_may_form_circles(make_model, place):
    attributes, there = place
    here = make_model([IRField('name'), IRForeignLinkField('far', 'Farther')], key_name='Here')
    far = type(here)(
        'Farther',
        (IndexedRedisModel,),
        {
            'FIELDS': [IRField('name'), IRForeignLinkField('near', here)],
            'KEY_NAME': 'Far',
            **attributes,
        },
    )
    one = here(name='one')
    one.far = far(name='two', near=one)
    one.save()
    assert (here.objects.get(1).far.name, names(there)) == ('two', [b'_ir_|Far:data:1'])
    # The parent had no pk yet when the target was written: the link was stored after.
    assert there.hget('_ir_|Far:data:1', 'near') == b'1'
    assert far.objects.get(1).near.name == 'one'
    assert not one.hasUnsavedChanges(cascadeObjects=True)
