"""``models``, ``info`` and ``explain`` as a user runs them."""

from __future__ import annotations

import pytest
from support.keyspace import dump

from cli.commands import command, on_terminal
from cli.shop import Short, Song
from IndexedRedis import findModels

COMMANDS = {
    'models': ['models'],
    'info': ['info', 'shop:Short'],
    'explain': ['explain', 'shop:Short', 'group=3'],
    'explain --analyze': ['explain', 'shop:Short', 'group=3', 'group__ne=4', '--analyze'],
}


@pytest.fixture
def shop(url, watch_models):
    watch_models(Short, Song)
    Short.saver.save([Short(name=str(n), group=n % 5) for n in range(500)])
    Song(title='Waterloo', year=1974).save()
    return url


@pytest.mark.programs
@pytest.mark.parametrize('name', COMMANDS)
def test_they_read_only_and_say_so_in_any_form(shop, raw, name):
    before = dump(raw)
    plain = command(*COMMANDS[name], '--url', shop)
    document = command(*COMMANDS[name], '--url', shop, '--json')
    status, drawn = on_terminal(*COMMANDS[name], '--url', shop)
    assert (plain.status, document.status, status) == (0, 0, 0)
    assert dump(raw) == before
    assert 'Short' in plain.out
    assert '\x1b' not in plain.out
    assert '\u2500' in drawn  # a table
    assert document.json
    assert 'Traceback' not in plain.errors + document.errors + drawn


def test_models(shop, raw):
    plain = command('models', '--url', shop)
    lines = [line.split() for line in plain.out.splitlines()]
    assert [line[:3] for line in lines[1:]] == [['Short', '500', '5'], ['Song', '1', '5']]
    document = command('models', '--url', shop, '--json').json
    assert document == [model.asDict() for model in findModels()]
    raw.flushall()
    assert command('models', '--url', shop).out == 'no models found\n'
    assert command('models', '--url', shop, '--json').json == []


def test_info(shop, raw):
    done = command('info', 'shop:Short', '--url', shop)
    assert done.out == f'{Short.objects.info()}\n'
    assert done.errors.splitlines() == ['Short rows: 500 done', f'Short keys: {raw.dbsize()} done']
    assert command('info', 'shop:Short', '--url', shop, '--json').json == (
        Short.objects.info().asDict()
    )
    one = command('info', 'shop:Short', '--url', shop, '--json', '--sample', 1).json
    assert one['memory']['rowsSampled'] == 1


def test_explain(shop):
    done = command('explain', 'shop:Short', 'group=3', '--url', shop)
    assert done.out == f'{Short.objects.filter(group=3).explain()}\n'
    both = command('explain', 'shop:Short', 'group=3', 'group__ne=4', '--url', shop, '--json')
    assert both.json == Short.objects.filter(group=3, group__ne=4).explain().asDict()
    every = command('explain', 'shop:Short', '--url', shop, '--json').json
    assert (every['rows']['estimate'], every['filters']) == (500, [])
    taken = command('explain', 'shop:Short', 'group=3', '--analyze', '--url', shop, '--json').json
    assert (taken['measured']['rows'], taken['measured']['trips']) == (100, 1)


def test_filters_by_null_and_by_odd_text(shop):
    def explain(*args):
        return command('explain', 'shop:Song', *args, '--url', shop, '--json').json

    assert explain('--null', 'year') == Song.objects.filter(year=None).explain().asDict()
    odd = 'a=b __ne "\u00e9"'
    assert explain(f'title={odd}') == Song.objects.filter(title=odd).explain().asDict()
    assert explain('title=') == Song.objects.filter(title='').explain().asDict()
    two = explain('--null', 'title__ne', '--null', 'year', 'title__ne=Waterloo')
    assert two['rows']['estimate'] == 0


WRONG = {
    'shop:Short group': "error: 'group' is not a filter; write FIELD=VALUE or FIELD__ne=VALUE.",
    'shop:Short =3': "error: '=3' is not a filter",
    'shop:Short grop=3': "Did you mean 'group'?",
    'shop:Short name=x': 'Short.name is not indexed',
    'shop:Short group=many': 'Short.group: cannot hold',
    'shop:Short group__like=3': 'unknown lookup',
    'shop:Shrt group=3': "Did you mean 'Short'?",
}


@pytest.mark.parametrize('words', WRONG)
def test_mistakes_end_with_a_line_and_status_2(shop, words):
    done = command('explain', *words.split(), '--url', shop)
    assert (done.status, done.out) == (2, '')
    (line,) = done.errors.splitlines()
    assert WRONG[words] in line


def test_no_server(url):
    for name in COMMANDS.values():
        done = command(*name, '--url', 'redis://127.0.0.1:1/0')
        assert done.status == 2
        assert done.errors.splitlines()[-1].startswith('error: ')
