"""Following links. The rule: an object is fetched at its first touch and once; `cascadeFetch`
takes one trip for each level, whatever the models."""

from __future__ import annotations

import pytest

from IndexedRedis import UnreadableValueError, irNull


@pytest.mark.plain_model
def test_a_target_is_fetched_at_the_first_touch_and_kept(shelf, trips):
    book = shelf.objects.get(3)
    assert len(trips) == 1
    assert book.author__id == 2
    assert len(trips) == 1
    author = book.author
    assert (author.name, len(trips)) == ('Bob', 2)
    assert book.author is author
    assert [obj.title for obj in book.similar] == ['two', 'one']
    assert len(trips) == 3
    assert book.similar[0] is book.similar[0]
    assert book.similar is not book.similar
    assert len(trips) == 3
    assert not book.hasUnsavedChanges()


def test_a_deleted_target_is_None_in_its_place(shelf, authors, trips):
    authors.deleter.deleteByPk(2)
    shelf.deleter.deleteByPk(2)
    for book in (shelf.objects.get(3), shelf.objects.get(3, cascadeFetch=True)):
        assert book.author is None
        assert book.author__id == 2
        assert [getattr(obj, 'title', obj) for obj in book.similar] == [None, 'one']
        assert book.similar__id == [2, 1]
    book = shelf.objects.get(3)
    assert book.save() == [3]
    assert shelf.objects.get(3).author__id == 2
    assert shelf.objects.get(1).similar is irNull


@pytest.fixture
def chain(shelf, authors):
    """Ann and Bob have favourites, so that the links form circles."""
    ann, bob = authors.objects.getMultiple([1, 2])
    ann.favourite, bob.favourite = 3, 1
    authors.saver.save([ann, bob])
    return shelf


WAYS = {
    'all': lambda objects: objects.all(cascadeFetch=True),
    'allByAge': lambda objects: objects.allByAge(cascadeFetch=True),
    'filter': lambda objects: objects.filter(title__ne='x').all(cascadeFetch=True),
    'getMultiple': lambda objects: objects.getMultiple([3, 2, 1], cascadeFetch=True),
    'getMultiple with gaps': lambda objects: objects.getMultiple([9, 1, 2, 3], cascadeFetch=True),
}


@pytest.mark.plain_model
@pytest.mark.parametrize('way', WAYS)
def test_cascadeFetch_takes_a_trip_for_each_level(chain, trips, way):
    trips.clear()
    found = [obj for obj in WAYS[way](chain.objects) if obj is not None]
    one, two, three = sorted(found, key=lambda obj: obj._id)
    # The books link to authors that are not here, and to books that are.
    assert len(trips) == 2
    assert one.author is two.author
    assert one.author.favourite is three
    assert three.author.favourite is one
    assert three.similar[0] is two
    assert [three.similar[1], three.similar[1].author.name] == [one, 'Ann']
    assert len(trips) == 2
    assert not any(obj.hasUnsavedChanges(cascadeObjects=True) for obj in found)


ONE = {
    'get': lambda objects: objects.get(3, cascadeFetch=True),
    'first': lambda objects: objects.filter(title='three').first(cascadeFetch=True),
    'last': lambda objects: objects.last(cascadeFetch=True),
    'random': lambda objects: objects.filter(title='three').random(cascadeFetch=True),
    'getMultiple': lambda objects: objects.getMultiple([3], cascadeFetch=True)[0],
    'filter': lambda objects: objects.filter(title='three').all(cascadeFetch=True)[0],
}


