"""Tables are altered while the bank is open. The rule: what the mirror does not select does not
matter to it; what it cannot select any more ends it by name, and Redis keeps the last state."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.exc import OperationalError

LOCK_WAIT = 1205  # MariaDB: it waited too long for a lock


def alter(engine, statement):
    """Alter a table, again where MariaDB gave up.

    There a writer that has checked a foreign key can wait for the table that is being altered,
    which waits for the writer. The server sees no deadlock in it.
    """
    for left in reversed(range(30)):
        try:
            with engine.begin() as connection:
                connection.execute(text(statement))
            return
        except OperationalError as error:
            if error.orig.args[0] != LOCK_WAIT or not left:
                raise


def test_columns_come_and_go(engine, history, follower, figures):
    process = follower()
    with history.going_on(process):
        for statement in (
            'ALTER TABLE transfer ADD COLUMN more VARCHAR(20)',
            'ALTER TABLE counter ADD COLUMN more INTEGER DEFAULT 7',
            'ALTER TABLE transfer DROP COLUMN more',
            'ALTER TABLE counter ALTER COLUMN peer SET DEFAULT 7',
        ):
            history.more(5)
            alter(engine, statement)
            history.more(5)
            history.seen()
    process.stop()
    history.judge(figures, altered=4)


def test_a_selected_column_is_gone_for_a_while(engine, history, follower, figures):
    process = follower()
    with history.going_on(process):
        history.more(5)
        alter(engine, 'ALTER TABLE transfer RENAME COLUMN amount TO price')
        assert process.wait() != 0
        assert 'amount' in process.log()
        alter(engine, 'ALTER TABLE transfer RENAME COLUMN price TO amount')
        history.more(5)
        process.start()
        history.seen()
    process.stop()
    history.judge(figures, altered=2)


def test_a_table_is_truncated(engine, history, follower, figures):
    process = follower()
    with history.going_on(process):
        for _ in range(3):
            history.more(20)
            alter(engine, 'TRUNCATE TABLE transfer')
            history.more(5)
            history.seen()
    process.stop()
    history.judge(figures, truncated=3)
