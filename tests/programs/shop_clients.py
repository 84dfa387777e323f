"""One hundred clients of the example service, and what may be true of an answer at a moment.

The rule: what is expected is read from the CSV files anew, not asked of the example.
"""

from __future__ import annotations

import asyncio
import collections
import csv
import functools
import ssl
from importlib.resources import files

import httpx

TOKEN = 'open sesame'
AUTHORIZED = {'Authorization': f'Bearer {TOKEN}'}
CLIENTS = 100
RIVALS = 5  # that delete the same track
# Whose tracks are read only, whose are deleted, and to whose album tracks are added.
READ, SHRINKING, GROWING = 'Iron Maiden', 'Metallica', 'AC/DC'


def client(address):
    # The context is never used; without it, each client loads the certificates of the world.
    unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return httpx.AsyncClient(base_url=address, timeout=120, verify=unused)


# -- what SQL holds, read without the example -------------------------------------------------


def _table(name):
    with (files('IndexedRedis.demo') / 'chinook' / f'{name}.csv').open(
        encoding='utf-8', newline=''
    ) as lines:
        return {int(row['id']): row for row in csv.DictReader(lines)}


def _catalogue():
    artists, albums, genres, tracks = map(_table, ('artist', 'album', 'genre', 'track'))
    rows = {}
    for pk, row in tracks.items():
        album = albums[int(row['album'])]
        artist = artists[int(album['artist'])]['name']
        rows[pk] = {
            'id': pk,
            'name': row['name'],
            'artist': artist,
            'genre': genres[int(row['genre'])]['name'],
            'composer': row['composer'] or None,
            'milliseconds': int(row['milliseconds']),
            'price': float(row['unit_price']),
            'album': {
                'id': int(row['album']),
                'title': album['title'],
                'artist': {'id': int(album['artist']), 'name': artist},
            },
        }
    return rows


CATALOGUE = _catalogue()


@functools.cache
def ids(**wanted):
    """Ids of the mirrored tracks with these values."""
    return [
        pk
        for pk, row in CATALOGUE.items()
        if all(row[name] == value for name, value in wanted.items())
    ]


def as_listed(row):
    return {**row, 'album': row['album']['id']}


# -- one hundred clients ----------------------------------------------------------------------


