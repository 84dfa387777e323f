"""Models that a program makes at run time. The rule: what nobody holds is freed, and a field that
names a model holds it."""

from __future__ import annotations

import gc
import weakref

import pytest

import IndexedRedis as IR
from IndexedRedis import IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField

pytestmark = pytest.mark.names_keys

MAKE = type(IndexedRedisModel)


def define(name, *fields, **body):
    definition = {'FIELDS': [IRField('title'), *fields], 'INDEXED_FIELDS': ['title']}
    return MAKE(name, (IndexedRedisModel,), {**definition, 'KEY_NAME': f'Dropped:{name}', **body})


def use(model, **values):
    obj = model(title='x', **values)
    obj.save()
    assert model.objects.filter(title='x').first(cascadeFetch=True) == obj
    assert obj in model.objects.filter(title__ne='y').all()
    model.reset([model(title=str(i)) for i in range(20)])
    assert len(model.objects.all()) == 20
    model.deleter.destroyModel()


def made_and_dropped():
    """Weak references to models that have done what models do."""
    book = define('Novel', IRForeignLinkField('author', 'Writer'))
    author = define('Writer')
    ann = author(title='Ann')
    ann.save()
    use(book, author=ann)
    alternative, copied = author.connectAlt({'socket_timeout': 4.5}), author.copyModel()
    for model in (author, alternative, copied):
        use(model)
    return [weakref.ref(model) for model in (book, author, alternative, copied)]


@pytest.mark.usefixtures('redis_params')
def test_models_that_nobody_holds_are_freed():
    made = made_and_dropped()
    gc.collect()
    assert [model() for model in made] == [None] * 4
    assert not [model for model in IR.validatedModels if model.__name__ in ('Novel', 'Writer')]


@pytest.mark.usefixtures('redis_params')
@pytest.mark.parametrize('first', [True, False])
def test_a_model_that_only_a_name_leads_to_is_held(first):
    def pair():
        target = define('OnlyNamed') if first else None
        holder = define('Holder', IRForeignLinkField('link', 'OnlyNamed'))
        target = target or define('OnlyNamed')
        target(title='x').save()
        return holder

    holder = pair()
    gc.collect()
    assert holder(link=1).link.title == 'x'
    holder.FIELDS['link'].foreignModel.deleter.destroyModel()


def test_equal_parameters_give_one_class_as_long_as_it_is_held():
    model = define('Connected')
    alternative = model.connectAlt({'db': 3})
    gc.collect()
    assert model.connectAlt({'db': 3}) is alternative
    assert model.connectAlt({'db': 4}) is not alternative
