"""What a mirror is made of, checked as a whole when it is defined.

The rule: the errors of all models are reported together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from ..errors import IndexedRedisError, InvalidModelException, UsageError
from .guards import applies
from .order import in_order, target_of
from .recurring.checks import Watermarks, check_watermarks
from .source import Source

__all__ = (
    'Options',
    'Problems',
    'all_at_once',
    'check_choice',
    'check_diff',
    'check_name',
    'sources_of',
)


class Options(NamedTuple):
    """What a mirror says about its models; see the parameters of :class:`~.mirror.Mirror`."""

    columns: Mapping[Any, Any] | None
    keys: Mapping[Any, Any] | None
    defaults: Mapping[Any, Any] | None
    epochs: Mapping[Any, Any] | None
    links: Mapping[Any, Any] | None
    fold_keys: bool | Collection[Any]
    keep_pks: bool | Collection[Any]
    changed: Mapping[Any, str] | None = None
    deleted: Mapping[Any, str] | None = None
    overlap: Any = None


class Problems:
    """The errors of a definition so far."""

    def __init__(self) -> None:
        self._errors: list[IndexedRedisError] = []

    @contextmanager
    def next(self) -> Iterator[None]:
        """Note the error of a block, and go on after it."""
        try:
            yield
        except (UsageError, InvalidModelException) as error:
            self._errors.append(error)

    def throw(self) -> None:
        """Raise the error, or one that has the texts of all.

        :raises InvalidModelException: if all of them are definitions of models
        :raises UsageError: if there are others
        """
        if len(self._errors) == 1:
            raise self._errors[0]
        if self._errors:
            models = all(isinstance(error, InvalidModelException) for error in self._errors)
            kind = InvalidModelException if models else UsageError
            raise kind('\n'.join(map(str, self._errors)))


@contextmanager
def all_at_once() -> Iterator[Problems]:
    """Collect the problems of a block, and raise them at its end."""
    problems = Problems()
    yield problems
    problems.throw()


def check_choice(name: str, given: Any, choices: tuple[str, ...]) -> None:
    """Check that a parameter is one of some texts.

    :raises UsageError: if it is not
    """
    if given not in choices:
        known = ', '.join(map(repr, choices))
        raise UsageError(f'{name} is one of {known}, not {given!r}.')


def check_name(name: Any) -> None:
    """Check the name that a database keeps something under.

    :raises UsageError: if a database may not take it
    """
    if not (isinstance(name, str) and re.fullmatch('[a-z0-9_]{0,40}', name)):
        raise UsageError(
            f'name takes up to 40 small letters, digits and underscores, not {name!r}.'
        )


def sources_of(
    selects: Mapping[Any, Any],
    options: Options,
    mode: str,
    problems: Problems,
    quoted: Callable[[str], str],
) -> list[Source]:
    """Return the sources of a mirror, targets of links first.

    :param problems: gets what is wrong
    :param quoted: spells the name of a column for the database
    """
    joins: dict[Any, dict[str, Any]] = {}
    for named, statement in (options.links or {}).items():
        with problems.next():
            model, name = _link_named(named, selects)
            joins.setdefault(model, {})[name] = statement
    watermarks = Watermarks(options.changed or {}, options.deleted or {}, options.overlap)
    with problems.next():
        _check_strangers(selects, options, joins)
    columns, keys, defaults = (options.columns or {}, options.keys or {}, options.defaults or {})
    sources: list[Source] = []
    for model, select in selects.items():
        with problems.next():
            sources.append(
                Source(
                    model,
                    select,
                    columns.get(model, {}),
                    keys.get(model),
                    defaults.get(model, ()),
                    (options.epochs or {}).get(model, ()),
                    joins.get(model, {}),
                    applies(options.fold_keys, model),
                    *watermarks.of_model(model),
                    quoted,
                )
            )
    for check in _checks(sources, options, mode):
        with problems.next():
            check()
    with problems.next():
        sources = in_order(sources)
    return sources


def _checks(sources: Sequence[Source], options: Options, mode: str) -> Iterator[Callable[[], None]]:
    yield lambda: _check_key_names(sources)
    yield lambda: _check_links(sources)
    yield lambda: _check_kept(sources, options.keep_pks)
    if mode == 'diff':
        yield lambda: check_diff(sources)
    if mode == 'changed' or options.changed:
        yield lambda: check_watermarks(sources)


def check_diff(sources: Sequence[Source]) -> None:
    """Check that ``mode='diff'`` can find the stored objects of all models.

    :raises UsageError: if a key is no indexed field
    """
    with all_at_once() as problems:
        for source in sources:
            with problems.next():
                source.check_diff()


def _link_named(named: Any, models: Mapping[Any, Any]) -> tuple[Any, str]:
    """Return model and name of a field, given as both of them, or as ``Model.field``."""
    if isinstance(named, tuple) and len(named) == 2 and isinstance(named[1], str):
        return named
    for model in models:
        for name in getattr(model, 'FIELDS', ()):
            if getattr(model, str(name), None) is named:
                return model, str(name)
    raise UsageError(f"links: {named!r} is no field of the mirror. Write (Product, 'categories').")


def _check_strangers(
    selects: Mapping[Any, Any], options: Options, joins: Mapping[Any, Any]
) -> None:
    rules = (each for each in (options.fold_keys, options.keep_pks) if not isinstance(each, bool))
    parts = (options.columns, options.keys, options.defaults, options.epochs, joins, *rules)
    overlaps = options.overlap if isinstance(options.overlap, Mapping) else {}
    parts += (options.changed, options.deleted, overlaps)
    strangers = {model for part in parts for model in part or ()} - {*selects}
    if strangers or not selects:
        names = ', '.join(sorted(getattr(each, '__name__', repr(each)) for each in strangers))
        raise UsageError(f'A mirror needs a select for each of its models. {names}'.rstrip())


def _check_key_names(sources: Sequence[Source]) -> None:
    names: dict[str, str] = {}
    for source in sources:
        key_name = str(source.model.KEY_NAME)
        if key_name in names:
            raise UsageError(
                f'{names[key_name]} and {source.name} have the same KEY_NAME, {key_name!r}. A '
                'mirror fills each model from one select: give each a KEY_NAME of its own.'
            )
        names[key_name] = source.name


def _check_links(sources: Sequence[Source]) -> None:
    with all_at_once() as problems:
        for source in sources:
            for name in source.links.keys() - source.defaults:
                target = target_of(sources, source.links[name])
                if target is not None:
                    with problems.next():
                        _check_link(source, name, target)


def _check_link(source: Source, name: str, target: Source) -> None:
    label, width = f'{source.name}.{name}', target.key_width
    if not target.key:
        raise UsageError(
            f'{label} links to {target.name}, so keys={{{target.name}: ...}} has to name the field '
            'or column that identifies its rows.'
        )
    given = len(source.link_columns.get(name, ('',)))
    if name in source.joins or given == width:
        return
    remedy = (
        f'columns={{{source.name}: {{(...): {name!r}}}}} names the {width} columns that hold it'
    )
    if source.fields[name].isMulti():
        remedy = f'links={{({source.name}, {name!r}): ...}} selects them'
    raise UsageError(
        f'{label} links to {target.name}, whose key has {width} columns ({target.shown_key}), not '
        f'{given}; {remedy}.'
    )


def _check_kept(sources: Sequence[Source], keep_pks: bool | Collection[Any]) -> None:
    """Check that stored objects can be found by their keys, and that these stay the same."""
    for source in sources:
        if not applies(keep_pks, source.model):
            continue
        if not source.key_fields:
            raise UsageError(
                f'{source.name}: keepPks needs keys={{{source.name}: ...}} to name fields that '
                'columns feed.'
            )
        for name in source.key_fields:
            target = target_of(sources, source.links[name]) if name in source.links else None
            if target is not None and not applies(keep_pks, target.model):
                raise UsageError(
                    f'{source.name}: keepPks needs keepPks of {target.name} too, since the link '
                    f'{name!r} is a part of the key.'
                )
