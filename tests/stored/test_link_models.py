"""Which model a link field leads to, and variants of models that link. The rule: a link may name
its model before it exists, and leads to it as long as the field lives."""

from __future__ import annotations

import gc
import io
import weakref

import pytest
from support.linked import Author, Book

import IndexedRedis as IR
from IndexedRedis import FieldValueError, IndexedRedisModel, IRField, irNull
from IndexedRedis.fields import (
    IRForeignLinkField,
    IRForeignLinkFieldBase,
    IRForeignMultiLinkField,
    foreign,
)

LINKS = [IRForeignLinkField, IRForeignMultiLinkField]


@pytest.fixture
def linked(redis_params, watch_models):
    watch_models(Author, Book)
    return Author, Book


@pytest.mark.parametrize('cls', LINKS)
def test_the_model_is_the_second_argument_under_either_name(cls):
    for field in (cls('x', Book), cls('x', foreignModel=Book), cls('x', foreignKey=Book)):
        assert field.foreignModel is Book
        assert isinstance(field, IRForeignLinkFieldBase)
        assert isinstance(field, foreign.IRForeignLinkFieldBase)
        assert (field, field.name, field.CAN_INDEX, field.isIndexHashed) == ('x', 'x', True, False)
        assert field.getDefaultValue() is irNull
    assert repr(cls('x', Book)) == f'{cls.__name__}( "x", foreignModel=Book )'
    assert cls('x', Book).isMulti() is (cls is IRForeignMultiLinkField)


@pytest.mark.parametrize('cls', LINKS)
def test_a_field_without_a_model_or_with_something_else_is_refused(cls):
    with pytest.raises(TypeError, match="link field 'x' needs the model that it links to"):
        cls('x')
    for wrong in (5, object, Book(), [Book]):
        with pytest.raises(ValueError, match=r"link field 'x': foreignModel=.* is not a model"):
            cls('x', wrong)
        with pytest.raises(ValueError, match='is not a model'):
            cls('x', foreignKey=wrong)


@pytest.mark.parametrize('cls', LINKS)
def test_copies_of_a_field_lead_to_the_same_model(cls):
    field = cls('x', Book)
    for duplicate in (field.copy(), cls('y', 'support.linked.Book').copy()):
        assert type(duplicate) is cls
        assert duplicate.foreignModel is Book


def test_foreignFields_lists_the_links():
    assert Author.validateModel() and Book.validateModel()
    assert Author.foreignFields == ['favourite']
    assert Book.foreignFields == ['author', 'similar']
    assert Book.foreignFields[0] is Book.FIELDS['author']
    assert Book.FIELDS['author'].foreignModel is Author
    assert Author.FIELDS['favourite'].foreignModel is Book
    assert Book.FIELDS['similar'].foreignModel is Book


def test_a_name_may_be_defined_later_and_unknown_ones_are_told():
    class Early(IndexedRedisModel):
        FIELDS = [IRForeignLinkField('later', 'DefinedLater'), IRField('name')]
        KEY_NAME = 'Early'

    assert Early.validateModel()
    early = Early(name='x')
    assert early.later is irNull
    for assign in (lambda: setattr(early, 'later', 1), lambda: Early(later=1)):
        with pytest.raises(
            FieldValueError, match=r"Early\.later: .* no model 'DefinedLater' \(yet\)"
        ):
            assign()

    class DefinedLater(IndexedRedisModel):
        FIELDS = [IRField('name')]
        KEY_NAME = 'DefinedLater'

    early.later = 1
    assert (early.later__id, Early.FIELDS['later'].foreignModel) == (1, DefinedLater)


@pytest.mark.parametrize(
    'name', ['Nobody', 'support.linked.Nobody', 'elsewhere.Book', 'support.Linked.Book']
)
def test_an_unknown_name_is_an_error_that_says_what_to_do(name):
    with pytest.raises(ValueError, match=f"no model '{name}' .yet.; define it before"):
        IRForeignLinkField('x', name).foreignModel


def make(name, module, **attributes):
    body = {'FIELDS': [IRField('name')], 'KEY_NAME': name, '__module__': module, **attributes}
    return type(IndexedRedisModel)(name, (IndexedRedisModel,), body)


def test_the_model_of_the_same_module_goes_first_then_the_newest():
    own = make('Twice', 'pkg.one')
    other = make('Twice', 'pkg.two')

    def named(name, module):
        field = IRForeignLinkField('x', name)
        assert make('Holder', module, FIELDS=[field]).validateModel()
        return field.foreignModel

    assert named('Twice', 'pkg.one') is own
    assert named('Twice', 'pkg.two') is other
    assert named('Twice', 'pkg.three') is other
    assert named('pkg.one.Twice', 'pkg.two') is own
    assert named('pkg.two.Twice', 'pkg.one') is other
    newer = make('Twice', 'pkg.one')
    assert named('Twice', 'pkg.one') is named('Twice', 'pkg.three') is newer


