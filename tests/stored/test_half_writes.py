"""Users who lack a command. The rule: a write that meets its limits has changed nothing."""

from __future__ import annotations

import re

import pytest
import redis

import IndexedRedis as IR
from IndexedRedis import IRField

# What writes run, in scripts and beside them.
COMMANDS = [
    *('sadd', 'srem', 'hset', 'hdel', 'unlink', 'pexpire', 'persist', 'set', 'del', 'rename'),
    *('sinterstore', 'sunionstore', 'zadd', 'zrem'),
]


@pytest.fixture(params=[[], ['n']], ids=['plain', 'sorted'])
def sorts(request):
    """The sorted fields."""
    return request.param


@pytest.fixture
def shop(make_model, sorts):
    fields = ['name', IRField('n', valueType=int)]
    return make_model(fields, indexed=['name', 'n'], key_name='Shop', SORTED_FIELDS=sorts)


def insert(model):
    model(name='new', n=9).save()


def insert_three(model):
    model.saver.save([model(name='new', n=n) for n in range(3)])


def update(model):
    obj = model.objects.get(1)
    obj.name = 'new'
    obj.save()


def update_two(model):
    objs = model.objects.getMultiple([1, 2])
    for obj in objs:
        obj.n += 10
    model.saver.save(list(objs))


def put(model):
    model(_id=2, name='new', n=9).save()


def delete(model):
    model.objects.get(1).delete()


def delete_matching(model):
    model.objects.filter(name='a').delete()


def reset(model):
    model.reset([model(name='a', n=5), model(name='c', n=6)])


def reset_changed(model):
    IR.resetChanged([(model, [model(name='a', n=1), model(name='c', n=6)])], {model: 'n'})


WRITES = [
    *(insert, insert_three, update, update_two, put, delete, delete_matching),
    *(reset, reset_changed),
]


def contents(model):
    return [(obj._id, obj.name, obj.n) for obj in model.objects.allByAge()]


@pytest.fixture
def user(raw):
    """Makes a user who may do everything but run one command."""
    if int(raw.info('server')['redis_version'].split('.')[0]) < 7:
        pytest.skip('the server cannot tell a script what its user may run')
    yield lambda command: raw.acl_setuser(
        'limited',
        enabled=True,
        reset=True,
        passwords=['+secret'],
        keys=['*'],
        categories=['+@all'],
        commands=[f'-{command}'],
    )
    raw.acl_deluser('limited')


@pytest.mark.parametrize('command', COMMANDS)
@pytest.mark.parametrize('write', WRITES, ids=lambda write: write.__name__)
def test_a_user_who_lacks_a_command_writes_all_or_nothing(
    shop, user, redis_params, check, write, command
):
    shop.saver.save([shop(name='a', n=n) for n in range(4)])
    before = contents(shop)
    user(command)
    limited = shop.connectAlt({**redis_params, 'username': 'limited', 'password': 'secret'})
    try:
        write(limited)
    except redis.exceptions.ResponseError as error:
        # Redis 7.0 has other words.
        assert re.search(r"permissions|can't run this command", str(error))
        assert contents(shop) == before
    else:
        assert contents(shop) != before
    check(pending=True)
    shop.objects.repair()
    check()
