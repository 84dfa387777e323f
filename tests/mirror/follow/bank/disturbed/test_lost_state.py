"""What follows no longer fits: the log is gone, or Redis is empty, or an older one. The rule: the
follower sees it and replaces all data by itself, in one moment where Redis still has data."""

from __future__ import annotations

from faults.writers.workers import wait_until
from sqlalchemy import text

from IndexedRedis.mirror.follow.choice import log_of


def drop_log(engine):
    """Remove what the database keeps for the follower; who reads it is thrown out."""
    with engine.connect() as connection:
        if engine.dialect.name == 'postgresql':
            log_of(engine).release(connection, 'bank')
            log_of(engine).drop(connection, 'bank')
        else:
            connection.execute(text('RESET MASTER'))


def test_the_log_is_gone_while_the_follower_is_dead(engine, history, follower, figures):
    process = follower()
    with history.going_on(process):
        history.more(10)
        process.kill()
        drop_log(engine)
        history.more(10)
        process.start()
        history.seen()
        assert 'begins' in process.log()  # to replace all data
        history.more(10)
    process.stop()
    history.judge(figures, logs_gone=1)


def test_the_log_goes_while_the_follower_reads_it(engine, history, follower, figures):
    process = follower()
    with history.going_on(process):
        history.more(10)
        drop_log(engine)
        history.more(10)
        history.seen()
        history.more(10)
    process.stop()
    history.judge(figures, logs_gone=1)


def test_redis_is_emptied(history, follower, raw, figures):
    process = follower()
    with history.going_on(process):
        history.more(10)
        with history.unseen():
            raw.flushall()
        history.more(10)
    process.stop()
    history.judge(figures, emptied=1)


def test_redis_comes_back_with_older_data(own_redis, bank, follower, figures):
    """As a replica does that was behind, and is promoted."""
    server = own_redis()
    history, process = bank(server.keeper), follower(params=server.params)
    with history.going_on(process):
        history.more(10)
        server.keeper.save()
        older = server.keeper.get('_ir_|BankCount:tmp:mirrored')
        wait_until(lambda: server.keeper.get('_ir_|BankCount:tmp:mirrored') != older)
        history.more(20)
        history.seen()
        with history.unseen():
            server.kill()
            server.start()
        history.more(10)
    process.stop()
    history.judge(figures, older=1)


def test_redis_comes_back_with_older_data_while_the_follower_is_dead(
    own_redis, bank, follower, figures
):
    server = own_redis()
    history, process = bank(server.keeper), follower(params=server.params)
    with history.going_on(process):
        history.more(10)
        server.keeper.save()
        history.more(20)
        history.seen()
        process.kill()
        with history.unseen():
            server.kill()
            server.start()
            process.start()
        history.more(10)
    process.stop()
    history.judge(figures, older=1)
