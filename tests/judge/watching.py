"""The models of a test, and the judge who reads their data when the test is over. The rule: each
model that a test makes or names is judged, whatever the test looks at itself.

``tests/conftest.py`` hands these fixtures to all tests.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from support import dealing, servers

from judge.checker import check_model

HERE = ('host', 'port', 'db', 'password')  # what says where a model's data is
_numbers = itertools.count(1)


class Watch:
    """The models of one test, and the checker over them."""

    def __init__(self, client: redis.Redis, tag: Callable[[Any], None] = lambda model: None):
        self.client = client
        self.models: list[Any] = []
        self._tag = tag

    def add(self, *models: Any) -> None:
        """Have these judged when the test is over."""
        for model in models:
            self._tag(model)
        self.models += [model for model in models if model not in self.models]

    def findings(self, *models: Any, pending: bool = False) -> list[str]:
        """What is wrong with these models (all of the test, if none is named)."""
        wanted = models or self.models
        return [text for model in wanted for text in self._of(model, pending)]

    def _of(self, model: Any, pending: bool) -> list[str]:
        others = [other for other in self.models if other is not model]
        own = {name: value for name, value in model.REDIS_CONNECTION_PARAMS.items() if name in HERE}
        if not own:
            return check_model(self.client, model, others, pending)
        params = {**self.client.connection_pool.connection_kwargs, **own}
        with contextlib.closing(redis.Redis(**{name: params.get(name) for name in HERE})) as client:
            return check_model(client, model, others, pending)


@pytest.fixture
def watch(
    redis_params: object,
    server: servers.Server,
    new_server: object,
    request: pytest.FixtureRequest,
) -> Iterator[Watch]:
    """Judges the models that were made or watched when the test is over (`new_server` is named
    here so that its servers still run then).

    On a cluster all models have the same hash tag. On a server for partitioned models all models
    have partitions that can have some.
    """
    # Not the fixture: what a test replaced by it has to be back when the judge reads.
    with pytest.MonkeyPatch.context() as patch:
        parted = servers.PARTED in request.node.callspec.params.get('server', '')
        if parted:
            dealing.deal(patch)

        def tag(model: Any) -> None:
            if server.clustered and '{' not in model.KEY_NAME:
                patch.setattr(model, 'KEY_NAME', '{t}' + model.KEY_NAME)
            if parted and dealing.may_have_partitions(model):
                patch.setattr(model, 'PARTITIONS', dealing.PARTITIONS)

        watch = Watch(server.keeper, tag)
        yield watch
        if not request.node.get_closest_marker('damaged'):
            _fail_if(watch.findings())


@pytest.fixture
def watch_models(watch: Watch) -> Callable[..., None]:
    """`watch_models(Song, Album)`: have models written out in the test file judged as well."""
    return watch.add


@pytest.fixture
def check(watch: Watch) -> Callable[..., None]:
    """`check()` or `check(Song)`: judge now, in the middle of the test; `pending=True` allows for
    a reset that was killed on its way."""
    return lambda *models, **how: _fail_if(watch.findings(*models, **how))


@pytest.fixture
def make_model(watch: Watch, request: pytest.FixtureRequest) -> Callable[..., Any]:
    """`make_model([IRField('name')], indexed=['name'])`: a fresh model under a key of its own.

    Plain names become `IRField`s, and further keywords attributes of the class. It is judged when
    the test is over. `partition_by='name'` is the field that decides the partition, where models
    have partitions.
    """
    sorts = request.config.getoption('--sorted')
    from IndexedRedis import IndexedRedisModel, IRField

    def make(
        fields: Any,
        indexed: Any = (),
        key_name: str | None = None,
        partition_by: str | None = None,
        **attrs: Any,
    ) -> Any:
        name = f'Model{next(_numbers)}'
        fields = [IRField(field) if type(field) is str else field for field in fields]
        if sorts:
            ordered = [getattr(field, 'name', field) for field in fields if _can_sort(field)]
            attrs = {'SORTED_FIELDS': ordered, **attrs}
        body = {'FIELDS': fields, 'INDEXED_FIELDS': list(indexed), 'KEY_NAME': key_name or name}
        model = type(IndexedRedisModel)(name, (IndexedRedisModel,), {**body, **attrs})
        watch.add(model)
        if model.PARTITIONS and partition_by:
            model.PARTITION_BY = partition_by
        return model

    return make


def _can_sort(field: Any) -> bool:
    return bool(getattr(field, 'canSort', False))


def _fail_if(findings: list[str]) -> None:
    if findings:
        pytest.fail('the index checker found damage:\n  ' + '\n  '.join(findings), pytrace=False)
