"""``IRJSONEncoder``: objects, result lists and values of fields as JSON.

The rule: null is ``null``, and nothing is fetched.
"""

from __future__ import annotations

import datetime
import enum
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .fields.base.link_data import ForeignLinkDataBase
from .fields.null import irNull
from .fields.values.text import ADDRESSES, for_class, plain_notation

__all__ = ('IRJSONEncoder',)


class IRJSONEncoder(json.JSONEncoder):
    """Use it as ``json.dumps(value, cls=IRJSONEncoder)``.

    - ``irNull`` is ``null``.
    - An object is a JSON object of its fields, and ``_id``.
    - A link is the pk of its object, a multi link a list of pks.
    - A ``Decimal`` is a string of its digits, since a JSON number is read as a float.
    - Dates, times and datetimes are strings in ISO 8601, a ``timedelta`` is its seconds.
    - A ``UUID`` or an address is a string, a member of an Enum its value.

    Bytes and other types raise ``TypeError``, as with ``json.dumps``.
    """

    def encode(self, o: Any) -> str:
        """Return a value as JSON.

        :raises TypeError: if it has no JSON form
        """
        return super().encode(_plain(o))

    def iterencode(self, o: Any, _one_shot: bool = False) -> Iterator[str]:
        """Yield the parts of a value as JSON.

        :raises TypeError: if it has no JSON form
        """
        return super().iterencode(_plain(o), _one_shot)


def _plain(value: Any) -> Any:
    """Return a value as the types that JSON has; other types as they are."""
    if value is irNull:
        return None
    if getattr(value, '_is_ir_model', False) and not isinstance(value, type):
        value = value.asDict(includeMeta=True, strKeys=True)
    if isinstance(value, enum.Enum):
        return _plain(value.value)
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, ForeignLinkDataBase):
        return value.getPk()
    convert = for_class(value, _TEXTS)
    return value if convert is None else convert(value)


# By name, so that their modules are imported only by programs that use them.
_TEXTS: dict[str, Callable[[Any], Any]] = {
    'datetime.datetime': datetime.datetime.isoformat,
    'datetime.date': datetime.date.isoformat,
    'datetime.time': datetime.time.isoformat,
    'datetime.timedelta': datetime.timedelta.total_seconds,
    'decimal.Decimal': plain_notation,
    'uuid.UUID': str,
    **dict.fromkeys(ADDRESSES, str),
}