@pytest.mark.names_keys
@pytest.mark.parametrize('way', ONE)
def test_cascadeFetch_of_one_object(chain, trips, way):
    chain.objects.filter(title='three').count()
    trips.clear()
    three = ONE[way](chain.objects)
    fetching = len(trips) - 2
    # Level 1: author 2 and books 2, 1; level 2: author 1, who leads back to book 3.
    assert fetching >= 1
    read = [[each[1:] for each in trip if each[0] == 'SMISMEMBER'] for trip in trips[fetching:]]
    assert read == [
        [(b'_ir_|Linked:Author:keys', 2), (b'_ir_|Linked:Book:keys', 2, 1)],
        [(b'_ir_|Linked:Author:keys', 1)],
    ]
    before = len(trips)
    assert three.author.favourite is three.similar[1]
    assert three.similar[1].author.favourite is three
    assert three.similar[0].author is three.similar[1].author
    assert len(trips) == before


@pytest.mark.plain_model
def test_cascadeFetch_of_an_object_that_is_here(chain, trips):
    three = chain.objects.get(3)
    trips.clear()
    assert three.cascadeFetch() is None
    assert len(trips) == 2
    assert three.author.favourite.author.favourite is three
    assert three.cascadeFetch() is None
    assert len(trips) == 2


PARTIAL = {
    'allOnlyFields': lambda objects: objects.filter(title='three').allOnlyFields(
        ['author', 'similar'], cascadeFetch=True
    ),
    'getOnlyFields': lambda objects: [
        objects.getOnlyFields(3, ['author', 'similar'], cascadeFetch=True)
    ],
    'getMultipleOnlyFields': lambda objects: objects.getMultipleOnlyFields(
        [3, 9], ['author', 'similar'], cascadeFetch=True
    )[:1],
}


@pytest.mark.parametrize('way', PARTIAL)
def test_partial_objects_lead_to_whole_ones(chain, trips, way):
    (three,) = PARTIAL[way](chain.objects)
    before = len(trips)
    assert three.title is irNull
    assert [obj.title for obj in three.similar] == ['two', 'one']
    assert three.author.favourite.author.favourite.title == 'three'
    assert three.author.favourite.author.favourite is not three
    assert len(trips) == before


@pytest.mark.plain_model
def test_links_that_were_not_fetched_are_not_followed(chain, trips):
    trips.clear()
    three = chain.objects.getOnlyFields(3, ['title'], cascadeFetch=True)
    assert (three.author, three.similar, len(trips)) == (irNull, irNull, 1)


@pytest.mark.plain_model
def test_many_targets_are_one_batch(authors, books, trips):
    authors.saver.save([authors(name=str(number)) for number in range(300)])
    books.saver.save([books(title='x', author=1 + number % 300) for number in range(600)])
    trips.clear()
    found = books.objects.all(cascadeFetch=True)
    reads = [trip for trip in trips if any(b'Author:keys' in str(c).encode() for c in trip)]
    assert len(reads) == 1
    assert all(int(book.author.name) == book.author__id - 1 for book in found)


@pytest.mark.names_keys
def test_a_chain_of_links_may_be_longer_than_the_stack(books, raw):
    pipeline = raw.pipeline()
    for pk in range(1, 1501):
        pipeline.hset(f'_ir_|Linked:Book:data:{pk}', 'similar', f'{pk % 1500 + 1}')
        pipeline.sadd('_ir_|Linked:Book:keys', pk)
    pipeline.execute()
    first = book = books.objects.get(1, cascadeFetch=True)
    for _ in range(1500):
        (book,) = book.similar
    assert book is first
    books.objects.delete()
    raw.delete(*raw.keys('_ir_|Linked:Book:idx:*') or ['none'])


@pytest.mark.names_keys
@pytest.mark.damaged
def test_a_link_that_cannot_be_read_waits_until_it_is_touched(shelf, raw):
    raw.hset('_ir_|Linked:Book:data:3', 'author', 'x')
    three = shelf.objects.get(3, cascadeFetch=True)
    assert three.similar[1].author.name == 'Ann'
    with pytest.raises(UnreadableValueError, match=r'Book\.author of the object with pk 3'):
        three.author
    with pytest.raises(UnreadableValueError):
        three.author__id
    three.author = 1
    three.save()
    assert shelf.objects.get(3).author.name == 'Ann'
