"""Names of Django, SQLAlchemy and peewee: whoever types one reads the name of this library.

Names that differ only in their style, such as ``get_or_create``, are found by converting them.
"""

from __future__ import annotations

from .._core.text import near_miss

__all__ = ('class_names', 'missing_of_object', 'missing_of_query', 'ours_of_query')

# The methods of queries, which somebody may look for on the model.
_METHODS = (
    *('all', 'allByAge', 'allOnlyFields', 'allOnlyIndexedFields', 'check'),
    *('compat_convertHashedIndexes', 'count', 'countBy', 'create', 'delete', 'distinctValues'),
    *('exclude', 'exists', 'explain', 'filter', 'filterInline', 'first', 'get', 'getMultiple'),
    *('getMultipleOnlyFields', 'getMultipleOnlyIndexedFields', 'getOnlyFields'),
    *('getOnlyIndexedFields', 'getOrCreate', 'getPrimaryKeys', 'inBulk', 'info', 'iterator'),
    *('last', 'limit', 'mirroredAt', 'only', 'orderBy', 'page', 'random', 'readToken', 'reindex'),
    *('repair', 'replica', 'reset', 'update', 'updateOrCreate', 'values', 'valuesList'),
)

# What to write after `Model.objects.`.
_OF_QUERIES = {
    'aggregate': "countBy('name')",
    'annotate': "countBy('name')",
    'defer': "only('name')",
    'dicts': "values('name')",
    'distinct': "distinctValues('name')",
    'earliest': 'first()',
    'filter_by': 'filter(name=...)',
    'first_or_none': 'first()',
    'get_by_id': 'get(pk)',
    'get_or_none': 'get(...)',
    'group_by': "countBy('name')",
    'insert': 'create(name=...)',
    'join': 'all(cascadeFetch=True)',
    'latest': 'last()',
    'load_only': "only('name')",
    'one': 'get(...)',
    'one_or_none': 'get(...)',
    'offset': 'limit(limit, offset)',
    'order_by': "orderBy('name')",
    'paginate': 'page(number)',
    'prefetch_related': 'all(cascadeFetch=True)',
    'scalar_one_or_none': 'get(...)',
    'scalars': "valuesList('name', flat=True)",
    'select': 'all()',
    'select_related': 'all(cascadeFetch=True)',
    'tuples': "valuesList('name')",
    'where': 'filter(name=...)',
}
# What to write after the model.
_OF_MODELS = {
    'bulk_create': 'saver.save([...])',
    'bulk_update': 'saver.save([...])',
    'delete_by_id': 'deleter.deleteByPk(pk)',
    'insert_many': 'saver.save([...])',
    'query': 'objects',
}
# What to write after an object.
_OF_OBJECTS = {
    'delete_instance': 'delete()',
    'get_id': 'getPk()',
    'id': 'getPk()',
    'pk': 'getPk()',
    'refresh': 'reload()',
    'refresh_from_db': 'reload()',
}


def class_names() -> list[str]:
    """Return the names that somebody may look for on the class of a model, in each style."""
    snakes = (
        ''.join(f'_{each.lower()}' if each.isupper() else each for each in name)
        for name in _METHODS
        if '_' not in name
    )
    names = [*_METHODS, *snakes, *_OF_QUERIES, *_OF_MODELS]
    return [*names, *(f'a{name}' for name in names)]


def missing_of_query(model: str, name: str, query: type) -> str:
    """Return the message for an attribute that queries do not have.

    :param model: name of the model
    :param query: the class of queries
    """
    ours = ours_of_query(model, name, query)
    if not ours and name in _OF_OBJECTS:
        ours = f'obj.{_OF_OBJECTS[name]}'
    hint = f' Write {ours}.' if ours else near_miss(name, dir(query))
    return f'a query of {model} has no attribute {name!r}.{hint}'


def missing_of_object(model: str, name: str) -> str:
    """Return the message for an attribute of another library; an empty text for other names."""
    ours = _OF_OBJECTS.get(name)
    return f'{model!r} object has no attribute {name!r}. Write obj.{ours}.' if ours else ''


def ours_of_query(model: str, name: str, query: type) -> str:
    """Return what to write instead of a name of another library; an empty text if it is none."""
    first, *others = name.split('_')
    camel = first + ''.join(map(str.capitalize, others))
    for each in (name, camel):
        if each in dir(query):
            return f'{model}.objects.{each}(...)'
    for each in (name, name.removeprefix('a')):
        if each in _OF_QUERIES:
            return f'{model}.objects.{_OF_QUERIES[each]}'
        if each in _OF_MODELS:
            return f'{model}.{_OF_MODELS[each]}'
    return ''
