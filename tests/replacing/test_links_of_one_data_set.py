"""Objects that come with what they link to. The rule: all of it is of one data set, whatever is
replaced between two trips."""

from __future__ import annotations

import threading

import pytest
from support import linked

import IndexedRedis as IR
from IndexedRedis import ConflictError
from IndexedRedis._core.links import fetching
from IndexedRedis._core.queries.by_pk import get_targets


def family(number, pks=None):
    """Three books of data set ``number``, of two authors of the same."""
    own = [{'_id': pk} for pk in pks] if pks else [{}] * 5
    authors = [linked.Author(name=f'a{i}', born=number, **own[i]) for i in range(2)]
    books = [linked.Book(title=f'{number}', author=authors[i % 2], **own[2 + i]) for i in range(3)]
    return authors, books


def by_diff(number):
    authors, books = family(number)
    for i, book in enumerate(books):
        book.title = f'b{i}'
        book.similar = []
    groups = [(linked.Author, authors), (linked.Book, books)]
    IR.resetChanged(groups, {linked.Author: 'name', linked.Book: 'title'})


def in_place(number):
    authors, books = family(number, [1, 2, 1, 2, 3])
    IR.resetMany([(linked.Author, authors), (linked.Book, books)])


def fresh(number):
    authors, books = family(number)
    IR.resetMany([(linked.Author, authors), (linked.Book, books)])


def elsewhere(act, *args):
    """Run it in a thread, as another process would."""
    thread = threading.Thread(target=act, args=args)
    thread.start()
    thread.join()


@pytest.fixture
def books(watch_models):
    """The model `Book`, which links to `Author`."""
    watch_models(linked.Author)
    watch_models(linked.Book)
    return linked.Book


@pytest.fixture
def replaced(monkeypatch, books):
    """Has the data sets replaced before targets are fetched, some times."""

    def replace(way, times):
        done = []

        def between(schema, pks):
            if len(done) < times:
                done.append(pks)
                elsewhere(way, 2 + len(done))
            return get_targets(schema, pks)

        monkeypatch.setattr(fetching, 'get_targets', between)
        return done

    return replace


READS = {
    'all': lambda objects: objects.all(cascadeFetch=True),
    'get': lambda objects: [objects.get(objects.first()._id, cascadeFetch=True)],
    'last': lambda objects: [objects.last(cascadeFetch=True)],
}


@pytest.mark.parametrize('read', READS)
@pytest.mark.parametrize('times', [1, 3])
@pytest.mark.parametrize('way', [in_place, fresh], ids=lambda way: way.__name__)
def test_a_book_comes_with_the_author_of_its_data_set(books, replaced, way, times, read):
    in_place(1)
    done = replaced(way, times)
    found = READS[read](books.objects)
    assert found
    assert {int(book.title) for book in found} == {book.author.born for book in found}
    assert len(done) == (times if way is in_place else 1)


@pytest.mark.parametrize('times', [1, 3])
def test_after_a_resetChanged_too(books, replaced, times):
    by_diff(1)
    done = replaced(by_diff, times)
    found = books.objects.all(cascadeFetch=True)
    assert (
        {book.author.born for book in found} == {linked.Author.objects.first().born} == {2 + times}
    )
    assert len(done) == times


def test_a_reader_that_is_always_overtaken_gives_up_in_the_end(books, replaced, monkeypatch):
    in_place(1)
    monkeypatch.setattr(fetching, 'ATTEMPTS', 3)
    replaced(in_place, 99)
    with pytest.raises(ConflictError, match='3 times'):
        books.objects.all(cascadeFetch=True)


def test_a_replaced_target_is_there_before_its_row_gets_its_expiry(books, raw):
    """As between the swap of a reset and its sweep."""
    in_place(1)
    raw.srem('_ir_|Linked:Author:keys', 1)
    (book,) = [book for book in books.objects.all(cascadeFetch=True) if book.author__id == 1][:1]
    assert book.author.born == 1
    raw.sadd('_ir_|Linked:Author:keys', 1)
