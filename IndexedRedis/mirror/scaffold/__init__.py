"""Write models and a mirror from a SQL schema, for ``indexedredis scaffold``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from ..database import checked_database, opened
from .models_of import metadata_of, tables_of
from .planning import plan_models
from .reading import read_tables
from .selects import SqlText, TablesOfModels
from .writing import module_text

__all__ = ('scaffold_database', 'scaffold_models')

VARIABLE = 'DATABASE_URL'


def scaffold_database(url: Any, tables: Sequence[str] = (), module: str = 'shop_mirror') -> str:
    """Return the source of a module with models and a mirror of a database.

    :param url: the URL of the database, or an ``Engine``; the text has no password of it
    :param tables: the tables and views to mirror; empty: all tables
    :param module: the name that the module will have
    :raises UsageError: if a table does not exist, or the URL is not understood
    """
    database = checked_database(url)
    with opened(database) as engine:
        with engine.connect() as connection:
            models = plan_models(read_tables(connection, tables))
        shown = _without_password(engine.url)
        code = _database_code(engine.url)
        return module_text(models, SqlText(engine.dialect), shown, code, module)


def scaffold_models(
    target: str,
    named: Any,
    url: Any = None,
    tables: Sequence[str] = (),
    module: str = 'shop_mirror',
) -> str:
    """Return the source of a module with models and a mirror of an application's SQL models.

    :param target: where the SQL models are: ``shop.models:Base``
    :param named: what is there: a declarative base or a ``MetaData``
    :param url: the URL of their database; None: the module takes it from ``DATABASE_URL``
    :param tables: the tables to mirror; empty: all of them
    :param module: the name that the module will have
    :raises UsageError: if a table does not exist, or ``named`` is something else
    """
    metadata, path = metadata_of(target, named)
    models = plan_models(tables_of(metadata, tables))
    database = None if url is None else checked_database(url)
    database = database.url if isinstance(database, sa.Engine) else database
    code = f'os.environ[{VARIABLE!r}],' if database is None else _database_code(database)
    return module_text(models, TablesOfModels(target, path), target, code, module)


def _database_code(url: sa.URL) -> str:
    """Return the first argument of a mirror, without the password."""
    shown = _without_password(url)
    hidden = f'# set {VARIABLE}: the password is not here\n' if _secrets(url) else ''
    return f'{hidden}os.environ.get({VARIABLE!r}, {shown!r}),'


def _secrets(url: sa.URL) -> list[str]:
    """Return the parts of a URL that are secret."""
    return [*(['password'] * bool(url.password)), *(name for name in url.query if 'pass' in name)]


def _without_password(url: sa.URL) -> str:
    public = sa.URL.create(url.drivername, url.username, None, url.host, url.port, url.database)
    query = {name: value for name, value in url.query.items() if name not in _secrets(url)}
    return public.set(query=query).render_as_string()
