"""Lists: what is stored, in order, page by page, filtered by the library's lookups."""

from __future__ import annotations

import re

import pytest

from admin.serving import Page, Visitor
from admin.shop import QUOTES, SCRIPT, TRACKS, Artist, Track
from IndexedRedis import IRField

pytestmark = pytest.mark.programs


def pks(page: Page) -> list[int]:
    """The pks of the rows of a list, in order."""
    return [int(pk) for pk in re.findall(r'data-sa-pk="(\d+)"', page.html)]


def test_pages_follow_each_other_and_hold_each_object_once(visit):
    visitor = visit()
    found = [pks(visitor.see(f'/Track/list?page={n}')) for n in (1, 2, 3)]
    assert [len(each) for each in found] == [20, 20, 5]
    assert [pk for each in found for pk in each] == [*range(1, TRACKS + 1)]
    assert f'of {TRACKS} entries' in visitor.see('/Track/list').text


@pytest.mark.parametrize('way', ['asc', 'desc'])
@pytest.mark.parametrize('name', ['seconds', 'day', 'name'])
def test_the_order_is_that_of_the_library(visit, name, way):
    query = Track.objects.orderBy(name if way == 'asc' else f'-{name}')
    page = visit().see(f'/Track/list?sort={name}__{way}&page_size=50')
    assert pks(page) == query.getPrimaryKeys()


def test_only_sorted_fields_can_be_sorted_by(visit):
    visitor = visit()
    assert {*re.findall(r'sort=(\w+)__', visitor.see('/Track/list').html)} == {
        *('_id', 'name', 'seconds', 'day')
    }
    assert pks(visitor.see('/Track/list?sort=genre__asc')) == [*range(1, 21)], 'the usual order'


FILTERS = {
    'genre__eq=Rock': {'genre': 'Rock'},
    'genre__ne=Rock': {'genre__ne': 'Rock'},
    'genre__isnull': {'genre__isnull': True},
    'genre__notnull': {'genre__isnull': False},
    'seconds__gte=120': {'seconds__gte': 120},
    'seconds__gt=120': {'seconds__gt': 120},
    'seconds__lte=120': {'seconds__lte': 120},
    'seconds__lt=120': {'seconds__lt': 120},
    'seconds__between=110..112': {'seconds__between': (110, 112)},
    'name__startswith="Track 1"': {'name__startswith': 'Track 1'},
    'artist__eq=2': {'artist': 2},
    'live__eq=true AND genre__eq=Pop': {'live': True, 'genre': 'Pop'},
    'field14__eq="<script>window.hacked = 1</script>"': {SCRIPT: SCRIPT},
}


@pytest.mark.parametrize('text', FILTERS)
def test_filters_are_the_lookups_of_the_library(visit, text):
    wanted = sorted(Track.objects.filter(**FILTERS[text]).getPrimaryKeys())
    page = Page(
        visit().get(f'{visit().address}/Track/list', params={'filter': text, 'page_size': 50})
    )
    assert pks(page) == wanted
    assert 0 < len(wanted) < TRACKS


def test_conditions_combine_by_or(visit):
    page = visit().see(
        '/Track/list?page_size=50&filter=genre__eq=Rock OR (genre__eq=Jazz AND live__eq=1)'
    )
    wanted = Track.objects.filter(genre='Rock') | Track.objects.filter(genre='Jazz', live=True)
    assert pks(page) == sorted(wanted.getPrimaryKeys())


@pytest.mark.parametrize(
    ('text', 'wanted'),
    [('nulls', {'name': 'nulls'}), ('Rock', {'genre': 'Rock'}), (SCRIPT, {SCRIPT: SCRIPT})],
)
def test_a_search_finds_a_value_in_any_indexed_field(visit, text, wanted):
    visitor = visit()
    page = Page(visitor.get(f'{visitor.address}/Track/list', params={'q': text, 'page_size': 50}))
    assert pks(page) == sorted(Track.objects.filter(**wanted).getPrimaryKeys())


def test_a_search_for_a_number_finds_pks_and_links(visit):
    visitor = visit()
    wanted = {3, *Track.objects.filter(artist=3).getPrimaryKeys()}
    assert pks(visitor.see('/Track/list?q=3&page_size=50')) == sorted(wanted)
    assert pks(visitor.see('/Artist/list?q=3')) == [3]
    assert pks(visitor.see(f'/Artist/list?q={"9" * 400}')) == []
    assert pks(visitor.see('/Artist/list?q=0')) == []


