"""Write the module: models, then the mirror."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from .planning import Field, Model
from .selects import Selects

__all__ = ('module_text',)

WIDTH = 100
HEAD = '''"""Models and mirror of {source}.

``indexedredis scaffold`` wrote this module from the schema. Comments say what it chose. Change the
module as you like, then run ``indexedredis mirror {module}:mirror --dry-run``.
"""

from __future__ import annotations

'''
# What json columns hold.
_JSON_TYPES = {'dict': 'Any', 'list': 'list[Any]'}


def module_text(
    models: Sequence[Model], selects: Selects, source: str, database: str, module: str
) -> str:
    """Return the source of a module with models and a mirror.

    :param models: the models, targets of links first
    :param source: what the schema was read from, for the docstring
    :param database: Python code for the first argument of the mirror
    :param module: the name that the module will have
    """
    body = (
        '\n\n'.join(_model(each) for each in models) + '\n\n' + _mirror(models, selects, database)
    )
    head = HEAD.format(source=source, module=module)
    return head + _imports(body, selects) + '\n\n' + body


def _imports(body: str, selects: Selects) -> str:
    used = {*re.findall(r'\b(datetime|os|uuid)\.', body)}
    fields = sorted({*re.findall(r'\b(IR[A-Z]\w+Field)\(', body)})
    plain_field = ', IRField' if 'IRField(' in body else ''
    lines = [f'from IndexedRedis import IndexedRedisModel{plain_field}']
    if fields:
        lines.append(_listed('from IndexedRedis.fields import ', '()', fields))
    lines.append('from IndexedRedis.mirror import Mirror')
    needed = [each for each in selects.imports if re.search(rf'\b{each.split()[-1]}\b', body)]
    lines = sorted([*lines, *needed], key=str.lower)
    plain = ''.join(f'import {name}\n' for name in sorted(used))
    plain += 'from typing import Any\n' if re.search(r'\bAny\]', body) else ''
    return plain + '\n' * bool(plain) + '\n'.join(lines) + '\n'


def _model(model: Model) -> str:
    lines = [f'class {model.name}(IndexedRedisModel):', f'    KEY_NAME = {model.name!r}', '']
    for field in model.fields:
        lines += _comment(field.note)
        if field.code:
            lines.append(_attribute(field))
    return '\n'.join(lines) + '\n'


def _attribute(field: Field) -> str:
    """Return ``name: IRField[str] = IRField(indexed=True)``, in one line if it fits."""
    kind, _, rest = field.code.replace('{name}, ', '').replace('{name}', '').partition('(')
    given = [rest.removesuffix(')')] if rest != ')' else []
    if given and given[0].startswith("'"):
        given[0] = f'foreignModel={given[0]}'
    given += ['indexed=True'] if field.indexed else []
    line = f'    {field.name}: {_annotation(kind, rest)} = {kind}('
    whole = f'{line}{", ".join(given)})'
    return whole if len(whole) <= WIDTH else f'{line}\n        {", ".join(given)}\n    )'


def _annotation(kind: str, rest: str) -> str:
    if 'Link' in kind:
        return f'{kind}[{rest.removesuffix(")").strip(chr(39))}]'
    value_type = re.search(r'valueType=([\w.]+)', rest)
    if value_type is None:
        return 'IRField[str]' if kind == 'IRField' else kind
    return f'IRField[{_JSON_TYPES.get(value_type[1], value_type[1])}]'


def _comment(note: str) -> list[str]:
    margin = '    # '
    return textwrap.wrap(note, WIDTH, initial_indent=margin, subsequent_indent=margin)


def _listed(before: str, brackets: str, items: Sequence[str], always: bool = False) -> str:
    """Return a list in one line if it fits, else an item a line.

    :param always: whether the brackets are needed in one line too
    """
    left, right = (brackets[0], brackets[1]) if always else ('', '')
    line = f'{before}{left}{", ".join(items)}{right}'
    if len(line) <= WIDTH:
        return line
    margin = ' ' * (len(before) - len(before.lstrip()))
    listed = ''.join(f'{margin}    {item},\n' for item in items)
    return f'{before}{brackets[0]}\n{listed}{margin}{brackets[1]}'


def _mirror(models: Sequence[Model], selects: Selects, database: str) -> str:
    parts = {
        '{': [f'{each.name}: {selects.of_model(each)}' for each in models],
        'columns={': [f'{each.name}: {{{_renamed(each, selects)}}}' for each in models],
        'keys={': [f'{each.name}: {_key(each)}' for each in models if each.key],
        'links={': [
            f'({each.name}, {join.field!r}): {selects.of_join(join)}'
            for each in models
            for join in each.joins
        ],
    }
    lines = ['mirror = Mirror(', *(f'    {line}' for line in database.splitlines())]
    for before, items in parts.items():
        shown = [item for item in items if not item.endswith(': {}')]
        if shown:
            lines += [f'    {before}', *(f'        {item},' for item in shown), '    },']
    empty = [each.name for each in models if each.table.empty]
    if empty:
        lines.append('    # these had no rows when this was written')
        lines.append(_listed('    allowEmpty=', '[]', empty, always=True) + ',')
    without = [each.name for each in models if not each.key]
    if without:
        note = f"no key: {', '.join(without)}. Links cannot lead there, and mode='diff' needs one."
        lines += [line[4:] for line in _comment(note)]
    return '\n'.join([*lines, ')', ''])


def _renamed(model: Model, selects: Selects) -> str:
    return ', '.join(_renamed_columns(model, selects))


def _renamed_columns(model: Model, selects: Selects) -> Iterator[str]:
    for field in model.fields:
        if field.code and field.columns and field.columns != (field.name,):
            named = field.columns if len(field.columns) > 1 else field.columns[0]
            yield f'{named!r}: {field.name!r}'
    for column in selects.unselected(model):
        yield f'{column!r}: None'


def _key(model: Model) -> str:
    return repr(model.key if len(model.key) > 1 else model.key[0])
