"""The stub of a module: its source without bodies, and with the attributes of its models."""

from __future__ import annotations

import ast
import enum
import inspect
import keyword
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType
from typing import Any

from .. import isIndexedRedisModel
from ..errors import UsageError
from ..fields import IRClassicField, IRField
from .field_types import Types

__all__ = ('stub_of',)

_HEAD = '# Written by `indexedredis stubs {name}`. Write it again after a change of the module.\n'
_NOTHING: Any = ast.Constant(...)


def stub_of(module: ModuleType) -> str:
    """Return the text of a ``.pyi`` file.

    :raises UsageError: if the module has no source in Python
    """
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError):
        raise UsageError(f'{module.__name__} has no source in Python to make a stub of.') from None
    types = Types(module.__name__)
    body = [*_stubbed(tree.body, vars(module), types)]
    future = [each for each in body if getattr(each, 'module', None) == '__future__']
    rest = [each for each in body if each not in future]
    imports = ast.parse('\n'.join(types.imports())).body
    text = ast.unparse(ast.Module([*future, *imports, *rest], []))
    return f'{_HEAD.format(name=module.__name__)}{text}\n'


def _stubbed(
    nodes: Sequence[ast.stmt], values: Mapping[str, Any], types: Types
) -> Iterator[ast.stmt]:
    """Yield the statements of a stub.

    :param values: what the names mean at run time
    """
    for node in nodes:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield node
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield _function(node)
            case ast.ClassDef():
                yield _class(node, values.get(node.name), types)
            case ast.AnnAssign():
                node.value = None if node.value is None else _NOTHING
                yield node
            case ast.Assign(value=ast.Constant()):
                yield node
            case ast.Assign(targets=[ast.Name(id=name)]) if isinstance(values.get(name), enum.Enum):
                node.value = _NOTHING
                yield node
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield from ast.parse(f'{name}: {types.of_class(_class_of(values.get(name)))}').body
            case ast.If():
                node.body = [*_stubbed(node.body, values, types)] or [ast.Pass()]
                node.orelse = [*_stubbed(node.orelse, values, types)]
                yield node
            case ast.Try():
                yield from _stubbed(node.body, values, types)


def _class_of(value: Any) -> Any:
    """Return the class of a value, if it says enough of the value."""
    vague = value is None or callable(value) or hasattr(type(value), '__class_getitem__')
    return Any if vague else type(value)


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
    node.body = [ast.Expr(_NOTHING)]
    node.args.defaults = [_NOTHING for _ in node.args.defaults]
    node.args.kw_defaults = [None if each is None else _NOTHING for each in node.args.kw_defaults]
    return node


def _class(node: ast.ClassDef, cls: Any, types: Types) -> ast.stmt:
    fields = [*map(_as_field, cls.FIELDS)] if isIndexedRedisModel(cls) else []
    hidden = {field.name for field in fields} | {*_SETTINGS} if fields else set()
    kept = [each for each in node.body if not hidden & {*_assigned(each)}]
    values = vars(cls) if isinstance(cls, type) else {}
    node.body = [*_model_body(fields, types), *_stubbed(kept, values, types)] or [ast.Pass()]
    return node


def _as_field(item: Any) -> Any:
    """Return an item of ``FIELDS`` as the field that its model makes of it at the first use."""
    return item if isinstance(item, IRField) else IRClassicField(item)


# Attributes of models that their base declares.
_SETTINGS = ('FIELDS', 'INDEXED_FIELDS', 'SORTED_FIELDS', 'UNIQUE_FIELDS', 'KEY_NAME')


def _assigned(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement assigns."""
    targets = getattr(node, 'targets', None) or [getattr(node, 'target', None)]
    for target in targets:
        for each in ast.walk(target) if target is not None else ():
            if isinstance(each, ast.Name):
                yield each.id


def _model_body(fields: Sequence[Any], types: Types) -> list[ast.stmt]:
    """Return the attributes and the constructor; a name that Python cannot write has neither."""
    lines = []
    written = [field for field in fields if _is_plain_name(field.name)]
    for field in written:
        lines.append(f'{field.name}: {types.attribute(field)}')
        if hasattr(field, 'foreignModel'):
            lines.append(f'{field.name}__id: {types.pk(field)}')
    if fields:
        given = ''.join(f', {field.name}: {types.parameter(field)} = ...' for field in written)
        given += f', **others: {types.of_class(Any)}' if len(written) < len(fields) else ''
        lines.append(f'def __init__(self, *, _id: int | None = ...{given}) -> None: ...')
    return ast.parse('\n'.join(lines)).body


def _is_plain_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)