@pytest.mark.parametrize('by', ['class', 'name'])
def test_a_model_that_only_a_field_leads_to_stays_alive(by):
    def build():
        class Hidden(IndexedRedisModel):
            FIELDS = [IRField('name')]
            KEY_NAME = 'Hidden'

        field = IRForeignLinkField('hidden', Hidden if by == 'class' else 'Hidden')
        return make('Holder', __name__, FIELDS=[field]), weakref.ref(Hidden)

    holder, hidden = build()
    gc.collect()
    assert holder.FIELDS[0].foreignModel is hidden()
    assert hidden() is not None
    assert holder(hidden=hidden()(name='x')).hidden.name == 'x'


def test_copyModel_has_own_fields_that_lead_to_the_same_models(linked):
    author, book = linked
    one, two = book.copyModel(), book.copyModel()
    number = int(one.__name__.removeprefix('Book_Copy'))
    assert (one.__name__, two.__name__) == (f'Book_Copy{number}', f'Book_Copy{number + 1}')
    assert one.KEY_NAME == book.KEY_NAME
    assert one.FIELDS is not book.FIELDS
    assert one.INDEXED_FIELDS == book.INDEXED_FIELDS
    assert one.INDEXED_FIELDS is not book.INDEXED_FIELDS
    assert all(a is not b and a == b for a, b in zip(one.FIELDS, book.FIELDS, strict=True))
    assert one.FIELDS['author'].foreignModel is author
    one.FIELDS.append(IRField('extra'))
    one.INDEXED_FIELDS.append('extra')
    assert 'extra' not in book.FIELDS + book.INDEXED_FIELDS + two.FIELDS

    copied = two(title='x', author=author(name='Ann'), similar=[book(title='y'), two(title='z')])
    copied.save()
    assert [obj.title for obj in book.objects.get(copied._id).similar] == ['y', 'z']
    assert two.objects.filter(author=1).first(cascadeFetch=True).author.name == 'Ann'


def test_copies_and_other_connections_keep_methods(linked, redis_params):
    class Shelf(IndexedRedisModel):
        FIELDS = [IRField('name'), IRForeignMultiLinkField('books', Book)]
        INDEXED_FIELDS = ['name']
        KEY_NAME = 'Linked:Shelf'
        REDIS_CONNECTION_PARAMS = {'db': redis_params['db']}

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.seen = True

        @classmethod
        def called(cls, name):
            return cls.objects.filter(name=name).all(cascadeFetch=True)

        @staticmethod
        def twice(value):
            return 2 * value

        def save(self, cascadeSave=True):
            return super().save(cascadeSave)

    Shelf(name='a', books=[Book(title='one')]).save()
    for variant in (Shelf.copyModel(), Shelf.connectAlt({'db': redis_params['db']})):
        (found,) = variant.called('a')
        assert type(found) is variant
        assert (found.seen, variant.twice(2), found.books[0].title) == (True, 4, 'one')
        found.books = [*found.books, Book(title='more')]
        assert found.save() == [1]
    assert Shelf.called('a')[0].books__id == [1, 2, 3]
    assert Book.objects.count() == 3


def test_connectAlt_needs_a_dict_and_connect_is_deprecated(linked):
    author, _ = linked
    with pytest.raises(ValueError, match='Give a dict'):
        author.connectAlt('localhost')
    with pytest.warns(DeprecationWarning, match='connectAlt'):
        alt = author.connect({'db': 4})
    assert alt is author.connectAlt({'db': 4})
    assert alt.__name__.startswith('AltConnectAuthor')
    alt(name='Ann').save()
    assert (alt.objects.count(), author.objects.count()) == (1, 0)


def test_deprecations_can_be_switched_off(linked, recwarn):
    IR.toggleDeprecatedMessages(False)
    try:
        linked[0].connect({'db': 4})
    finally:
        IR.toggleDeprecatedMessages(True)
    assert not recwarn.list


def test_what_looked_into_6_0_3_finds_values_here(linked):
    author, book = linked
    obj = book(title='x', author=author(name='Ann'))
    obj.save()
    found = book.objects.get(1)
    assert object.__getattribute__(found, 'author') is found.author
    assert found._origData['author'].getPk() == 1
    assert found._origData['title'] == 'x'
    with pytest.raises(AttributeError):
        found._origData = {}
    assert found.asDict()['author'].isFetched()
    IR.validatedModels.clear()
    assert book.objects.get(1).author.name == 'Ann'


def test_printing_shows_link_data(linked):
    stream = io.StringIO()
    Book(title='x', author=7).pprint(stream)
    assert 'ForeignLinkData(Author, pk=7)' in stream.getvalue()
