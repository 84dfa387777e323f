"""A guest book as a web service: Flask in front, this library behind it.

    flask --app examples/flask_app.py run

Environment variable: ``INDEXEDREDIS_URL`` is the server (default: 127.0.0.1:6379).
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from flask import Flask, abort, request
from flask.json.provider import DefaultJSONProvider

import IndexedRedis as IR
from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRDatetimeField


class Entry(IndexedRedisModel):
    """An entry of the guest book."""

    FIELDS = [
        IRField('name'),
        IRField('text', defaultValue=''),
        IRDatetimeField('written', aware=True, sorted=True),
    ]
    INDEXED_FIELDS = ['name']
    KEY_NAME = 'GuestBook'


class JSONProvider(DefaultJSONProvider):
    """Writes objects, lists of them, and the values of fields; null as null."""

    def dumps(self, obj: Any, **options: Any) -> str:
        """Return a value as JSON."""
        return IR.IRJSONEncoder(ensure_ascii=False).encode(obj)


app = Flask(__name__)
app.json = JSONProvider(app)


@app.errorhandler(IR.UsageError)
@app.errorhandler(IR.FieldValueError)
def refused(error: Exception) -> tuple[dict[str, str], int]:
    """Answer with the message of the library, which users may read."""
    return {'error': str(error)}, 400


@app.get('/entries')
def entries() -> dict[str, Any]:
    """List entries, the newest first: ``/entries?name=Ann&after=CURSOR``."""
    filters = request.args.to_dict()
    after = filters.pop('after', None)
    page = Entry.objects.filter(**filters).orderBy('-written').page(size=20, after=after)
    return {'entries': [*page], 'next': page.next}


@app.get('/entries/<int:pk>')
def entry(pk: int) -> dict[str, Any]:
    """Show an entry."""
    found = Entry.objects.get(pk)
    if found is None:
        abort(404)
    return found.asDict(includeMeta=True, strKeys=True)


@app.post('/entries')
def write() -> tuple[dict[str, Any], int]:
    """Add an entry: ``{"name": "Ann", "text": "Hello"}``."""
    given = request.get_json()
    if not isinstance(given, dict):
        abort(400)
    new = Entry(name=given.get('name'), text=given.get('text'), written=datetime.now(UTC))
    new.save()
    return new.asDict(includeMeta=True, strKeys=True), 201


@app.delete('/entries/<int:pk>')
def delete(pk: int) -> tuple[str, int]:
    """Delete an entry."""
    if not Entry.deleter.deleteByPk(pk):
        abort(404)
    return '', 204
