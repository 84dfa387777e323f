"""The pydantic model of a model: what a web service answers with. Needs the extra ``pydantic``.

The rule: a value is shown exactly, or refused. Null is null, and nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .._core.objects.state import value_of
from .._core.text import near_miss
from ..errors import LinkNotFetchedError, MissingExtraError, UsageError
from ..fields.base.link_data import ForeignLinkDataBase
from .pydantic_types import as_shown, type_of

if TYPE_CHECKING:
    from pydantic import BaseModel

__all__ = ('pydantic_model',)

# The links to show as objects, and of each the links to show as objects.
Tree = dict[str, 'Tree']
_CACHE = '_pydantic_models'


def pydantic_model(
    model: Any,
    nested: Iterable[str],
    only: Iterable[str] | None,
    pk: str | None,
    name: str | None,
) -> type[BaseModel]:
    """Return the pydantic model of a model; see ``IndexedRedisModel.pydantic``."""
    schema = model._validated()
    shown = None if only is None else _names(only)
    key = (_names(nested), shown, pk, name)
    cache = vars(model).get(_CACHE)
    if cache is None or cache[0] is not schema:  # the definition changed
        cache = (schema, {})
        type.__setattr__(model, _CACHE, cache)
    found: type[BaseModel] | None = cache[1].get(key)
    if found is None:
        made = _made(model, _tree(_names(nested)), shown, pk, name)
        found = cache[1].setdefault(key, made)
    return found


def _names(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(str, (given,) if isinstance(given, str) else given))


def _tree(paths: Iterable[str]) -> Tree:
    tree: Tree = {}
    for path in paths:
        branch = tree
        for part in path.split('__'):
            branch = branch.setdefault(part, {})
    return tree


def _made(
    model: Any, tree: Tree, only: Sequence[str] | None, pk: str | None, name: str | None
) -> type[BaseModel]:
    try:
        import pydantic
    except ImportError:
        raise MissingExtraError('pydantic', f'{model.__name__}.pydantic()') from None
    columns = model._validated().columns
    names = tuple(columns) if only is None else only
    _check(model, tree, names, pk)
    linked = {
        link: _made(columns[link].field.foreignModel, branch, None, pk, None)
        for link, branch in tree.items()
    }
    types = {} if pk is None else {pk: int | None}
    types |= {each: _field_type(columns[each].field, linked.get(each)) for each in names}
    shadowed = {*dir(pydantic.BaseModel), *types}
    fields: dict[str, Any] = {}
    for each, kind in types.items():
        attribute = _attribute(each, shadowed)
        shadowed.add(attribute)
        alias = None if attribute == each else each
        fields[attribute] = (kind, pydantic.Field(alias=alias))
    made: type[BaseModel] = pydantic.create_model(
        name or model.__name__ + _suffix(tree),
        __doc__=model.__doc__,
        __module__=model.__module__,
        __config__=_config(pydantic),
        __validators__={'of_object': _validator(pydantic, model, names, linked, pk)},
        **fields,
    )
    return made


def _check(model: Any, tree: Tree, names: Sequence[str], pk: str | None) -> None:
    columns = model._validated().columns
    for name in names:
        if name not in columns:
            slip = near_miss(name, columns)
            raise UsageError(f'{model.__name__}.pydantic: there is no field {name!r}.{slip}')
    for name in tree:
        if name not in names or not columns[name].is_link:
            raise UsageError(
                f'{model.__name__}.pydantic: nested= names {name!r}, which is no link that is '
                f'shown. Links are: {", ".join(n for n in names if columns[n].is_link) or "none"}.'
            )
    if pk in names:
        raise UsageError(
            f'{model.__name__}.pydantic: a field has the name {pk!r}, which is to show the pk. '
            "Give another name, such as pk='pk', or pk=None to leave it out."
        )


def _suffix(tree: Tree) -> str:
    """Return what tells the names of models with nested links apart."""
    parts = [part + _suffix(branch) for part, branch in tree.items()]
    return 'With' + 'And'.join(part[:1].upper() + part[1:] for part in parts) if parts else ''


def _field_type(field: Any, linked: Any) -> Any:
    if linked is None:
        return type_of(field)
    return list[linked | None] | None if field.isMulti() else linked | None


def _attribute(name: str, shadowed: set[str]) -> str:
    """Return the name of the attribute for a field: another one where pydantic uses the name."""
    import pydantic

    if not name.startswith('_') and not hasattr(pydantic.BaseModel, name):
        return name
    attribute = f'{name.strip("_") or "field"}_'
    while attribute in shadowed:
        attribute += '_'
    return attribute


def _config(pydantic: Any) -> Any:
    return pydantic.ConfigDict(
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        protected_namespaces=(),
        # Bytes need not be UTF-8, and JSON has no infinity.
        ser_json_bytes='base64',
        val_json_bytes='base64',
        ser_json_inf_nan='strings',
    )


def _validator(
    pydantic: Any, model: Any, names: Sequence[str], linked: Mapping[str, Any], pk: str | None
) -> Callable[..., Any]:
    """Return the validator that turns an object of the model into its values by name."""

    def of_object(cls: Any, value: Any) -> Any:
        if not getattr(value, '_is_ir_model', False) or isinstance(value, type):
            return value
        if not model._is_variant(type(value)):
            raise ValueError(f'it is an object of {type(value).__name__}, not {model.__name__}')
        shown = {} if pk is None else {pk: value._id}
        state, columns = value._state, type(value)._validated().columns
        for name in names:
            if state.fetched is not None and name not in {*state.fetched, *state.changed}:
                continue  # pydantic says that it is missing
            column = columns[name]
            held = value_of(value, column)
            if isinstance(held, ForeignLinkDataBase):
                shown[name] = _targets(held, value, name) if name in linked else held.getPk()
            else:
                shown[name] = as_shown(column.field, held)
        return shown

    made: Callable[..., Any] = pydantic.model_validator(mode='before')(classmethod(of_object))
    return made


def _targets(data: Any, obj: Any, name: str) -> Any:
    """Return the linked object of link data, or the list; None for one that is not stored.

    :raises LinkNotFetchedError: if one is not in memory
    """
    if not data._absent.issuperset(data.missing()):
        raise LinkNotFetchedError(
            f'{type(obj).__name__}.{name}: the object that it links to is not fetched, and '
            'pydantic() fetches nothing. Fetch with cascadeFetch=True, or call cascadeFetch() of '
            'the object first.'
        )
    return list(data.obj) if isinstance(data.obj, list) else data.obj
