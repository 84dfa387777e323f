"""The errors of this library, all derived from ``IndexedRedisError``.

Each class also derives from the built-in exception that 6.0.3 raises in its place, so ``except``
clauses of old programs work. Each message names model, field and value, says what is wrong, and
what to do. Errors of redis-py, such as ``redis.ConnectionError``, reach the caller unchanged.
``UnknownNameWarning`` and ``FailoverWarning`` are warnings.
"""

from __future__ import annotations

__all__ = (
    'BlockingCallWarning',
    'ConflictError',
    'ConnectionSetupError',
    'EmbeddedServerError',
    'FailoverWarning',
    'FieldTypeError',
    'FieldValueError',
    'GuardRefusedError',
    'IndexedRedisError',
    'InvalidModelException',
    'InvalidPrimaryKeyError',
    'LinkNotFetchedError',
    'MirrorError',
    'MirrorRunningError',
    'MissingExtraError',
    'MultipleObjectsError',
    'NoFreshReplicaError',
    'NotAcknowledgedError',
    'ObjectGoneError',
    'OutcomeUnknownError',
    'PartitionLostError',
    'QueryError',
    'ResetInProgressError',
    'ResetLostError',
    'TooManyChangesError',
    'UniqueError',
    'UnknownNameError',
    'UnknownNameWarning',
    'UnreadableValueError',
    'UsageError',
    'ValueTooLargeError',
    'WrongKeyTypeError',
)


class IndexedRedisError(Exception):
    """The base of all errors that this library raises itself."""


class InvalidModelException(IndexedRedisError):
    """A model's definition is wrong.

    Solution: correct the problems that the message lists. It lists all of them.
    """


class UsageError(IndexedRedisError, ValueError):
    """A call is wrong, such as a save of an object of another model."""


class QueryError(UsageError):
    """A filter names a field that is unknown or not indexed.

    Solution: use a name listed in ``INDEXED_FIELDS``, or add it there and call ``reindex()``.
    """


class UnknownNameError(UsageError, AttributeError, TypeError):
    """A name is no field: in a constructor, in an assignment, or in a filter of a fetched list.

    Solution: correct the name, or see :func:`IndexedRedis.setUnknownNames`.
    """


class FailoverWarning(UserWarning):
    """A cluster or Sentinel takes longer to replace a lost server than operations wait for it.

    Solution: have the servers notice sooner, or raise ``failover_seconds``; the text names both.
    """


class BlockingCallWarning(RuntimeWarning):
    """A method without the prefix ``a`` was called inside a running event loop, which it stops.

    Warned once for each line, and not in notebooks, nor where gevent or eventlet has patched
    sockets.

    Solution: await the twin that the text names; run a mirror by ``asyncio.to_thread``.
    """


class UnknownNameWarning(UserWarning):
    """What ``UnknownNameError`` says, as a warning: the default, once for each place."""


class FieldValueError(IndexedRedisError, ValueError):
    """A field cannot hold a value. Nothing was written."""


class FieldTypeError(FieldValueError, TypeError):
    """A field cannot convert a value of this type. Nothing was written."""


class UniqueError(FieldValueError):
    """Another object has a value that ``UNIQUE_FIELDS`` allows once. This object is not written.

    Solution: save another value, or fetch and change the object that has it.

    :param text: the message
    :param fields: the names of the unique field, or of the fields that are unique together
    :param pk: pk of the object that has the value; None for two objects of one list
    """

    def __init__(self, text: str, fields: tuple[str, ...] = (), pk: int | None = None) -> None:
        super().__init__(text)
        self.fields, self.pk = fields, pk


class UnreadableValueError(IndexedRedisError, ValueError):
    """A field cannot decode stored bytes. A read of the attribute raises it.

    Other fields and objects stay readable.

    Solution: assign a new value and save, or delete the object.
    """


class ValueTooLargeError(UnreadableValueError):
    """The decompressed size of a value is above the limit of its field.

    Solution: if the value is genuine, raise the ``maxSize`` of the field.
    """


class InvalidPrimaryKeyError(IndexedRedisError, ValueError):
    """A set of the model lists a member that is no primary key. Nothing was written.

    Solution: ``Model.objects.repair()`` removes the member.
    """


