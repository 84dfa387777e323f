"""Every error of this library, in one tree.

The rule: each class also derives from the builtin that IndexedRedis 6.0.3 raised in its
place, so that old ``except`` clauses still work, and each message names the model, the field
and the value concerned, says what is wrong, and what to do. Errors of redis-py (server down,
wrong password, read-only replica, ...) pass through as they are.
"""

from __future__ import annotations

__all__ = (
    'ConflictError',
    'ConnectionSetupError',
    'EmbeddedServerError',
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
    'ObjectGoneError',
    'QueryError',
    'ResetInProgressError',
    'ResetLostError',
    'TooManyChangesError',
    'UnreadableValueError',
    'UsageError',
    'ValueTooLargeError',
    'WrongKeyTypeError',
)


class IndexedRedisError(Exception):
    """Base of all errors that this library raises itself."""


class InvalidModelException(IndexedRedisError):
    """A model's definition is wrong.

    Solution: mend what the message lists; it holds every problem of the model at once.
    """


class UsageError(IndexedRedisError, ValueError):
    """A call that cannot mean anything, such as saving an object of another model."""


class QueryError(UsageError):
    """A filter names a field that is unknown or not indexed.

    Solution: use a name listed in ``INDEXED_FIELDS``, or add it there and call ``reindex()``.
    """


class FieldValueError(IndexedRedisError, ValueError):
    """A value that a field cannot hold. Nothing was written."""


class FieldTypeError(FieldValueError, TypeError):
    """A value of a type that a field cannot convert. Nothing was written."""


class UnreadableValueError(IndexedRedisError, ValueError):
    """Stored bytes that a field cannot decode; raised when the attribute is read.

    The other fields and objects stay readable, and the object can be changed or deleted.
    """


class ValueTooLargeError(UnreadableValueError):
    """A compressed value inflates to more than its field allows.

    Solution: if the value is genuine, raise the ``maxSize`` of the field.
    """


class InvalidPrimaryKeyError(IndexedRedisError, ValueError):
    """A set of the model lists a member that is no primary key. Nothing was written.

    Solution: ``Model.objects.repair()`` removes the member.
    """


class ObjectGoneError(IndexedRedisError, KeyError):
    """The object is no longer stored: deleted, or replaced by a ``reset()``. Nothing was written.

    Solution: fetch it anew; to store it once more, save ``obj.copy()``.
    """

    def __str__(self) -> str:
        # KeyError shows the repr of its argument; ours is a sentence.
        return str(self.args[0]) if self.args else ''


class ConflictError(IndexedRedisError, RuntimeError):
    """Other writers changed the same objects again and again. Nothing was written; try again."""


class WrongKeyTypeError(IndexedRedisError, TypeError):
    """A key of the model holds another Redis type. Nothing was written.

    Solution: find out who wrote the key that the message names, then rename or delete it.
    """


class LinkNotFetchedError(UsageError, RuntimeError):
    """A link was followed inside a running event loop, and its object is not here yet.

    Solution: ``await obj.acascadeFetch()`` before, or fetch with ``cascadeFetch=True``.
    """


class ResetInProgressError(IndexedRedisError, RuntimeError):
    """Another ``reset()`` of this model holds the lock. Nothing was changed; try again later."""


class ResetLostError(IndexedRedisError, RuntimeError):
    """This ``reset()`` took so long that another one took over. Nothing was changed."""


class TooManyChangesError(IndexedRedisError, RuntimeError):
    """``resetChanged()`` found more changes than may go live in one moment. Nothing was changed.

    Solution: replace the data sets by ``reset()`` or ``resetMany()``.
    """


class MirrorError(IndexedRedisError, RuntimeError):
    """Base of what a mirror raises; the stored data is as it was."""


class GuardRefusedError(MirrorError):
    """What a mirror read is so doubtful that the old data stays.

    Solution: mend the source, or the rule of the mirror that the message names.

    :param problems: all that speaks against it
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = list(problems)
        super().__init__(self.problems)

    def __str__(self) -> str:
        return '\n'.join(['The mirror was refused, nothing was changed.', *self.problems])


class MirrorRunningError(MirrorError):
    """Another run of the mirror is under way. Nothing was changed; the next run does it."""


class ConnectionSetupError(UsageError):
    """Connection parameters, or a client, that cannot work with this library."""


class MissingExtraError(IndexedRedisError, ImportError):
    """A feature needs packages of an extra that is not installed.

    :param extra: name of the extra, such as ``'embedded'``
    :param feature: what needs it, as the start of a sentence, such as ``'the embedded server'``
    """

    def __init__(self, extra: str, feature: str) -> None:
        self.extra = extra
        super().__init__(
            f"{feature} needs the extra '{extra}': pip install 'indexedredis[{extra}]'"
        )


class EmbeddedServerError(IndexedRedisError, RuntimeError):
    """The embedded server did not start or stop; the message shows the end of its log."""
