"""Editors complete fields and methods: jedi, and pyright as a language server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import IndexedRedis

HERE = Path(__file__).parents[1] / 'typing'
LIBRARY = Path(IndexedRedis.__file__).parent.parent
WRITTEN = """\
from models import Live, Track
track = Track()
{line}"""
COMPLETED = {
    'track.': {'name', 'seconds', 'artist', 'price', 'save', 'asave', 'objects', 'getPk'},
    'Live.': {'created', 'name', 'venue', 'reset', 'objects'},
    'track.artist.': {'name', 'save'},
    'Track.objects.': {'filter', 'all', 'aall', 'first', 'page', 'values', 'getOrCreate'},
    'Track.objects.filter(name=1).': {'all', 'exclude', 'orderBy', 'count', 'delete'},
    'Track.objects.all().': {'sort_by', 'filter', 'asDicts', 'save'},
    'Track.objects.all()[0].': {'name', 'seconds', 'save'},
    'Track.objects.first().': {'name', 'seconds', 'save'},
    'Track.objects.page().': {'objects', 'total', 'next'},
    'Track.saver.': {'save', 'saveMultiple'},
    'Track(': {'name=', 'seconds=', 'artist='},
}
pytestmark = pytest.mark.programs


@pytest.mark.parametrize('line', COMPLETED)
def test_jedi_completes(line):
    jedi = pytest.importorskip('jedi')
    project = jedi.Project(HERE, added_sys_path=[str(LIBRARY)])
    script = jedi.Script(WRITTEN.format(line=line), path=HERE / 'written.py', project=project)
    assert {each.name for each in script.complete()} >= COMPLETED[line]


class LanguageServer:
    """pyright, asked in the protocol of editors."""

    def __init__(self) -> None:
        command = [sys.executable, '-m', 'pyright.langserver', '--stdio']
        found = {'PYTHONPATH': str(LIBRARY), 'PATH': f'{Path(sys.executable).parent}:{os.defpath}'}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **found},
        )
        folder = {'uri': HERE.as_uri(), 'name': 'typing'}
        about = {'processId': None, 'capabilities': {}, 'workspaceFolders': [folder]}
        self._request('initialize', {**about, 'rootUri': HERE.as_uri()})
        self._send('initialized', {})

    def complete(self, name: str, text: str) -> set[str]:
        """Return what can follow a text."""
        uri = (HERE / f'{name}.py').as_uri()
        document = {'uri': uri, 'languageId': 'python', 'version': 1, 'text': text}
        self._send('textDocument/didOpen', {'textDocument': document})
        *before, last = text.split('\n')
        place = {'line': len(before), 'character': len(last)}
        where = {'textDocument': {'uri': uri}, 'position': place}
        answer = self._request('textDocument/completion', where)
        return {item['label'] for item in answer['items']}

    def stop(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _send(self, method: str, params: Any, **more: Any) -> None:
        content = {'jsonrpc': '2.0', 'method': method, 'params': params, **more}
        body = json.dumps(content).encode()
        self._process.stdin.write(b'Content-Length: %d\r\n\r\n' % len(body) + body)
        self._process.stdin.flush()

    def _request(self, method: str, params: Any) -> Any:
        self._send(method, params, id=1)
        for message in self._messages():
            if message.get('id') == 1 and 'method' not in message:
                return message['result']
        raise AssertionError('the language server ended')

    def _messages(self) -> Iterator[Any]:
        out = self._process.stdout
        while head := out.readline():  # Content-Length, and an empty line
            out.readline()
            yield json.loads(out.read(int(head.partition(b':')[2])))


@pytest.fixture(scope='module')
def pyright():
    pytest.importorskip('pyright')
    server = LanguageServer()
    yield server
    server.stop()


@pytest.mark.parametrize('line', COMPLETED)
def test_pyright_completes(pyright, line):
    name = f'written{[*COMPLETED].index(line)}'
    assert pyright.complete(name, WRITTEN.format(line=line)) >= COMPLETED[line]
