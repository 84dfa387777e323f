"""The stub of a module: its source without bodies, and with the attributes of its models."""

from __future__ import annotations

import ast
import builtins
import enum
import inspect
import keyword
from collections.abc import Iterator, Mapping, Sequence
from types import ModuleType, UnionType
from typing import Any, get_origin

from .. import IndexedRedisModel, isIndexedRedisModel
from ..errors import UsageError
from ..fields import IRClassicField, IRField
from .field_types import Types

__all__ = ('stub_of',)

_HEAD = '# Written by `indexedredis stubs {name}`. Write it again after a change of the module.\n'
_NOTHING: Any = ast.Constant(...)
_FunctionDef: Any = ast.FunctionDef  # whose parameters differ between versions of Python
_ALIAS: Any = getattr(ast, 'TypeAlias', ())  # `type X = int`, of Python 3.12
# What makes types that annotations name.
_TYPE_MAKERS = (
    *('TypeVar', 'ParamSpec', 'TypeVarTuple', 'NewType', 'TypeAliasType'),
    *('namedtuple', 'NamedTuple', 'TypedDict'),
)


def stub_of(module: ModuleType) -> str:
    """Return the text of a ``.pyi`` file.

    :raises UsageError: if the module has no source in Python
    """
    try:
        tree = ast.parse(inspect.getsource(module))
    except (OSError, TypeError):
        raise UsageError(f'{module.__name__} has no source in Python to make a stub of.') from None
    models = [each for each in vars(module).values() if isIndexedRedisModel(each)]
    names = {str(name) for each in models for name in each.FIELDS or ()}
    types = Types(module.__name__, hidden=names)
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
    overloaded: set[str] = set()
    for node in nodes:
        match node:
            case ast.Import() | ast.ImportFrom():
                yield node
            case _ if isinstance(node, _ALIAS):
                yield node
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                is_overload = any('overload' in ast.unparse(each) for each in node.decorator_list)
                if is_overload or node.name not in overloaded:  # stubs have no implementation
                    yield _function(node)
                overloaded |= {node.name} if is_overload else set()
            case ast.ClassDef():
                yield _class(node, values.get(node.name), types)
            case ast.AnnAssign(target=ast.Name()):
                yield _annotated(node, values, types)
            case ast.Assign():
                yield from _assignment(node, values, types)
            case ast.AugAssign(target=ast.Name(id='__all__')):
                yield node
            case ast.If():
                node.body = [*_stubbed(node.body, values, types)] or [ast.Pass()]
                node.orelse = [*_stubbed(node.orelse, values, types)]
                yield node
            case ast.With():
                yield from _stubbed(node.body, values, types)
            case ast.Try():
                yield from _stubbed([*node.body, *node.orelse, *node.finalbody], values, types)


def _annotated(node: ast.AnnAssign, values: Mapping[str, Any], types: Types) -> ast.stmt:
    kind = ast.unparse(node.annotation).rpartition('.')[2]
    if kind == 'TypeAlias' or (kind == 'Final' and isinstance(node.value, ast.Constant)):
        return node
    if kind == 'Final':
        value_type = types.of_class(_class_of(values.get(ast.unparse(node.target))))
        node.annotation = ast.Subscript(node.annotation, ast.Name(value_type))
    node.value = None if node.value is None else _NOTHING
    return node


def _assignment(node: ast.Assign, values: Mapping[str, Any], types: Types) -> Iterator[ast.stmt]:
    names = [*_assigned(node)]
    value = values.get(names[0]) if names else None
    if all(isinstance(each, ast.Name) for each in node.targets) and (
        isinstance(node.value, ast.Constant) or names == ['__all__'] or _is_type(node.value, value)
    ):
        yield node
    elif len(names) == 1 and isinstance(value, enum.Enum):
        node.value = _NOTHING
        yield node
    else:
        for name in names:
            yield from ast.parse(f'{name}: {types.of_class(_class_of(values.get(name)))}').body