@pytest.mark.parametrize(
    'query',
    ['filter=seconds__gte=many', 'filter=nothing__eq=1', 'filter=note__eq=x', 'page_size=7'],
)
def test_what_the_library_refuses_is_said(visit, query):
    page = visit().see(f'/Track/list?{query}')
    assert page.status == 400
    assert any(word in page.text for word in ('seconds', 'nothing', 'note', 'page_size'))


def test_hostile_values_stay_text(visit):
    visitor = visit()
    for path in ('/Track/list', '/Track/detail?pk=1', '/Artist/list', '/Artist/detail?pk=3'):
        page = visitor.see(path)
        assert page.status == 200
        assert 'window.hacked = 1</script>' not in page.html
        assert '<img src=x' not in page.html
        assert QUOTES in page.text, 'whole, and not evaluated'
    assert SCRIPT in visitor.see('/Track/detail?pk=1').text


def test_values_are_shown_as_stored(visit, raw):
    page = visit().see('/Track/detail?pk=1')
    for text in ('0.99', 'single', '2024-01-01', 'two\nlines', 'ff 00', '2 bytes, not decoded'):
        assert text in page.text
    assert visit().see('/Track/detail?pk=2').text.count('null') >= 10
    key = '_ir_|AdminTrack:data:3'
    raw.hset(key, 'seconds', 'broken')
    raw.hset(key, 'note', 'bell\x07 and \u202e turn')
    raw.hset(key, 'name', b'\xe9')
    raw.hdel(key, 'price', 'genre')
    shown = visit().see('/Track/detail?pk=3').text
    for text in ('broken', r"'bell\x07 and \u202e turn'", 'e9', 'the row lacks this field'):
        assert text in shown
    shop_like = visit().see('/Track/list').text
    assert 'broken' in shop_like
    raw.hset(
        key,
        mapping={'seconds': '102', 'note': 'x', 'name': 'Track 2', 'price': '1', 'genre': 'Pop'},
    )


def test_hostile_requests_stay_text(visit):
    visitor = visit()
    for path, name in (
        *(('/Track/list', 'filter'), ('/Track/list', 'q'), ('/Track/list', 'sort')),
        *(('/-/Track/explain', 'lines'), ('/-/Track/explain', 'q'), ('/Track/detail', 'pk')),
    ):
        for text in (SCRIPT, QUOTES, f'{SCRIPT}__eq={SCRIPT}', f'"{QUOTES}'):
            answer = visitor.get(visitor.address + path, params={name: text})
            assert answer.status_code in (200, 400, 404)
            assert SCRIPT not in answer.text and '<img src=x' not in answer.text
    assert SCRIPT not in visitor.get(f'{visitor.address}/{SCRIPT}/list').text


def test_links_lead_both_ways(visit):
    visitor = visit()
    links = [
        link for link in visitor.see('/Track/detail?pk=6').links if '/Artist/detail?pk=' in link
    ]
    assert [link.partition('pk=')[2][0] for link in links] == ['3', '1', '2']
    assert 'Ella' in Page(visitor.get(links[-1])).text
    (back,) = [link for link in visitor.see('/Artist/detail?pk=2').links if 'filter=' in link]
    assert pks(Page(visitor.get(f'{back}&page_size=50'))) == sorted(
        Track.objects.filter(artist=2).getPrimaryKeys()
    )


@pytest.mark.parametrize('pk', ['0', '-1', 'x', '999999', '1' * 50, '9' * 19, '1' * 5000, '²'])
def test_what_is_not_stored_is_not_found(visit, pk):
    assert visit().see(f'/Track/detail?pk={pk}').status in (400, 404)


def test_a_model_without_indexes_and_one_of_the_same_name(serve, watch_models, make_model):
    plain = make_model([IRField('x')])
    plain(x='1').save()
    twin = type(Artist)('Artist', (Artist,), {'KEY_NAME': 'OtherArtist'})
    watch_models(twin)
    twin(name='other').save()
    with Visitor(serve(models=[plain, Artist, Artist, twin])) as visitor:
        assert pks(visitor.see(f'/{plain.__name__}/list')) == [1]
        assert pks(visitor.see(f'/{plain.__name__}/list?q=1')) == [1]
        assert pks(visitor.see(f'/{plain.__name__}/list?q=x')) == []
        assert 'other' in visitor.see('/Artist-2/list').text
        assert 'Ella' in visitor.see('/Artist/list').text
