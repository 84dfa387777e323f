"""Rows of SQL that share a value which the model has once, while they are followed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from IndexedRedis import GuardRefusedError, IndexedRedisModel, IRField
from IndexedRedis.fields import IRForeignLinkField
from IndexedRedis.mirror import Mirror
from mirror.follow.conftest import Beside

pytestmark = pytest.mark.mirrors

tables = sa.MetaData()
member = sa.Table(
    'member', tables,
    sa.Column('id', sa.Integer, primary_key=True),
    sa.Column('mail', sa.String(20)),  # SQL allows a value twice
    sa.Column('boss', sa.Integer),
)  # fmt: skip


class Member(IndexedRedisModel):
    FIELDS = [
        IRField('id', valueType=int),
        IRField('mail'),
        IRForeignLinkField('boss', 'Member'),
    ]
    INDEXED_FIELDS = ['id']
    UNIQUE_FIELDS = ['mail']
    KEY_NAME = 'FollowedMember'


def stored():
    """The mail and the boss of each object, by key."""
    found = Member.objects.all(cascadeFetch=True)
    return {each.id: (each.mail, each.boss.id if each.boss else None) for each in found}


def commit(beside, *statements):
    with beside.engine.begin() as connection:
        for statement in statements:
            connection.execute(statement)


def mailing(number, mail):
    return member.update().where(member.c.id == number).values(mail=mail)


ALL = {1: ('a', None), 2: ('b', 1), 3: ('c', 2)}


@pytest.fixture
def following(logged, watch_models):
    """What starts a follower of three members, each of which is the boss of the next."""
    with logged.begin() as connection:
        tables.create_all(connection)
        rows = [{'id': n, 'mail': mail, 'boss': boss} for n, (mail, boss) in ALL.items()]
        connection.execute(member.insert(), rows)
    watch_models(Member)
    beside = Beside(logged)

    def start(**rules):
        rules = {'dangling': 'null', 'name': 'unique', **rules}
        beside.start(Mirror(logged, {Member: member}, **rules))
        beside.until(lambda: beside.mirror.status() is not None)
        return beside

    yield start
    beside.stop()
    beside.mirror.unfollow()


def test_values_that_rows_exchange_in_a_commit(following):
    beside = following()
    commit(beside, mailing(1, 'x'), mailing(2, 'a'), mailing(1, 'b'))
    beside.until(lambda: stored() == {**ALL, 1: ('b', None), 2: ('a', 1)})
    assert beside.mirror.status().swaps == 1


@pytest.mark.parametrize('at_once', [True, False])
def test_both_rows_are_named_and_the_commit_is_not_applied(following, at_once):
    beside = following()
    insert = member.insert().values(id=4, mail='b' if at_once else 'd', boss=1)
    commit(beside, insert, *([] if at_once else [mailing(1, 'd')]))
    with pytest.raises(AssertionError, match='the follower ended'):
        beside.until(lambda: False)
    with pytest.raises(GuardRefusedError) as caught:
        beside.stop()
    (problem,) = caught.value.problems
    first, second = problem.split('\n  ')
    assert first == 'Member: 1 rows do not fit (skipBad leaves such rows out):'
    shown = ((4, 2, 'b'), (2, 4, 'b')) if at_once else ((4, 1, 'd'), (1, 4, 'd'))
    assert second in {
        f"row {one}: Member.mail: the row {other} has '{mail}' too, and UNIQUE_FIELDS allows each "
        'value once. Change one of the two rows in SQL'
        for one, other, mail in shown
    }
    assert stored() == ALL
    commit(beside, mailing(4, 'e'))
    following()
    wanted = {**ALL, 4: ('e', 1)} | ({} if at_once else {1: ('d', None)})
    beside.until(lambda: stored() == wanted)


def test_a_row_that_is_left_out_comes_when_the_value_is_free(following):
    beside = following(skipBad=True)
    commit(beside, member.insert().values(id=4, mail='b', boss=1))
    commit(beside, member.insert().values(id=5, mail='e', boss=4))
    beside.until(lambda: stored() == {**ALL, 5: ('e', None)})
    before = beside.mirror.status()
    commit(beside, mailing(1, 'z'))  # the row that has the value keeps it, and its pk
    pk = Member.objects.filter(id=2).first()._id
    beside.until(lambda: stored()[1] == ('z', None))
    assert Member.objects.filter(id=2).first()._id == pk
    assert beside.mirror.status().leftOut == before.leftOut, 'a row is counted again'
    commit(beside, mailing(2, 'y'))
    wanted = {1: ('z', None), 2: ('y', 1), 3: ('c', 2), 4: ('b', 1), 5: ('e', 4)}
    beside.until(lambda: stored() == wanted)
    assert beside.mirror.status().swaps == before.swaps
    commit(beside, mailing(3, 'y'))  # it leaves its own value, which a later row takes
    beside.until(lambda: stored() == {key: row for key, row in wanted.items() if key != 3})
    commit(beside, mailing(5, 'c'))
    commit(beside, member.delete().where(member.c.id == 2))
    last = {1: ('z', None), 3: ('y', None), 4: ('b', 1), 5: ('c', 4)}
    beside.until(lambda: stored() == last)


def test_a_later_follower_knows_what_was_left_out(following):
    beside = following(skipBad=True)
    commit(beside, member.insert().values(id=4, mail='b', boss=1))
    beside.until(lambda: beside.mirror.status().swaps == 2)
    beside.stop()
    commit(beside, member.delete().where(member.c.id == 2))
    following(skipBad=True)
    beside.until(lambda: stored() == {1: ('a', None), 3: ('c', None), 4: ('b', 1)})
    assert beside.mirror.status().swaps == 2


def test_what_was_left_out_is_refused_once_the_rule_does_not_allow_it(following):
    beside = following(skipBad=True)
    commit(beside, member.insert().values(id=4, mail='b', boss=1))
    beside.until(lambda: beside.mirror.status().swaps == 2)
    beside.stop()
    following()
    commit(beside, mailing(3, 'z'))
    with pytest.raises(AssertionError, match='the follower ended'):
        beside.until(lambda: False)
    with pytest.raises(GuardRefusedError, match=r"row 4: Member.mail: the row 2 has 'b' too"):
        beside.stop()


def test_an_object_that_no_row_has_gives_way(following):
    beside = following()
    Member(id=99, mail='d').save()
    commit(beside, member.insert().values(id=4, mail='d', boss=3))
    beside.until(lambda: stored() == {**ALL, 4: ('d', 3)})
    assert beside.mirror.status().swaps == 2
