"""The pages about the command line say what is so: every option is described, examples run."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import pytest
import typer

from cli.commands import environment
from IndexedRedis.__main__ import command_line

DOCS = pathlib.Path(__file__).parents[3] / 'docs'
COMMON = {'--url', '--json', '--debug', '--help'}
CLICK = typer.main.get_command(command_line())


def sections():
    """Heading to text, of the reference."""
    parts = re.split(r'^(.+)\n---+\n', (DOCS / 'reference' / 'cli.rst').read_text(), flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def options(name):
    """What a command takes."""
    return {text for each in CLICK.commands[name].params for text in each.opts if text[0] == '-'}


def arguments(name):
    return [each for each in CLICK.commands[name].params if each.param_type_name == 'argument']


def test_there_is_a_section_for_each_command():
    assert [name for name in sections() if not name.startswith('What')] == list(CLICK.commands)


@pytest.mark.parametrize('name', CLICK.commands)
def test_each_option_is_described(name):
    terms = re.findall(r'^``-.*(?=\n   )', sections()[name], flags=re.M)
    described = {text for term in terms for text in re.findall(r'(?<=``)--?[\w-]+', term)}
    assert described == options(name) - COMMON


@pytest.mark.parametrize('name', CLICK.commands)
def test_usage_is_that_of_the_help(name):
    usage = re.search(rf'``indexedredis {name}(.*)``', sections()[name])[1].split()
    shown = []
    for argument in arguments(name):
        metavar = (argument.metavar or argument.name.upper()).strip('[]')
        text = metavar + ('...' if argument.nargs == -1 else '')
        shown.append(text if argument.required else f'[{text}]')
    assert usage == shown


@pytest.mark.parametrize('name', CLICK.commands)
def test_common_options_are_those_of_every_command(name):
    lacking = COMMON - {'--help'} - options(name)
    assert lacking <= {'--url', '--json'}
    without = {name: {'--url', '--json'} for name in ('demo', 'scaffold', 'stubs')}
    without['serve'] = {'--url'}
    assert lacking == without.get(name, set())


# -- the page about repairing ----------------------------------------------------------------

PAGE = (DOCS / 'operate' / 'repair.rst').read_text()


def blocks(kind):
    found = re.findall(rf'^\.\. code-block:: {kind}\n\n((?:(?: {{3}}.*)?\n)+)', PAGE, flags=re.M)
    return [re.sub('^ {3}', '', text, flags=re.M).strip() + '\n' for text in found]


@pytest.fixture
def folder(tmp_path):
    """With the module of the page, and a script `indexedredis`."""
    (tmp_path / 'shop.py').write_text(blocks('python')[0])
    script = tmp_path / 'bin' / 'indexedredis'
    script.parent.mkdir()
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m IndexedRedis "$@"\n')
    script.chmod(0o755)
    return tmp_path


def shell(line, folder, url):
    env = environment(INDEXEDREDIS_URL=url)
    env |= {'PATH': f'{folder / "bin"}:{env["PATH"]}'}
    # As in one terminal: the command before has left its status.
    line = f'(exit $(cat status 2>/dev/null || echo 0)); {line}; echo $? > status'
    done = subprocess.run(
        ['sh', '-c', f'{line} 2>&1' if '2>' not in line else line],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout.decode()


@pytest.mark.programs
def test_the_examples_about_repairing(folder, url, raw, make_model):
    song = make_model(['title', 'artist'], indexed=['artist'], key_name='Song')
    for title, artist in (
        ('Waterloo', 'Abba'),
        ('Bohemian Rhapsody', 'Queen'),
        ('T.N.T.', 'AC/DC'),
    ):
        song(title=title, artist=artist).save()
    raw.smove('_ir_|Song:idx:artist:Abba', '_ir_|Song:idx:artist:Queen', '1')
    shown = ''.join(blocks('console'))
    seen = ''
    for line in re.findall(r'^\$ (.*)', shown, flags=re.M):
        seen += f'$ {line}\n' + shell(line, folder, url)
    assert seen == shown
    exec(blocks('python')[1], {'Song': song})


def test_the_line_for_cron(folder, url, raw, make_model):
    song = make_model(['title', 'artist'], indexed=['artist'], key_name='Song')
    song(title='x', artist='Abba').save()
    (line,) = blocks('text')
    task = line.split(maxsplit=5)[5].replace('/srv/shop', str(folder)).strip()
    assert shell(task, folder, url) == ''
    raw.sadd('_ir_|Song:idx:artist:Queen', '1')
    assert 'entry_stale: 1' in shell(task, folder, url)
    song.objects.repair()
