"""Servers that remove keys when their memory is full. The rule: check() and info() name the policy;
what they cannot learn, they leave out."""

from __future__ import annotations

import contextlib

import pytest


@pytest.fixture
def song(make_model):
    return make_model(['title'], indexed=['title'])


@pytest.mark.parametrize(
    ('policy', 'what'), [('allkeys-lru', 'index sets'), ('volatile-ttl', 'locks of writers')]
)
def test_an_evicting_policy_is_named(song, new_server, policy, what):
    server = new_server(maxmemory='100mb', maxmemory_policy=policy)
    alt = song.connectAlt(server.params)
    alt(title='x').save()
    report, info = alt.objects.check(), alt.objects.info()
    for texts in (report.warnings, info.advice):
        (text,) = [text for text in texts if 'maxmemory-policy' in text]
        assert policy in text and what in text and 'noeviction' in text
    assert report.ok
    assert f'warning: The server has the maxmemory-policy {policy}' in str(report)
    assert report.asDict()['warnings'] == report.warnings


def test_noeviction_is_no_matter(song, redis_params):
    assert song.objects.check().warnings == []
    assert not any('maxmemory' in text for text in song.objects.info().advice)


def test_a_user_who_may_not_ask_learns_nothing(song, new_server):
    server = new_server(maxmemory='100mb', maxmemory_policy='allkeys-lru')
    with contextlib.closing(server.client()) as client:
        client.execute_command('ACL', 'SETUSER', 'default', '-info')
        alt = song.connectAlt(server.params)
        assert alt.objects.check().warnings == []
        assert alt.objects.info().advice == []
        client.execute_command('ACL', 'SETUSER', 'default', '+info')
        assert alt.objects.check().warnings != []
