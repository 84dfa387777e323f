"""The page of the keys: its names are those that models store, its commands find them."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess

import pytest
from support import servers

from IndexedRedis import IRField
from pages.blocks import blocks_of

NAMES, TOGETHER, OF_PARTITIONS, USEFUL, OF_CLUSTERS = blocks_of('docs/reference/keys.rst', 'text')
AT_NODE = 'redis-cli -c -h NODE '


def commands(block: str) -> list[list[str]]:
    """Return the words of each command, without what the page says of it."""
    return [shlex.split(re.split(r'  |(?<=keys") ', line)[0]) for line in block.splitlines()]


@pytest.mark.names_keys
def test_index_sets_have_these_names(make_model, raw):
    fields = [IRField('artist'), IRField('album'), IRField('lyrics', hashIndex=True)]
    Song = make_model(fields, indexed=['artist', 'album', 'lyrics'], key_name='Song')
    Song(artist='Björk', album=None, lyrics='abc').save()
    Song(artist='').save()
    Article = make_model(['shop', 'sku'], key_name='Article', UNIQUE_FIELDS=[('shop', 'sku')])
    Article(shop='north', sku='7').save()
    Article(shop='north', sku=None).save()
    names = (NAMES + TOGETHER).splitlines()
    assert [raw.exists(name) for name in names] == [1] * 6


def test_the_useful_commands(make_model, raw):
    Song = make_model(
        [IRField('artist'), IRField('year', valueType=int)],
        indexed=['artist', 'year'],
        key_name='Song',
        SORTED_FIELDS=['year'],
    )
    Song.saver.save([Song(artist='Abba', year=1976) for _ in range(20)])
    replies = {' '.join(words): raw.execute_command(*words) for words in commands(USEFUL)}
    empty = [command for command, reply in replies.items() if not reply]
    assert empty == ['HGETALL _ir_|Song:tmp:resets']


def test_the_commands_about_partitions(make_model, raw, redis_params):
    Order = make_model(['customer'], key_name='{shop}Orders', PARTITIONS=48)
    for _ in range(6):  # from edition 1 to 7
        Order.reset([Order(customer='x') for _ in range(200)])
    pointer, scan, count = commands(OF_PARTITIONS)
    assert raw.execute_command(*pointer) == b'7 48'
    assert raw.execute_command(*count) > 0
    if shutil.which(scan[0]) is None:
        pytest.skip(f'{scan[0]} is not installed')
    at = ['-p', str(redis_params['port'])]
    shown = subprocess.check_output([scan[0], *at, *scan[1:]], text=True)
    assert len(shown.split()) == 48


@pytest.mark.clusters
def test_the_commands_about_clusters(running_servers, server):
    """A cluster of one node, to which `redis-cli` connects by its port."""
    node = running_servers(server.kind.partition(' ')[0] + servers.CLUSTER)
    words = commands(OF_CLUSTERS.replace(AT_NODE, ''))
    slot, slots, count = (node.keeper.execute_command(*each) for each in words)
    assert slot and slots and count == 0