def _is_type(node: ast.expr, value: Any) -> bool:
    """Return whether an expression is a type, which annotations may name."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).rpartition('.')[2] in _TYPE_MAKERS
    if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript, ast.BinOp)):
        return False
    return isinstance(value, (type, UnionType)) or get_origin(value) is not None


def _class_of(value: Any) -> Any:
    """Return the class of a value, if it says enough of the value."""
    vague = value is None or callable(value) or hasattr(type(value), '__class_getitem__')
    return Any if vague else type(value)


def _function(node: Any) -> ast.stmt:
    if isinstance(node, ast.AsyncFunctionDef) and _yields(node):
        # Without its body it would be a coroutine.
        same = {name: getattr(node, name, None) for name in node._fields}
        node = ast.copy_location(_FunctionDef(**same), node)
    arguments = node.args
    node.body = [ast.Expr(_NOTHING)]
    arguments.defaults = [_NOTHING for _ in arguments.defaults]
    arguments.kw_defaults = [None if each is None else _NOTHING for each in arguments.kw_defaults]
    stub: ast.stmt = node
    return stub


def _yields(node: ast.AST) -> bool:
    inner = [each for each in ast.iter_child_nodes(node) if not isinstance(each, _SCOPES)]
    return isinstance(node, ast.Yield) or any(map(_yields, inner))


_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def _class(node: ast.ClassDef, cls: Any, types: Types) -> ast.stmt:
    listed = cls.FIELDS or () if isIndexedRedisModel(cls) else ()
    fields = [each if isinstance(each, IRField) else IRClassicField(each) for each in listed]
    hidden = {field.name for field in fields} | {*_SETTINGS} if fields else set()
    kept = [each for each in node.body if not hidden & {*_assigned(each)}]
    values = vars(cls) if isinstance(cls, type) else {}
    for each in (inner for statement in kept for inner in ast.walk(statement)):
        # A field named like a builtin hides it in the class.
        if isinstance(each, ast.Name) and each.id in hidden and hasattr(builtins, each.id):
            each.id = types.of_class(getattr(builtins, each.id))
    attributes = [*_set_by_methods(node, cls, types.of_class(Any))]
    body = [*_model_body(cls, fields, types), *attributes, *_stubbed(kept, values, types)]
    node.body = body or [ast.Pass()]
    return node


def _set_by_methods(node: ast.ClassDef, cls: Any, unknown: str) -> Iterator[ast.stmt]:
    """Yield the attributes of objects that methods set, but the class does not name."""
    known = {name for each in node.body for name in _assigned(each)}
    for method in node.body:
        if not isinstance(method, (ast.FunctionDef, ast.AsyncFunctionDef)) or not method.args.args:
            continue
        for each in ast.walk(method):
            targets = getattr(each, 'targets', None) or [getattr(each, 'target', None)]
            for target in targets if isinstance(each, (ast.Assign, ast.AnnAssign)) else ():
                match target:
                    case ast.Attribute(value=ast.Name(id=owner), attr=name) if (
                        owner == method.args.args[0].arg
                        and name not in known
                        and not hasattr(cls, name)
                    ):
                        known.add(name)
                        kind = getattr(each, 'annotation', None)
                        yield ast.AnnAssign(ast.Name(name), kind or ast.Name(unknown), None, 1)


# Attributes of models that their base declares.
_SETTINGS = ('FIELDS', 'INDEXED_FIELDS', 'SORTED_FIELDS', 'UNIQUE_FIELDS', 'KEY_NAME')


def _assigned(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement assigns."""
    targets = getattr(node, 'targets', None) or [getattr(node, 'target', None)]
    for target in targets:
        for each in ast.walk(target) if target is not None else ():
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                yield each.id


def _model_body(cls: Any, fields: Sequence[Any], types: Types) -> list[ast.stmt]:
    """Return the attributes and the constructor; a name that Python cannot write has neither."""
    lines = []
    written = [field for field in fields if _is_plain_name(field.name)]
    for field in written:
        lines.append(f'{field.name}: {types.attribute(field)}')
        if hasattr(field, 'foreignModel'):
            lines.append(f'{field.name}__id: {types.pk(field)}')
    if fields and cls.__init__ is IndexedRedisModel.__init__:
        given = ''.join(f', {field.name}: {types.parameter(field)} = ...' for field in written)
        given += f', **others: {types.of_class(Any)}' if len(written) < len(fields) else ''
        pk = types.of_class(int)
        lines.append(f'def __init__(self, *, _id: {pk} | None = ...{given}) -> None: ...')
    return ast.parse('\n'.join(lines)).body


def _is_plain_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)
