"""What a run leaves: one JSON file with every sample, and what the documentation makes of it.

The rule: tables and chart are made from the JSON file alone, which lies beside them, so that a test
can say whether they belong together, and a new run has only to replace it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .machine import sentence
from .results import BY_HAND, OLD, US, Result
from .table import as_rst, longest_as_rst

__all__ = ('DOCS', 'load', 'pages', 'save', 'write_docs')

DOCS = Path(__file__).parent.parent / 'docs'
OTHERS = [OLD, BY_HAND, 'rom', 'walrus', f'{US}, threads']
Groups = dict[str, list[Result]]


def save(path: Path, on: dict[str, Any], groups: Groups) -> None:
    """Write the figures of a run.

    :param on: see :func:`benchmarks.machine.described`
    :param groups: results by the name of their table
    """
    plain = {name: [each.as_json() for each in results] for name, results in groups.items()}
    path.write_text(json.dumps({'on': on, 'groups': plain}, indent=1) + '\n', 'utf-8')


def load(path: Path) -> tuple[dict[str, Any], Groups]:
    """The reverse of :func:`save`."""
    plain = json.loads(path.read_text('utf-8'))
    groups = {
        name: [Result.from_json(each) for each in results]
        for name, results in plain['groups'].items()
    }
    return plain['on'], groups


def pages(on: dict[str, Any], groups: Groups) -> dict[str, str]:
    """The files that ``docs/performance.rst`` includes, by name."""
    made = {f'{name}.rst': as_rst(results, OTHERS) for name, results in groups.items()}
    made['longest.rst'] = longest_as_rst(groups['operations'], [US, OLD, BY_HAND])
    made['machine.rst'] = f'{sentence(on)}\n'
    return made


def write_docs(source: Path) -> None:
    """Make tables and chart for the documentation from the JSON file of a run."""
    from .chart import draw

    on, groups = load(source)
    folder = DOCS / 'performance'
    folder.mkdir(exist_ok=True)
    save(folder / 'measured.json', on, groups)
    for name, text in pages(on, groups).items():
        (folder / name).write_text(text, 'utf-8')
    draw(groups['operations'], DOCS / '_static' / 'performance.svg')
