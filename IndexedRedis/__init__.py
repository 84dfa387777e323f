"""IndexedRedis: a declarative ORM on plain Redis sets and hashes, and a fast front end for SQL.

(PYTEST_DONT_REWRITE: pytest loads our plugin, and would warn programs that import this package.)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._core.expressions.q import Q
from ._core.keys import PREFIX as INDEXED_REDIS_PREFIX
from ._core.mapping.schema import KeyList
from ._core.objects.unknown_names import setUnknownNames
from .connections.threads import (
    REDIS_DEFAULT_POOL_MAX_SIZE,
    RedisPools,
    clearRedisPools,
    getDefaultRedisConnectionParams,
    getRedisPool,
    setDefaultRedisConnectionParams,
)
from .deprecated import deprecated, toggleDeprecatedMessages
from .encoding import getDefaultIREncoding, setDefaultIREncoding, to_unicode, tobytes
from .errors import (
    BlockingCallWarning,
    ConflictError,
    ConnectionSetupError,
    FieldTypeError,
    FieldValueError,
    GuardRefusedError,
    IndexedRedisError,
    InvalidModelException,
    InvalidPrimaryKeyError,
    LinkNotFetchedError,
    MirrorError,
    MirrorRunningError,
    MissingExtraError,
    MultipleObjectsError,
    NoFreshReplicaError,
    NotAcknowledgedError,
    ObjectGoneError,
    OutcomeUnknownError,
    PartitionLostError,
    QueryError,
    ResetInProgressError,
    ResetLostError,
    TooManyChangesError,
    UniqueError,
    UnknownNameError,
    UnknownNameWarning,
    UnreadableValueError,
    UsageError,
    ValueTooLargeError,
    WrongKeyTypeError,
)
from .fields import (
    IR_NULL_STR,
    IRClassicField,
    IRField,
    IRFieldChain,
    IRForeignLinkFieldBase,
    IRNullType,
    IRRawField,
    irNull,
)
from .generics import NotNull
from .IRQueryableList import IRQueryableList
from .models.model import IndexedRedisModel, isIndexedRedisModel, validatedModels
from .utils import classproperty, hashDictOneLevel

# Programs use these modules as attributes of the package.
from . import compat_str, fields, utils  # isort: skip

if TYPE_CHECKING:
    from ._core.resets.observer import ResetObserver
    from .connections.statistics import stats
    from .connections.tasks import aclose
    from .json_encoder import IRJSONEncoder
    from .managers.databases import (
        CheckReport,
        Explanation,
        FoundModel,
        ModelInfo,
        afindModels,
        findModels,
    )
    from .managers.deleter import IndexedRedisDelete
    from .managers.manager import IndexedRedisHelper
    from .managers.query.query import IndexedRedisQuery
    from .managers.resets import aresetChanged, aresetMany, resetChanged, resetMany
    from .managers.saver import IndexedRedisSave

__version__ = '7.0.0'
INDEXED_REDIS_VERSION = (7, 0, 0)
INDEXED_REDIS_VERSION_STR = __version__

__all__ = (
    'INDEXED_REDIS_PREFIX',
    'INDEXED_REDIS_VERSION',
    'INDEXED_REDIS_VERSION_STR',
    'IR_NULL_STR',
    'REDIS_DEFAULT_POOL_MAX_SIZE',
    'BlockingCallWarning',
    'CheckReport',
    'ConflictError',
    'ConnectionSetupError',
    'Explanation',
    'FieldTypeError',
    'FieldValueError',
    'FoundModel',
    'GuardRefusedError',
    'IRClassicField',
    'IRField',
    'IRFieldChain',
    'IRForeignLinkFieldBase',
    'IRJSONEncoder',
    'IRNullType',
    'IRQueryableList',
    'IRRawField',
    'IndexedRedisDelete',
    'IndexedRedisError',
    'IndexedRedisHelper',
    'IndexedRedisModel',
    'IndexedRedisQuery',
    'IndexedRedisSave',
    'InvalidModelException',
    'InvalidPrimaryKeyError',
    'KeyList',
    'LinkNotFetchedError',
    'MirrorError',
    'MirrorRunningError',
    'MissingExtraError',
    'ModelInfo',
    'MultipleObjectsError',
    'NoFreshReplicaError',
    'NotAcknowledgedError',
    'NotNull',
    'ObjectGoneError',
    'OutcomeUnknownError',
    'PartitionLostError',
    'Q',
    'QueryError',
    'RedisPools',
    'ResetInProgressError',
    'ResetLostError',
    'ResetObserver',
    'TooManyChangesError',
    'UniqueError',
    'UnknownNameError',
    'UnknownNameWarning',
    'UnreadableValueError',
    'UsageError',
    'ValueTooLargeError',
    'WrongKeyTypeError',
    'aclose',
    'afindModels',
    'aresetChanged',
    'aresetMany',
    'classproperty',
    'clearRedisPools',
    'compat_str',
    'deprecated',
    'fields',
    'findModels',
    'getDefaultIREncoding',
    'getDefaultRedisConnectionParams',
    'getRedisPool',
    'hashDictOneLevel',
    'irNull',
    'isIndexedRedisModel',
    'resetChanged',
    'resetMany',
    'setDefaultIREncoding',
    'setDefaultRedisConnectionParams',
    'setUnknownNames',
    'stats',
    'to_unicode',
    'tobytes',
    'toggleDeprecatedMessages',
    'utils',
    'validatedModels',
)

# What is imported at its first use, besides managers.
_MODULES = {
    'IRJSONEncoder': '.json_encoder',
    'ResetObserver': '._core.resets.observer',
    'aclose': '.connections.tasks',
    'stats': '.connections.statistics',
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    module = import_module(_MODULES.get(name, '.managers'), __name__)
    value = globals()[name] = getattr(module, name)
    return value