class Load:
    """Clients that ask, one that resets, and what may be true at a moment."""

    def __init__(self, connect):
        self.http = collections.defaultdict(connect)
        self.seen = collections.Counter()
        self.begun = self.ended = 0  # resets
        self.editions = []  # in order; each is live before the next one is begun
        self.seen_editions = set()
        self.deleted = collections.Counter()  # how many tried to delete a mirrored track
        self.created = set()  # names of tracks somebody has tried to add
        self.at_once = self.most_at_once = 0

    async def ask(self, method, path, **how):
        """Ask as the client whose task this is; each has a connection of its own."""
        http = self.http[asyncio.current_task()]
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        answer = await http.request(method, path, **how)
        self.at_once -= 1
        return answer

    def now(self):
        """What `calm_since` wants to know."""
        return self.begun, self.ended

    def calm_since(self, then):
        """Whether no reset was under way then, or at any time since."""
        return {*then} == {*self.now()} and len({*then}) == 1

    async def reset(self):
        self.begun += 1
        answer = await self.ask('POST', '/reset', headers=AUTHORIZED)
        assert answer.status_code == 200, answer.text
        self.editions.append(answer.json()['edition'])
        self.ended += 1

    async def listing(self, **params):
        """A page of tracks: of one edition, and of none that had been replaced before we asked."""
        oldest = self.editions[-1]
        answer = await self.ask('GET', '/tracks', params=params)
        assert answer.status_code == 200, answer.text
        tracks = answer.json()['tracks']
        editions = {track['edition'] for track in tracks} - {None}
        assert len(editions) <= 1
        assert all(edition >= oldest for edition in editions)
        self.seen_editions |= editions
        assert [track['id'] for track in tracks] == sorted({track['id'] for track in tracks})
        for track in tracks:
            edition = track.pop('edition')
            if edition is None:
                assert track['name'] in self.created
            else:
                assert track == as_listed(CATALOGUE[track['id']])
        return answer.json()['total'], [track['id'] for track in tracks]

    async def list_artist(self, turn):
        expected = ids(artist=READ)
        assert await self.listing(artist=READ, limit=200) == (len(expected), expected[:200])
        self.seen['list'] += 1

    async def list_filtered(self, turn):
        expected = sorted({*ids(artist=READ)} - {*ids(genre='Rock')})
        params = {'artist': READ, 'genre__ne': 'Rock', 'offset': 3, 'limit': 20}
        assert await self.listing(**params) == (len(expected), expected[3:23])
        self.seen['filter'] += 1

    async def list_changing(self, turn):
        total, found = await self.listing(artist=SHRINKING, limit=200)
        assert total == len(found)
        assert {*ids(artist=SHRINKING)} - {*found} <= {*self.deleted}
        assert {*found} <= {*ids(artist=SHRINKING)}
        total, found = await self.listing(artist=GROWING, limit=200)
        assert {*ids(artist=GROWING)} <= {*found}
        self.seen['list of what changes'] += 1

    async def list_all(self, turn):
        total, found = await self.listing(offset=100 * turn % 3000, limit=200)
        assert len(found) == 200
        assert len(CATALOGUE) - len(self.deleted) <= total <= len(CATALOGUE) + len(self.created)
        self.seen['list of everything'] += 1

    async def get(self, turn):
        oldest, pk = self.editions[-1], ids(artist=READ)[turn % 200]
        answer = await self.ask('GET', f'/tracks/{pk}')
        assert answer.status_code == 200, answer.text
        track = answer.json()
        assert track.pop('edition') >= oldest
        assert track == CATALOGUE[pk]
        self.seen['get'] += 1

    async def add_and_remove(self, turn):
        """A track of our own is there until we delete it, or a reset comes between."""
        then, name = self.now(), f'added by {turn}'
        self.created.add(name)
        album = CATALOGUE[ids(artist=GROWING)[0]]['album']['id']
        body = {'name': name, 'album': album, 'milliseconds': str(1000 + turn), 'price': 0.5}
        answer = await self.ask('POST', '/tracks', json=body)
        assert answer.status_code == 201, answer.text
        track = answer.json()
        assert track['id'] not in CATALOGUE
        assert (track['artist'], track['milliseconds']) == (GROWING, 1000 + turn)
        self.seen['create'] += 1
        there = await self.ask('GET', f'/tracks/{track["id"]}')
        calm = self.calm_since(then)
        assert there.status_code == 200 or (there.status_code == 404 and not calm), there.text
        assert there.status_code == 404 or there.json()['name'] == name
        gone = await self.ask('DELETE', f'/tracks/{track["id"]}')
        calm = calm and self.calm_since(then)
        assert gone.status_code == 204 or (gone.status_code == 404 and not calm), gone.text
        self.seen['added, then ' + ('deleted' if gone.status_code == 204 else 'reset')] += 1
        after = await self.ask('GET', f'/tracks/{track["id"]}')
        assert after.status_code == 404, 'an id is never used twice'

    async def delete(self, turn):
        """Of several that delete the same track, one does, and it is back with the next reset."""
        then, pk = self.now(), ids(artist=SHRINKING)[turn % (CLIENTS // RIVALS)]
        self.deleted[pk] += 1
        answer = await self.ask('DELETE', f'/tracks/{pk}')
        rivals = self.deleted[pk] > 1
        assert answer.status_code == 204 or (answer.status_code == 404 and rivals), answer.text
        self.seen['delete' if answer.status_code == 204 else 'gone already'] += 1
        again = await self.ask('GET', f'/tracks/{pk}')
        back = again.status_code == 200 and not self.calm_since(then)
        assert again.status_code == 404 or back, again.text

    async def refused(self, turn):
        method, path, body, status, message = REFUSALS[turn % len(REFUSALS)]
        answer = await self.ask(method, path, json=body)
        assert (answer.status_code, message in answer.text) == (status, True), answer.text
        self.seen['refused'] += 1
        self.seen[method, path, status] += 1

    async def work(self, number):
        """One client: one of each, and on until a reset has come and gone."""
        if number % 10 == 0:
            await self.list_all(number)
        turn = 0
        while turn < len(KINDS) or self.ended < 2:
            await getattr(self, KINDS[(number + turn) % len(KINDS)])(number + CLIENTS * turn)
            turn += 1
        await self.list_artist(turn)
        self.seen['client'] += 1

    async def all_at_once(self):
        """All clients, and one reset after the other meanwhile; the first mistake ends it."""
        clients = [asyncio.ensure_future(self.work(number)) for number in range(CLIENTS)]
        try:
            waiting = clients
            while waiting:
                await self.reset()
                _, waiting = await asyncio.wait(waiting, timeout=0.3)
            await asyncio.gather(*clients)
        finally:
            for each in clients:
                each.cancel()
            await asyncio.gather(*clients, return_exceptions=True)


KINDS = (
    'list_artist',
    'list_filtered',
    'list_changing',
    'get',
    'add_and_remove',
    'delete',
    'refused',
)
BAD_NUMBER = {'name': 'x', 'album': 1, 'milliseconds': 'many'}
REFUSALS = [
    ('POST', '/reset', None, 401, 'Wrong token'),
    ('GET', '/tracks/999999999', None, 404, 'There is no track 999999999'),
    ('DELETE', '/tracks/999999999', None, 404, 'There is no track 999999999'),
    ('GET', '/tracks/0', None, 422, 'greater than or equal to 1'),
    ('GET', '/tracks?gener=Rock', None, 400, "Did you mean 'genre'?"),
    ('GET', '/tracks?name=x', None, 400, 'Track.name is not indexed'),
    ('GET', '/tracks?album=first', None, 422, "Track.album: cannot hold 'first'"),
    ('GET', '/tracks?limit=100000', None, 422, 'less than or equal to 200'),
    ('POST', '/tracks', BAD_NUMBER, 422, "Track.milliseconds: cannot hold 'many'"),
    ('POST', '/tracks', {'name': 'IRNullType()', 'album': 1}, 422, 'Track.name: cannot hold'),
    ('POST', '/tracks', {'name': 'x', 'album': 99999}, 422, 'There is no album 99999'),
    ('POST', '/tracks', {'name': 'x', 'album': 1, 'colour': 'red'}, 422, 'colour'),
    ('POST', '/tracks', {'album': 1}, 422, 'name'),
]
