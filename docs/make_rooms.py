"""Draw ``_static/rooms.svg``, the picture of the rooms: ``python docs/make_rooms.py``.

The floors are those of ``tests/house/test_layers.py``. White text on dark boxes, and grey text
outside, can be read on a light and on a dark page.
"""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path

HERE = Path(__file__).parent
PICTURE = HERE / '_static' / 'rooms.svg'

sys.path.append(str(HERE.parent / 'tests'))
from house.test_layers import CORE_FLOORS, FLOORS  # noqa: E402

# What each room is for. A new room needs a line here.
ROOMS = {
    'mirror': 'SQL to models',
    'cli': 'commands',
    'stubs': '.pyi files',
    'testing': 'pytest fixtures',
    'embedded': 'a server',
    'demo': 'a tour',
    'admin': 'pages',
    'models': 'IndexedRedisModel: the definition and the objects of a model',
    'managers': 'the public methods: query, saver, deleter, resets',
    'IRQueryableList': 'the list that queries return',
    'connections': 'from connection parameters to pools and executors',
    'executors': 'send batches over redis-py: sync, asyncio, cache, pools',
    'fields': 'values in, stored bytes out; one file a type',
    'frameworks': 'pydantic, OpenTelemetry',
    'errors': 'every error',
    'encoding': 'the default encoding',
    'resets': 'stage, swap, diff, destroy',
    'links': 'fetch, save, reload',
    'integrity': 'check, repair',
    'bulk': 'save and delete lists of any length; finish or sweep what killed processes left',
    'partitions': 'the same flows on each partition of the true edition: layout, fences, pointer',
    'writes': 'insert, compare and move, delete',
    'inspection': 'explain, info',
    'expressions': 'lookups and trees, in normal form, as set algebra; no I/O',
    'queries': 'pks by set algebra, rows',
    'locking': 'locks, guarded transactions',
    'mapping': 'a definition; rows to objects and back',
    'objects': 'state, attributes, changes',
    'overlap': 'flows side by side',
    'flows': 'steps',
    'keys': 'key layout',
    'script': 'Lua texts',
    'column': 'a field as bytes',
    'text': 'messages',
}
# Small files that stand on a floor without a box of their own.
UNDRAWN = {
    'deprecated',
    'generics',
    'incarnations',
    'json_encoder',
    'logs',
    'replication',
    'twins',
    'utils',
    '__main__',
}

WIDTH, HEIGHT, GAP, MARGIN, LABEL = 760, 46, 8, 16, 26
OUTER, INNER, GREY = '#46617f', '#2a7566', '#85898f'


def box(x: float, y: float, width: float, name: str, colour: str) -> str:
    """Return a room: its name, and what it is for."""
    middle = x + width / 2
    return (
        f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{HEIGHT}" rx="5" fill="{colour}"/>\n'
        f'<text x="{middle:g}" y="{y + 19:g}" class="name">{escape(name)}</text>\n'
        f'<text x="{middle:g}" y="{y + 36:g}" class="use">{escape(ROOMS[name])}</text>\n'
    )


def row(y: float, names: list[str], left: float, right: float, colour: str) -> str:
    """Return the rooms of one floor, side by side and of equal width."""
    width = (right - left - GAP * (len(names) - 1)) / len(names)
    places = (left + n * (width + GAP) for n in range(len(names)))
    return ''.join(box(x, y, width, name, colour) for x, name in zip(places, names, strict=True))


def in_order(floor: set[str]) -> list[str]:
    """Return the drawn rooms of a floor, in the order in which they are described here."""
    assert floor <= {*ROOMS, *UNDRAWN}, f'describe {floor - {*ROOMS, *UNDRAWN}} in ROOMS'
    return [name for name in ROOMS if name in floor]


def core(y: float) -> tuple[str, float]:
    """Return the floors of ``_core`` in a frame, and where it ends."""
    drawn = f'<text x="{MARGIN + 12}" y="{y + 18:g}" class="label">_core: no I/O</text>\n'
    start, y = y, y + LABEL
    for floor in reversed(CORE_FLOORS):
        drawn += row(y, in_order(floor), MARGIN + 12, WIDTH - MARGIN - 12, INNER)
        y += HEIGHT + GAP
    frame = (
        f'<rect x="{MARGIN}" y="{start:g}" width="{WIDTH - 2 * MARGIN}" height="{y - start:g}" '
        f'rx="8" fill="none" stroke="{GREY}" stroke-width="1.5"/>\n'
    )
    return frame + drawn, y + GAP


def picture() -> str:
    """Return the whole picture: the top floor first, since imports go down."""
    drawn, y = '', float(MARGIN)
    for floor in reversed(FLOORS):
        if floor == {'_core'}:
            text, y = core(y)
            drawn += text
        else:
            drawn += row(y, in_order(floor), MARGIN, WIDTH - MARGIN, OUTER)
            y += HEIGHT + GAP
    drawn += f'<text x="{MARGIN}" y="{y + 14:g}" class="label">Imports go down only.</text>\n'
    style = (
        'text{font-family:system-ui,sans-serif;text-anchor:middle}'
        '.name{font-size:15px;font-weight:600;fill:#fff}.use{font-size:12.5px;fill:#fff}'
        f'.label{{font-size:14px;fill:{GREY};text-anchor:start}}'
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + MARGIN + 8:g}" '
        'role="img" aria-label="The rooms of IndexedRedis, one floor above the other">\n'
        f'<style>{style}</style>\n{drawn}</svg>\n'
    )


if __name__ == '__main__':
    PICTURE.write_text(picture(), 'utf-8')
