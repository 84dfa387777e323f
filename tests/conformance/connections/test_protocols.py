"""Both versions of the protocol. The rule: which one a connection speaks, and what the server says
unasked in between, shows neither in what arrives nor in how quickly it is taken."""

from __future__ import annotations

import hiredis
import pytest
import redis._parsers.base as parsers
from redis import asyncio as redis_asyncio
from redis.connection import Connection

from IndexedRedis import IRField

ROWS = 1500
# redis-py tells messages from replies since version 7.
tells = hasattr(parsers, 'PushNotificationsParser')
needs_messages = pytest.mark.skipif(
    not (tells and hasattr(hiredis, 'PushNotification')),
    reason='this redis-py, or hiredis, cannot tell messages from replies',
)


@pytest.fixture(params=[2, 3])
def protocol(request):
    return request.param


@pytest.fixture
def numbers(make_model, redis_params):
    """A model of some fields, all of whose commands go over one connection."""

    def make(protocol):
        # Of version 2 nothing can be remembered.
        attrs = {} if protocol == 3 else {'CLIENT_SIDE_CACHE': 0}
        fields = [IRField('n', valueType=int), 'a', 'b']
        model = make_model(fields, indexed=['a'], **attrs)
        own = {'protocol': protocol, 'max_connections': 1, 'client_name': 'numbers'}
        model.REDIS_CONNECTION_PARAMS = {**redis_params, **own}
        model.saver.save([model(n=n, a='x', b=str(n)) for n in range(ROWS)])
        return model

    return make


@pytest.mark.plain_model
def test_replies_are_taken_as_they_arrive(numbers, protocol, monkeypatch):
    asked = []

    def counted(kind):
        read = kind.read_response

        def read_response(*args, **options):
            asked.append(kind)
            return read(*args, **options)

        monkeypatch.setattr(kind, 'read_response', read_response)

    model = numbers(protocol)
    if protocol == 3 and not tells:
        pytest.skip('this redis-py has to look at each reply itself')
    counted(Connection)
    counted(redis_asyncio.Connection)
    assert sorted(obj.n for obj in model.objects.filter(a='x').all()) == list(range(ROWS))
    assert len(asked) < ROWS / 10


@pytest.mark.plain_model
@needs_messages
def test_messages_that_nobody_asked_for_are_no_replies(numbers, raw):
    model = numbers(3)
    (number,) = [each['id'] for each in raw.client_list() if each['name'] == 'numbers']
    # Whatever anybody writes to these keys, the connection of the model is told of.
    raw.execute_command(
        *('CLIENT', 'TRACKING', 'ON', 'REDIRECT', number, 'BCAST'),
        *('PREFIX', f'_ir_|{model.KEY_NAME}:data'),
    )
    for title in ('first', 'second'):
        assert len(model.reset([model(n=n, a=title, b='') for n in range(ROWS)])) == ROWS
        assert sorted(obj.n for obj in model.objects.filter(a=title).all()) == list(range(ROWS))
        assert model.objects.count() == ROWS
    assert model.objects.delete() == ROWS
    told = [each for each in raw.client_list() if each['id'] == number]
    assert len(told) == 1  # it is still the same connection
