"""Forms: what is saved, what is refused at which field, and what stays as it was."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.keyspace import dump

from admin.shop import QUOTES, TRACKS, Artist, Track
from IndexedRedis import IRField, irNull
from IndexedRedis.admin import values, views

pytestmark = pytest.mark.programs


@pytest.fixture
def visitor(visit):
    return visit(readOnly=False)


def error_at(page, name):
    """The message below a field of a form."""
    return page.html.partition(f'id="{name}-error">')[2].partition('<')[0]


def test_a_form_that_changes_nothing_writes_nothing(visitor, raw):
    before = dump(raw)
    for pk in (1, 2, 3):
        assert 'successfully' in visitor.submit(f'/Track/edit?pk={pk}').text
    assert dump(raw) == before


def test_only_what_changed_is_written(visitor, raw):
    before = raw.hgetall('_ir_|AdminTrack:data:4')
    visitor.submit(
        '/Track/edit?pk=4', name='new', seconds='7', artist='3', live='False', note='a\nb\n'
    )
    after = raw.hgetall('_ir_|AdminTrack:data:4')
    assert {name: value for name, value in after.items() if before[name] != value} == {
        b'name': b'new',
        b'seconds': b'7',
        b'artist': b'3',
        b'live': b'False',
        b'note': b'a\nb\n',
    }
    assert [t.getPk() for t in Track.objects.filter(name='new', artist=3, seconds__lt=8)] == [4]


def test_null_and_empty_text_differ(visitor):
    visitor.submit('/Track/edit?pk=4', **{'name.null': 'on', 'note': ''})
    track = Track.objects.get(4)
    assert (track.name, track.note) == (irNull, '')
    assert track.note is not irNull
    page = visitor.see('/Track/edit?pk=4')
    assert 'name.null' in page.fields and 'note.null' not in page.fields
    visitor.submit('/Track/edit?pk=4', page, **{'name.null': None, 'name': 'back'})
    assert Track.objects.get(4).name == 'back'


@pytest.mark.parametrize(
    ('changes', 'name', 'message'),
    [
        ({'seconds': 'many'}, 'seconds', 'many'),
        ({'price': 'cheap'}, 'price', ''),
        ({'artist': 'x'}, 'artist', 'pk'),
        ({'artist': '77'}, 'artist', 'there is no Artist 77'),
        ({'guests': '1,77,78'}, 'guests', 'there is no Artist 77, 78'),
        ({'kind': 'tape'}, 'kind', 'none of'),
        ({'live': 'maybe'}, 'live', 'a bool is'),
        ({'day': '2024-02-31'}, 'day', ''),
        ({'more': '{'}, 'more', ''),
        ({'name': 'IRNullType()'}, 'name', 'null'),
    ],
)
@pytest.mark.parametrize('path', ['/Track/edit?pk=4', '/Track/create'])
def test_an_error_stands_at_its_field_and_nothing_is_saved(
    visitor, raw, path, changes, name, message
):
    before = dump(raw)
    page = visitor.submit(path, **{'note': 'kept', f'{name}.null': None, **changes})
    assert page.status == 422
    assert message in error_at(page, name) and error_at(page, name)
    assert page.fields['note'] == 'kept', 'what was typed is still there'
    assert page.fields[name] == changes[name]
    assert dump(raw) == before


def test_a_unique_value_is_refused_at_its_field(visitor):
    page = visitor.submit('/Artist/edit?pk=1', name='Ella')
    assert (page.status, 'Ella' in error_at(page, 'name')) == (422, True)
    assert Artist.objects.get(1).name == 'Abba'


def test_somebody_else_was_faster(visitor):
    page = visitor.see('/Artist/edit?pk=1')
    artist = Artist.objects.get(1)
    artist.name = 'ABBA'
    artist.save()
    after = visitor.submit('/Artist/edit?pk=1', page, name='Mine')
    assert (after.status, 'ABBA' in error_at(after, 'name')) == (422, True)
    visitor.submit('/Artist/edit?pk=1', page, born='1972')  # another field: both win
    assert (Artist.objects.get(1).name, Artist.objects.get(1).born) == ('ABBA', 1972)


def test_somebody_else_is_faster_while_the_form_is_checked(visitor, monkeypatch):
    page, assign = visitor.see('/Artist/edit?pk=1'), views.ModelView._assign

    async def assign_while_another_saves(self, obj, typed):
        artist = await Artist.objects.aget(1)
        artist.name = 'ABBA'
        await artist.asave()
        await assign(self, obj, typed)

    monkeypatch.setattr(views.ModelView, '_assign', assign_while_another_saves)
    after = visitor.submit('/Artist/edit?pk=1', page, name='Mine')
    assert (after.status, 'ABBA' in error_at(after, 'name')) == (422, True)
    assert Artist.objects.get(1).name == 'ABBA'


def test_an_object_is_made_and_deleted(visitor):
    page = visitor.submit(
        '/Artist/create', name='Nina', born='1933', **{'name.null': None, 'born.null': None}
    )
    assert 'added successfully' in page.text
    (nina,) = Artist.objects.filter(name='Nina')
    assert nina.born == 1933
    headers = {
        'Origin': visitor.origin,
        'X-CSRFToken': visitor.cookies['starlette_admin_csrftoken'],
    }
    address = f'{visitor.address}/_api/Artist/row-action?name=delete&pk={nina.getPk()}'
    assert visitor.post(address, headers=headers).is_success
    assert not Artist.objects.exists(nina.getPk())
    address = f'{visitor.address}/_api/Track/action?name=delete&pks=1&pks=2&pks=x'
    assert visitor.post(address, headers=headers).is_success
    assert Track.objects.count() == TRACKS - 2


def test_what_no_form_can_hold_is_not_offered_and_not_taken(visitor, raw):
    raw.hset('_ir_|AdminTrack:data:4', 'note', 'a\r\nb')
    page = visitor.see('/Track/edit?pk=4')
    assert not {'pickled', 'raw', 'lyrics', 'note', '_id'} & {*page.fields}
    before = dump(raw)
    forged = {
        f'{name}{end}': 'x'
        for name in ('pickled', 'raw', 'lyrics', 'note')
        for end in ('', '.mark')
    }
    visitor.submit('/Track/edit?pk=4', page, **forged)
    assert dump(raw) == before
    raw.hset('_ir_|AdminTrack:data:4', 'note', 'x')


def test_a_new_object_takes_no_field_that_no_form_offers(visitor):
    page = visitor.submit(
        '/Track/create', name='made', **{'name.null': None, 'pickled': 'x', 'pickled.mark': ''}
    )
    assert 'added successfully' in page.text
    (made,) = Track.objects.filter(name='made')
    assert made.pickled is irNull


@given(st.text())
def test_each_text_that_a_form_offers_comes_back(text):
    field = IRField('note')
    try:
        stored = text.encode()
    except UnicodeEncodeError:
        return
    now = values.shown(field, stored)
    if values.is_editable(field, now):
        # A browser sends line ends as CR LF, and changes nothing else.
        sent = now.text.replace('\n', '\r\n').replace('\r\n', '\n')
        assert not values.has_changed(field, values.Typed(sent, now.null, now.mark))
        assert (
            field.toStorage(values.value_of(field, values.Typed(sent, now.null))).encode() == stored
        )
    else:
        assert now.kind == 'escaped'


def test_quotes_of_a_value_stay_in_its_field(visitor):
    assert visitor.see('/Track/edit?pk=1').fields['name'] == QUOTES
