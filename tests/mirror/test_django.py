"""Models of Django in a mirror: the example project, and one that has each type of field. The rule:
Django writes the rows, in a process of its own, and what is read back is what Django says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytest.importorskip('django', reason='the example needs Django')
pytest.importorskip('sqlalchemy', reason='the extra sql is not installed')

import IndexedRedis
from mirror.conftest import server

PROJECT = Path(__file__).parents[2] / 'examples' / 'django_shop'


@pytest.fixture(params=['sqlite', server('postgresql')])
def environment(request, empty_database, redis_params, tmp_path):
    """The variables of a process of the project."""
    url = empty_database(request.param).url
    if url.get_backend_name() == 'sqlite':
        database = {'SQLITE_FILE': url.database}
    else:
        database = {
            'POSTGRES_PORT': str(url.port),
            'POSTGRES_NAME': url.database,
            'POSTGRES_USER': url.username,
        }
    where = [tmp_path, PROJECT, Path(IndexedRedis.__file__).parent.parent]
    return {
        **os.environ,
        **database,
        'DJANGO_SETTINGS_MODULE': 'shop.settings',
        'REDIS_URL': 'redis://{host}:{port}/{db}'.format(**redis_params),
        'PYTHONPATH': os.pathsep.join(map(str, where)),
    }


# Of tests that ask no database.
NO_DATABASE = pytest.mark.parametrize('environment', ['sqlite'], indirect=True)


def run(environment, *command):
    """Run Python with warnings as errors; return status and output."""
    done = subprocess.run(
        [sys.executable, '-W', 'error', *command],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def manage(environment, *command):
    return run(environment, 'manage.py', *command)


def django(environment, code):
    """Run code after Django's setup; return what it printed, as JSON."""
    head = 'import django, json\ndjango.setup()\nfrom shop import models\n'
    status, said = run(environment, '-c', head + textwrap.dedent(code))
    assert status == 0, said
    return json.loads(said or 'null')


FILL = """
from datetime import UTC, datetime
from decimal import Decimal
from django.core.management import call_command
call_command('migrate', run_syncdb=True, verbosity=0)
abba = models.Artist.objects.create(name='Abba')
pop, rock = (models.Genre.objects.create(name=name) for name in ('Pop', 'Rock'))
at = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)
track = models.Track.objects.create(
    name='Waterloo', artist=abba, price=Decimal('0.99'), released=at, purchase_price=Decimal('0.1')
)
track.genres.add(rock)
track.genres.add(pop)
models.Track.objects.create(name='SOS', artist=abba, price=Decimal('0.10'))
"""
ASK = """
from django.core.management import CommandError, call_command
from django.test import Client
get = Client().get
asked = [get(f'/tracks/{path}').json() for path in ('', '1/', '?artist__name=Queen')]
models.Track.objects.all().delete()
try:
    call_command('mirror')
except CommandError as error:
    print(json.dumps([asked, str(error), get('/tracks/1/').json()]))
"""
WATERLOO = {
    'id': 1,
    'name': 'Waterloo',
    'artist': 'Abba',
    'genres': ['Rock', 'Pop'],
    'price': '0.99',
    'released': '2026-01-02T03:04:05.000006+00:00',
}
SOS = {'id': 2, 'name': 'SOS', 'artist': 'Abba', 'genres': [], 'price': '0.10', 'released': None}


@pytest.mark.programs
def test_the_example(environment, raw):
    django(environment, FILL)
    status, said = manage(environment, 'mirror', '--dry-run')
    assert (status, raw.dbsize()) == (0, 0), said
    status, said = manage(environment, 'mirror')
    assert status == 0 and 'Track: 2 rows, 2 written' in said, said
    stored = [*raw.hgetall(raw.keys('_ir_|DjangoTrack:data:*')[0])]
    assert b'purchase_price' not in stored
    asked, refused, waterloo = django(environment, ASK)
    assert asked == [{'tracks': [SOS, WATERLOO]}, WATERLOO, {'tracks': []}]
    assert 'The mirror was refused' in refused
    assert waterloo == WATERLOO, 'the old data stays'


