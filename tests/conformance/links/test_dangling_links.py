"""check() and links that lead nowhere. The rule: they are counted and named, and are no damage."""

from __future__ import annotations

import pytest

from IndexedRedis.fields import IRForeignLinkField, IRForeignMultiLinkField


@pytest.fixture
def shop(make_model):
    author = make_model(['name'])
    fields = ['title', IRForeignLinkField('author', author), IRForeignMultiLinkField('by', author)]
    return author, make_model(fields, ['author'])


@pytest.mark.plain_model
def test_links_that_lead_nowhere(shop):
    author, book = shop
    ann, bob = author(name='Ann'), author(name='Bob')
    for obj in (ann, bob, book(title='a', author=ann, by=[ann, bob]), book(title='b')):
        obj.save()
    assert book.objects.check().dangling == 0
    bob.delete()
    report = book.objects.check()
    assert (report.ok, report.counts, report.dangling) == (True, {}, 1)
    assert report.danglingExamples == [
        f'by of pk 1 leads to {author.__name__} 2, which is not stored'
    ]
    assert 'links that lead to no object: 1\n    by of pk 1' in str(report)
    assert report.asDict()['dangling'] == 1
    author.objects.delete()
    assert book.objects.check().dangling == 3
    assert (book.objects.repair().dangling, book.objects.count()) == (3, 2)


def test_links_to_a_model_that_is_not_defined(make_model):
    book = make_model([IRForeignLinkField('author', 'NoSuchModelAnywhere')])
    book().save()
    assert book.objects.check().dangling == 0


@pytest.mark.damaged
@pytest.mark.plain_model
def test_links_to_a_model_whose_keys_are_another_type(shop, raw):
    author, book = shop
    book(title='a', author=5).save()
    raw.set(f'_ir_|{author.KEY_NAME}:keys', 'x')
    assert book.objects.check().dangling == 0


@pytest.mark.plain_model
def test_many_links(shop):
    author, book = shop
    author.reset([author(name='x')])
    (pk,) = author.objects.getPrimaryKeys()
    book.reset([book(title='a', author=pk + (number % 2)) for number in range(1500)])
    report = book.objects.check()
    assert (report.dangling, len(report.danglingExamples)) == (750, 10)
