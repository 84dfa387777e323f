"""The pictures of the pages. The rule: each is what its script draws, shows what the library does,
and can be read on a light and on a dark page.
"""

from __future__ import annotations

import importlib
import importlib.util
import itertools
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from IndexedRedis import IRField

DOCS = Path(__file__).parents[2] / 'docs'
SPEC = importlib.util.spec_from_file_location('make_pictures', DOCS / 'make_pictures.py')
make_pictures = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_pictures)
drawing = importlib.import_module('pictures.drawing')
keys = importlib.import_module('pictures.keys')
sys.path.remove(str(DOCS))
READABLE = 4.5  # the contrast that WCAG 2 asks of texts


@pytest.mark.parametrize('name', make_pictures.drawn())
def test_it_is_what_its_script_draws(name):
    made = make_pictures.drawn()[name]
    assert ElementTree.fromstring(made).get('aria-label')
    stored = (make_pictures.STATIC / name).read_text('utf-8')
    assert stored == made, 'run python docs/make_pictures.py'


def test_a_page_shows_each():
    """By a path that leads to it where the page is read as a file, too."""
    shown = set()
    for page in DOCS.rglob('*.rst'):
        for image in re.findall(r'image:: (\S+)', page.read_text('utf-8')):
            assert (page.parent / image).exists(), (page, image)
            shown.add(Path(image).name)
    assert make_pictures.drawn().keys() <= shown


def brightness(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (((p + 0.055) / 1.055) ** 2.4 if p > 0.04045 else p / 12.92 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize('colours', [drawing.LIGHT, drawing.DARK], ids=['light', 'dark'])
def test_texts_stand_out(colours):
    fills = [f'{kind}-fill' for kind in drawing.KINDS]
    pairs = [*itertools.product(('ink', 'soft'), [*fills, 'page'])]
    pairs += [(kind, ground) for kind in drawing.KINDS for ground in (f'{kind}-fill', 'page')]
    for text, ground in pairs:
        dark, light = sorted(brightness(colours[name]) for name in (text, ground))
        assert (light + 0.05) / (dark + 0.05) >= READABLE, (text, ground)


def content(raw: Any, key: str, kind: str) -> str:
    if kind == 'set':
        return ' '.join(sorted(pk.decode() for pk in raw.smembers(key)))
    if kind == 'sorted set':
        return ' '.join(
            f'{pk.decode()}={score:g}' for pk, score in raw.zrange(key, 0, -1, withscores=True)
        )
    return raw.get(key).decode()


@pytest.mark.names_keys
def test_the_keys_are_those_of_a_stored_object(make_model, raw):
    fields = ['name', 'artist', 'genre', IRField('seconds', valueType=int)]
    Track = make_model(fields, indexed=['artist', 'genre'], SORTED_FIELDS=['seconds'])
    for pk, values in ((2, keys.BESIDE), (7, keys.VALUES)):
        raw.set(f'_ir_|{Track.KEY_NAME}:next', pk - 1)
        assert Track(**values).save() == [pk]
    base = f'_ir_|{Track.KEY_NAME}:'
    names = {key.decode().removeprefix(base) for key in raw.keys(f'{base}*')}
    stored = {name for name in names if not name.startswith('tmp:')}
    assert stored - {key for key, _, _ in keys.KEYS} == {'data:2', 'idx:genre:Rock'}
    shown = {name: str(value).encode() for name, value in keys.VALUES.items()}
    assert {k.decode(): v for k, v in raw.hgetall(f'{base}data:7').items()} == shown
    for key, kind, told in keys.KEYS[1:]:
        assert content(raw, base + key, kind) == told, key
