"""Failovers with real servers. The rule: a primary, its replica, and a client whose connections
lead where the test wants, so that an old primary answers it after the replica was promoted."""

from __future__ import annotations

import time

import pytest

import IndexedRedis as IR
from IndexedRedis import IndexedRedisModel, IRField, ObjectGoneError
from IndexedRedis.fields import IRForeignLinkField

RECORD = '_ir_|Song:tmp:incarnations'


class Artist(IndexedRedisModel):
    FIELDS = [IRField('name')]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'Artist'


class Song(IndexedRedisModel):
    """`notes` changes in place, so each object has its own state; those of `Plain` share one."""

    FIELDS = [
        *(IRField('title'), IRField('genre'), IRField('notes', valueType=list)),
        IRForeignLinkField('artist', Artist),
    ]
    INDEXED_FIELDS = ['genre']
    SORTED_FIELDS = ['title']
    KEY_NAME = 'Song'


class Plain(IndexedRedisModel):
    FIELDS = [IRField('title'), IRField('genre')]
    INDEXED_FIELDS = ['genre']
    SORTED_FIELDS = ['title']
    KEY_NAME = 'Song'


class Pair:
    """A primary, its replica, and a client that goes on where it is led: the default one."""

    def __init__(self, new_server, proxy_of):
        self.old = new_server(repl_diskless_sync_delay='0')
        self.new = new_server(replicaof=f'{self.old.host} {self.old.port}')
        self.proxy = proxy_of(self.old.params)
        self.here = {**self.proxy.params, 'max_connections': 1}
        self.there = dict(self.new.params)
        self.wait()
        IR.setDefaultRedisConnectionParams(self.here)

    def wait(self):
        """Until the replica has all that the primary has."""
        with self.old.client() as primary, self.new.client() as replica:
            end = time.monotonic() + 20
            while (
                replica.info('replication')['master_link_status'] != 'up'
                or replica.info('replication')['slave_repl_offset']
                < primary.info('replication')['master_repl_offset']
            ):
                assert time.monotonic() < end, 'the replica did not catch up'
                time.sleep(0.02)

    def promote(self):
        """Make the replica a primary. The old one goes on, for whoever is connected to it."""
        self.wait()
        with self.new.client() as client:
            client.replicaof('NO', 'ONE')

    def lead_on(self):
        """Lead new connections to the new primary."""
        self.proxy.lead_to(self.new.params)

    def end_old(self):
        """Break the connections to the old primary; new ones lead to the new one."""
        self.lead_on()
        with self.old.client() as client:
            client.client_kill_filter(_type='normal', skipme=True)


def stranger_of(pair, model=Song, count=1):
    """An object that the old primary has acknowledged after its replica was promoted, and the one
    that the new primary has stored under the same pk."""
    here, there = model, model.connectAlt(pair.there)
    here(title='before', genre='x').save()
    pair.promote()
    lost = [here(title=f'lost {n}', genre='x') for n in range(count)]
    here.saver.save(lost)
    strangers = [there(title=f'stranger {n}', genre='x') for n in range(count)]
    there.saver.save(strangers)
    assert [obj._id for obj in lost] == [obj._id for obj in strangers]
    return lost, strangers


def titles(model):
    return [obj.title for obj in model.objects.allByAge()]


def saved_or_gone(model, objs, loses):
    """Save changes of three old objects, which a restart loses or not, beside three new ones."""
    for obj in objs:
        obj.title = 'changed'
        if loses:
            fails(obj.save, obj._id)
        else:
            obj.save()
    assert titles(model) == [*(['changed'] * 3 if not loses else []), *['new'] * 3]


def reload_and_save(objs):
    """Change each object; a reload finds the change, and a save stores one."""
    for n, obj in enumerate(objs):
        obj.title = f'changed {n}'
        assert 'title' in obj.reload()
        obj.title = f'changed {n}'
        obj.save()


def fails(call, pk):
    with pytest.raises(ObjectGoneError) as caught:
        call()
    text = str(caught.value)
    assert f'pk {pk} ' in text
    assert 'obj.copy()' in text
