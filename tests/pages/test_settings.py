"""Settings that pages show are taken by the programs they are for: systemd, MariaDB, the server."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys

import pytest

from pages.blocks import blocks_of, blocks_without_a_test

SETTINGS = [block.text for block in blocks_without_a_test('ini')]
UNITS = [text for text in SETTINGS if '[mariadb]' not in text]
STARTED = re.compile(r'^ExecStart=(\S+) -m IndexedRedis (.*)$', re.MULTILINE)


def program(name: str) -> str:
    """Return the path of a program; skip the test if the machine lacks it."""
    found = shutil.which(name, path='/usr/sbin:/usr/local/sbin:/usr/bin:/bin:/usr/local/bin')
    if found is None:
        pytest.skip(f'{name} is not installed')
    return found


@pytest.mark.parametrize('text', [text for text in UNITS if STARTED.search(text)])
def test_a_unit_starts_a_command_that_there_is(text):
    typer = pytest.importorskip('typer', reason='the commands need typer')
    from IndexedRedis.__main__ import command_line

    name, *arguments = shlex.split(STARTED.search(text)[2])
    mirror = typer.main.get_command(command_line()).commands[name]
    assert mirror.make_context(name, arguments).params['target'] == 'shop_mirror:mirror'


def test_systemd_takes_the_units(tmp_path):
    """A timer starts the service of the same name, which is the one that its page shows before."""
    analyze = program('systemd-analyze')
    number = 0
    for text in UNITS:
        kind = 'timer' if '[Timer]' in text else 'service'
        number += kind == 'service'
        unit = tmp_path / f'shop-{number}.{kind}'
        unit.write_text(text.replace('/srv/shop/.venv/bin/python', sys.executable))
        command = [analyze, 'verify', '--man=no', '--recursive-errors=no', str(unit)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, ''), text
    assert number == 3


def test_mariadb_takes_its_settings(tmp_path):
    """It refuses names that it does not know, and shows the value of each."""
    mariadbd = program('mariadbd')
    (text,) = (text for text in SETTINGS if '[mariadb]' in text)
    (tmp_path / 'my.cnf').write_text(text)
    command = [mariadbd, f'--defaults-file={tmp_path}/my.cnf', '--user=root', '--help', '--verbose']
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    given = re.findall(r'^(\w+) = (\w+)', text, re.MULTILINE)
    assert len(given) > 3
    for name, value in given:
        assert re.search(rf'^{name.replace("_", "-")} +{value}$', shown, re.MULTILINE)


def test_the_server_takes_its_settings(new_server):
    """Those of docs/performance.rst."""
    lines = ''.join(blocks_of('docs/performance.rst', 'text')).splitlines()
    settings = dict(line.split() for line in lines)
    assert len(settings) > 2
    server = new_server(**{name.replace('-', '_'): value for name, value in settings.items()})
    assert {**settings} == {name: server.keeper.config_get(name)[name] for name in settings}