TYPES = """
import datetime, json, os, uuid
from decimal import Decimal
os.environ['DJANGO_SETTINGS_MODULE'] = 'shop.settings'
import django
from django.conf import settings
settings.DATABASES['default']['TIME_ZONE'] = 'Asia/Tokyo'  # of moments that SQLite stores
django.setup()
from django.db import connection, models
from IndexedRedis import IndexedRedisModel, IRField, UsageError
from IndexedRedis.fields import IRDatetimeField, IRForeignLinkField
from IndexedRedis.mirror import Mirror

class Thing(models.Model):
    code = models.SlugField(primary_key=True, db_column='the code')
    number = models.PositiveBigIntegerField(unique=True)
    share = models.FloatField()
    price = models.DecimalField(max_digits=20, decimal_places=4)
    on = models.BooleanField()
    day = models.DateField()
    clock = models.TimeField()
    span = models.DurationField()
    at = models.DateTimeField()
    key = models.UUIDField()
    data = models.JSONField()
    raw = models.BinaryField()
    host = models.GenericIPAddressField()
    part_of = models.ForeignKey('self', models.CASCADE, null=True)
    class Meta:
        app_label, db_table = 'shop', 'Some Things'

class Special(Thing):
    more = models.TextField()
    class Meta:
        app_label = 'shop'

class Numbered(models.Model):
    thing = models.ForeignKey(Thing, models.CASCADE, to_field='number')
    class Meta:
        app_label = 'shop'

values = dict(
    number=2**62, share=0.1, price=Decimal('12345678901.2345'), on=True,
    day=datetime.date(2024, 2, 29), clock=datetime.time(23, 59, 59, 999999),
    span=-datetime.timedelta(days=3, microseconds=1),
    at=datetime.datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=datetime.UTC),
    key=uuid.UUID(int=7), data={'a': [1, None, 'x']}, raw=b'\\xff\\x00', host='10.0.0.1',
)
with connection.schema_editor() as editor:
    editor.create_model(Thing)
first = Thing.objects.create(code='first', **values)
Thing.objects.create(code='second', part_of=first, **{**values, 'number': 1, 'on': False})

class Mirrored(IndexedRedisModel):
    FIELDS = [
        IRField('code'), IRField('number', valueType=int), IRField('share', valueType=float),
        IRField('price', valueType=Decimal), IRField('on', valueType=bool),
        IRField('day', valueType=datetime.date), IRField('clock', valueType=datetime.time),
        IRField('span', valueType=datetime.timedelta),
        IRDatetimeField('at', aware=True, microseconds=True),
        IRField('key', valueType=uuid.UUID), IRField('data', valueType=dict),
        IRField('raw', valueType=bytes), IRField('host'), IRForeignLinkField('part_of', 'Mirrored'),
    ]
    INDEXED_FIELDS = ['code']
    KEY_NAME = 'DjangoThing'

for mode in ('full', 'diff'):
    Mirror.of({Mirrored: Thing}, mode=mode).run()
    for thing in Thing.objects.all():
        found = Mirrored.objects.filter(code=thing.code).first(cascadeFetch=True)
        for name in [*values, 'code']:
            mine, theirs = getattr(found, name), getattr(thing, name)
            assert mine == theirs, (name, mine, theirs)
        assert (found.part_of and found.part_of.code or None) == thing.part_of_id

class Short(IndexedRedisModel):
    FIELDS = [IRField('host')]
    KEY_NAME = 'DjangoShort'

Mirror.of({Short: Thing}).run()
assert [*Short.objects.valuesList('host', flat=True)] == ['10.0.0.1'] * 2

class Watched(IndexedRedisModel):
    FIELDS = [IRField('code'), IRField('on', valueType=bool)]
    INDEXED_FIELDS = ['code']
    KEY_NAME = 'DjangoWatched'

watching = Mirror.of({Watched: Thing}, mode='changed', changed={Watched: 'at'})
assert watching.run().mode == 'full'
now = datetime.datetime.now(datetime.UTC)
Thing.objects.filter(code='first').update(on=False, at=now)
report = watching.run()
assert (report.mode, report.models['Watched'].written) == ('changed', 1), report
assert not Watched.objects.filter(code='first').first().on
assert watching.run().models['Watched'].read == 1

class Linked(IndexedRedisModel):
    FIELDS = [IRForeignLinkField('thing', Mirrored)]
    KEY_NAME = 'DjangoLinked'

said = []
for models_of in ({Linked: Numbered, Mirrored: Thing}, {Short: Special}, {Short: 'select 1'}):
    try:
        Mirror.of(models_of)
    except UsageError as error:
        said.append(str(error))
print(json.dumps(said))
"""


@pytest.mark.programs
def test_each_type_of_field(environment, tmp_path):
    (tmp_path / 'types_of_django.py').write_text(TYPES)
    status, said = run(environment, str(tmp_path / 'types_of_django.py'))
    assert status == 0, said
    number, inherited, plain = json.loads(said)
    assert "Linked.thing: shop.Numbered refers to 'number', which is no primary key" in number
    assert 'Short.host: shop.Special inherits it from another table' in inherited
    assert 'Mirror.of takes models of Django' in plain


@NO_DATABASE
def test_a_socket_of_mysql(environment):
    """Nothing connects: the driver's parameters are what counts."""
    pytest.importorskip('pymysql')
    code = """
    from django.db import connections
    from sqlalchemy import event
    from IndexedRedis.mirror.of_django.database import engine_of
    connections['default'].vendor = 'mysql'
    connections['default'].settings_dict['HOST'] = '/run/mysqld.sock'
    engine = engine_of('default')
    given = {}
    @event.listens_for(engine, 'do_connect')
    def connect(dialect, record, args, params):
        given.update(params)
        raise TimeoutError
    try:
        engine.connect()
    except TimeoutError:
        print(json.dumps([given.get('unix_socket'), given.get('host')]))
    """
    assert django(environment, code) == ['/run/mysqld.sock', None]


@NO_DATABASE
def test_a_database_without_a_driver(environment):
    code = """
    from django.db import connections
    connections['default'].vendor = 'oracle'
    from IndexedRedis import UsageError
    try:
        import shop.catalogue
    except UsageError as error:
        print(json.dumps(str(error)))
    """
    assert 'is of oracle, for which Mirror.of has no driver' in django(environment, code)
