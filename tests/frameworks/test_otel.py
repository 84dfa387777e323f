"""Spans of OpenTelemetry. The rule: a span for each operation, the same by either executor, without
a value of a user; and nothing at all while it is off."""

from __future__ import annotations

import asyncio
import sys

import pytest
import redis

import IndexedRedis as IR
from IndexedRedis import IRField
from IndexedRedis.executors import exchange
from IndexedRedis.executors.aio import AsyncExecutor
from IndexedRedis.executors.base import Executor
from IndexedRedis.executors.sync import SyncExecutor
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.frameworks import otel

pytest.importorskip('opentelemetry.sdk', reason='opentelemetry-sdk is not installed')

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

SECRET = 'a value of somebody'
BEFORE = Executor.__init__, SyncExecutor.run, AsyncExecutor.run


@pytest.fixture
def provider():
    return TracerProvider()


@pytest.fixture
def spans(provider):
    """`spans()`: the spans since the last call, the first to end first; none quotes a value."""
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    otel.instrument(provider)

    def finished():
        found = exporter.get_finished_spans()
        exporter.clear()
        assert not any(SECRET in span.to_json() for span in found)
        return found

    yield finished
    otel.uninstrument()
    assert (Executor.__init__, SyncExecutor.run, AsyncExecutor.run) == BEFORE


@pytest.fixture
def song(make_model):
    return make_model(['title', IRField('year', valueType=int)], indexed=['title'])


def test_the_attributes(song, spans, redis_params):
    song(title=SECRET).save()
    (span,) = spans()
    assert 'db.operation.batch.size' not in span.attributes  # a single command
    song.saver.save([song(title=SECRET), song(title=SECRET)])
    (span,) = spans()
    assert span.name == f'save {song.KEY_NAME}'
    assert span.kind is SpanKind.CLIENT
    assert span.status.status_code is StatusCode.UNSET
    size = span.attributes['db.operation.batch.size']
    assert size > 1
    assert dict(span.attributes) == {
        'db.system.name': 'redis',
        'db.operation.name': 'save',
        'db.operation.batch.size': size,
        'db.collection.name': song.KEY_NAME,
        'db.namespace': str(redis_params['db']),
        'server.address': '127.0.0.1',
        'server.port': redis_params['port'],
    }
    assert span.instrumentation_scope.name == 'IndexedRedis'
    assert span.instrumentation_scope.version == IR.__version__


def test_commands_are_counted(song, spans):
    song.saver.save([song(title=SECRET) for _ in range(2000)])
    assert song.objects.count() == 2000
    assert len(song.objects.all()) == 2000
    save, count, everything = (s.attributes.get('db.operation.batch.size') for s in spans())
    assert save >= 2000
    assert count is None, 'one command is no batch'
    with IR.connections.recordTrips() as trips:
        song.objects.all()
    assert everything == sum(map(len, trips))


CALLS = {
    'get': (lambda m: m.objects.get(1), lambda m: m.objects.aget(1)),
    'all': (
        lambda m: m.objects.filter(title=SECRET).all(),
        lambda m: m.objects.filter(title=SECRET).aall(),
    ),
    'first': (lambda m: m.objects.first(), lambda m: m.objects.afirst()),
    'values': (lambda m: m.objects.values('title'), lambda m: m.objects.avalues('title')),
    'update': (lambda m: m.objects.update(year=3), lambda m: m.objects.aupdate(year=3)),
    'save': (lambda m: m(title=SECRET).save(), lambda m: m(title=SECRET).asave()),
    'reset': (lambda m: m.reset([m(title=SECRET)]), lambda m: m.areset([m(title=SECRET)])),
    'info': (lambda m: m.objects.info(), lambda m: m.objects.ainfo()),
    'deleteByPk': (lambda m: m.deleter.deleteByPk(9), lambda m: m.deleter.adeleteByPk(9)),
}