class ObjectGoneError(IndexedRedisError, KeyError):
    """The object is not stored: it was deleted, replaced by a ``reset()``, or lost in a failover.
    Nothing was written.

    Solution: fetch it anew; to store it again, save ``obj.copy()``.
    """

    def __str__(self) -> str:
        # KeyError would show the repr of the message.
        return str(self.args[0]) if self.args else ''


class MultipleObjectsError(IndexedRedisError, LookupError):
    """``get()`` found several objects where one was expected.

    Solution: add a filter, or call ``first()`` or ``all()``.
    """


class OutcomeUnknownError(IndexedRedisError, ConnectionError):
    """It is unknown whether a write was carried out, and repeating it could do harm.

    Solution: look at what is stored before you call it again.
    """


class NotAcknowledgedError(IndexedRedisError, TimeoutError):
    """Fewer replicas confirmed a write in time than ``ACKNOWLEDGED_BY`` of the model asks for.

    The primary has carried the write out. Whether it outlives a failover is unknown. Objects of a
    save do not count as saved.

    Solution: save or delete the same objects again, which writes nothing twice and waits again.
    """


class PartitionLostError(IndexedRedisError, RuntimeError):
    """A partition of a model has lost its data, so no answer would be whole.

    Its node was emptied, or replaced by one without the data. Other partitions are whole.

    Solution: load the data set again, by ``Model.reset(objs)`` or from its mirror, or begin anew
    with ``Model.deleter.destroyModel()``.
    """


class NoFreshReplicaError(IndexedRedisError, TimeoutError):
    """No replica was fresh enough in time for a query that only replicas may answer.

    Solution: allow a greater lag, add replicas, or set ``REPLICA_READS = 'prefer'``.
    """


class ConflictError(IndexedRedisError, RuntimeError):
    """Other writers kept changing the same objects. Nothing was written.

    Solution: save again.
    """


class WrongKeyTypeError(IndexedRedisError, TypeError):
    """A key of the model has another Redis type. Nothing was written.

    Solution: find out which program wrote the key that the message names; rename or delete it.
    """


class LinkNotFetchedError(UsageError, RuntimeError):
    """A link was read inside a running event loop before its object was fetched.

    Solution: ``await obj.acascadeFetch()`` first, or fetch with ``cascadeFetch=True``.
    """


class ResetInProgressError(IndexedRedisError, RuntimeError):
    """Another long write of this model holds the lock. Nothing was changed.

    Solution: try again later.
    """


class ResetLostError(IndexedRedisError, RuntimeError):
    """This write lost its lock, or what it had staged. Nothing was changed.

    It paused for longer than the lock lives, or the keys were deleted, evicted, or lost in a
    restart of the server.

    Solution: try again.
    """


class TooManyChangesError(IndexedRedisError, RuntimeError):
    """``resetChanged()`` found more changes than its limit. Nothing was changed.

    Solution: call ``reset()`` or ``resetMany()``, or raise the limit.
    """


class MirrorError(IndexedRedisError, RuntimeError):
    """The base of errors of a mirror. The stored data is unchanged."""


class GuardRefusedError(MirrorError):
    """A guard of a mirror refused the data that the mirror read. The old data stays.

    Solution: correct the source, or the guard that the message names.

    :param problems: the reasons, a sentence each
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return '\n'.join(['The mirror was refused, nothing was changed.', *self.problems])


class MirrorRunningError(MirrorError):
    """Another run of the mirror is in progress. Nothing was changed.

    Solution: wait for the other run, or for the next one.
    """


class ConnectionSetupError(UsageError):
    """Connection parameters, or a redis-py client, cannot work with this library.

    Solution: correct the parameter that the message names.
    """


class MissingExtraError(IndexedRedisError, ImportError):
    """A feature needs an extra that is not installed.

    Solution: install it with the command in the message.

    :param extra: name of the extra, such as ``'embedded'``
    :param feature: the feature, as the start of a sentence, such as ``'the embedded server'``
    """

    def __init__(self, extra: str, feature: str) -> None:
        self.extra = extra
        super().__init__(
            f"{feature} needs the extra '{extra}': pip install 'indexedredis[{extra}]'"
        )


class EmbeddedServerError(IndexedRedisError, RuntimeError):
    """The embedded server did not start or stop. The message ends with the end of its log."""
