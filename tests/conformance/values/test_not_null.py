"""Fields that refuse null, over data of a time before they did. The rule: a null that is stored is
read, found, replaced and deleted as any value."""

from __future__ import annotations

import pytest

from IndexedRedis import FieldValueError, IRField, irNull

MARKS = [{}, {'indexed': True}, {'indexed': True, 'sorted': True}, {'unique': True}]


@pytest.fixture(params=MARKS, ids=str)
def model(request, make_model):
    def define(nullable):
        number = IRField('number', valueType=int, nullable=nullable, **request.param)
        extra = IRField('extra', valueType=dict, nullable=nullable)
        return make_model([IRField('name'), number, extra], indexed=['name'], key_name='NotNull')

    before = define(nullable=True)
    before.saver.save([before(name='a'), before(name='b', number=1, extra={'x': 1})])
    return define(nullable=False)


def test_a_stored_null_can_be_replaced(model):
    obj = model.objects.get(1)
    assert (obj.number, obj.extra) == (irNull, irNull)
    obj.number, obj.extra = 7, {}
    assert obj.save() == [1]
    assert model.objects.values('number', 'extra')[0] == {'number': 7, 'extra': {}}


def test_other_fields_can_be_saved_beside_a_stored_null(model):
    obj = model.objects.get(1)
    assert obj.extra is irNull
    assert not obj.hasUnsavedChanges()
    obj.name = 'c'
    obj.save()
    assert model.objects.filter(name='c').first().number is irNull


def test_objects_with_a_stored_null_can_be_deleted(model):
    assert model.objects.get(1).delete() == 1
    assert [obj.getPk() for obj in model.objects.all()] == [2]


def test_a_null_is_not_written_again(model):
    with pytest.raises(FieldValueError, match=r'number: is null'):
        model.reset(model.objects.all())
    assert model.objects.count() == 2