@pytest.mark.parametrize('name', CALLS)
def test_a_method_and_its_twin(song, spans, name):
    blocking, awaitable = CALLS[name]
    song.saver.save([song(title=SECRET) for _ in range(3)])
    spans()
    blocking(song)
    (one,) = spans()

    async def main():
        await awaitable(song)
        await IR.aclose()

    asyncio.run(main())
    (other,) = spans()
    assert one.attributes['db.operation.name'] == other.attributes['db.operation.name'] == name
    assert one.name == other.name == f'{name} {song.KEY_NAME}'


def test_errors(song, spans, raw):
    raw.set(f'_ir_|{song.KEY_NAME}:keys', SECRET)  # of the wrong type
    with pytest.raises(redis.ResponseError, match='WRONGTYPE'):
        song.objects.all()

    async def main():
        with pytest.raises(redis.ResponseError, match='WRONGTYPE'):
            await song.objects.aall()
        await IR.aclose()

    asyncio.run(main())
    raw.flushdb()
    both = spans()
    assert len(both) == 2
    for span in both:
        assert span.attributes['error.type'] == 'redis.exceptions.ResponseError'
        assert span.status.status_code is StatusCode.ERROR
        assert span.status.description == span.attributes['error.type']
        assert span.events == ()


def test_a_server_that_is_away(make_model, new_server, spans, monkeypatch):
    monkeypatch.setattr(exchange, 'RETRY_SECONDS', 0.1)
    server = new_server()
    own = make_model(['title'], REDIS_CONNECTION_PARAMS=dict(server.params))
    server.kill()
    with pytest.raises(redis.ConnectionError):
        own.objects.count()
    (span,) = spans()
    assert span.attributes['error.type'] == 'redis.exceptions.ConnectionError'
    server.start()


def test_spans_within_spans(make_model, spans, provider, new_server):
    """A caller's span is the parent; links that are on another server have spans of their own."""
    server = new_server()
    Artist = make_model(['name'], REDIS_CONNECTION_PARAMS=dict(server.params))
    Song = make_model(['title', IRForeignLinkField('artist', Artist)])
    Song(title=SECRET, artist=Artist(name=SECRET)).save()
    spans()
    with provider.get_tracer('a program').start_as_current_span('request') as request:
        Song.objects.all(cascadeFetch=True)
    *inner, last, outer = spans()
    assert outer.name == 'request'
    assert last.parent.span_id == request.get_span_context().span_id
    assert {span.parent.span_id for span in inner} == {last.context.span_id}
    assert {span.attributes['server.port'] for span in inner} == {server.port}
    Artist.objects.delete()


def test_a_cancelled_task(song, spans):
    async def main():
        task = asyncio.create_task(song.objects.aall())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await IR.aclose()

    asyncio.run(main())
    assert [span.attributes['error.type'] for span in spans()] == [
        'asyncio.exceptions.CancelledError'
    ]


@pytest.mark.clusters
def test_a_service_of_several_nodes(sentinels, spans, watch_models):
    from support.linked import Author

    IR.setDefaultRedisConnectionParams(sentinels.params)
    Author(name=SECRET).save()
    (span,) = spans()
    assert 'server.address' not in span.attributes
    assert span.attributes['db.system.name'] == 'redis'


def test_off_is_off(song, spans):
    otel.uninstrument()
    assert (Executor.__init__, SyncExecutor.run, AsyncExecutor.run) == BEFORE
    song(title='x').save()
    assert spans() == ()


def test_a_second_call_replaces_the_first(song, spans, provider):
    otel.instrument(TracerProvider())
    song(title='x').save()
    assert spans() == ()
    otel.instrument(provider)
    song(title='x').save()
    assert len(spans()) == 1


def test_without_opentelemetry(monkeypatch):
    monkeypatch.setitem(sys.modules, 'opentelemetry', None)
    with pytest.raises(ImportError, match=r'indexedredis\[otel\]'):
        otel.instrument()
