"""Each SQL type of the reference page, over real databases and each driver that people use.

The rule: a value comes back exact or is refused, and what the page selects instead is read back.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import sqlalchemy as sa

from IndexedRedis import GuardRefusedError, irNull
from IndexedRedis.mirror import Mirror
from IndexedRedis.mirror.scaffold import scaffold_database
from mirror.conftest import server
from mirror.sql_samples import SAMPLES, SETUP, Refused, create
from mirror.written import imported

DOCS = Path(__file__).parents[3] / 'docs'
DRIVERS = {
    'sqlite': ('pysqlite',),
    'postgresql': ('psycopg', 'psycopg2'),
    'mariadb': ('pymysql', 'mysqlconnector'),
}
MODULES = {'mysqlconnector': 'mysql.connector', 'pysqlite': 'sqlite3'}
# MariaDB in strict mode refuses dates of zeros.
LENIENT = {'mariadb': ["SET sql_mode = ''"]}


def _params():
    for kind, drivers in DRIVERS.items():
        marks = () if kind == 'sqlite' else server(kind).marks
        for driver in drivers:
            yield pytest.param((kind, driver), marks=marks, id=f'{kind}-{driver}')


@pytest.fixture(params=_params())
def database(request, empty_database, monkeypatch):
    """An engine on an empty database, by each driver; and its kind."""
    kind, driver = request.param
    pytest.importorskip(MODULES.get(driver, driver))
    monkeypatch.delenv('DATABASE_URL', raising=False)
    url = empty_database(kind).url.set(drivername=f'{kind}+{driver}')
    engine = sa.create_engine(url)
    yield kind, engine
    engine.dispose()


def made(kind, engine, refused):
    """Make a table for each sample; return the samples by table."""
    samples = {
        f't{number}': sample
        for number, sample in enumerate(SAMPLES[kind])
        if isinstance(sample, Refused) is refused
    }
    with engine.begin() as connection:
        for statement in (*LENIENT.get(kind, ()), *SETUP.get(kind, ())):
            connection.exec_driver_sql(statement)
        for table, sample in samples.items():
            for statement in create(table, sample):
                connection.exec_driver_sql(statement)
    return samples


def read(model):
    """The values of ``v``: that of the sample, and that of the row of nulls."""
    rows = sorted(model.objects.all(), key=lambda obj: obj.id)
    return [None if obj.v is irNull else obj.v for obj in rows]


def same(value, expected):
    return value == expected and isinstance(value, type(expected))


def test_each_value_comes_back(database, watch_models):
    kind, engine = database
    samples = made(kind, engine, refused=False)
    module = imported(scaffold_database(engine, list(samples)))
    watch_models(*module.models.values())
    module.mirror.run()
    wrong = {}
    for table, sample in samples.items():
        values = read(module.models[table.upper()])
        assert values[1:] == [None] * bool(sample.literal)
        if not same(values[0], sample.value):
            wrong[sample] = values[0]
    assert wrong == {}


def test_what_no_field_holds_is_refused(database, watch_models):
    kind, engine = database
    wrong = {}
    for table, sample in made(kind, engine, refused=True).items():
        module = imported(scaffold_database(engine, [table]))
        model = module.models[table.upper()]
        watch_models(model)
        with pytest.raises((GuardRefusedError, sa.exc.DataError)):
            module.mirror.run()
        assert model.objects.count() == 0
        select = f'SELECT id, {sample.instead} AS v FROM {table}'
        Mirror(engine, {model: select}, keys={model: 'id'}).run()
        if read(model) != [sample.value, None]:
            wrong[sample] = read(model)
    assert wrong == {}


def test_the_page_shows_these_rows():
    spec = importlib.util.spec_from_file_location('make_types', DOCS / 'make_sql_types.py')
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    assert maker.without_samples() == []
    assert maker.PAGE.read_text('utf-8') == maker.page(), 'run python docs/make_sql_types.py'
