"""Link data: what a link field holds, the pk of its target and, once known, the target itself.

Models are met by what they can do only (``objects.get``), never imported.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from ...errors import LinkNotFetchedError

__all__ = ('ForeignLinkData', 'ForeignLinkDataBase', 'ForeignLinkMultiData')


def _is_target(obj: Any, pk: Any) -> bool:
    # An object that was deleted has no pk any more, and saving it again would not mend the link.
    return obj is not None and (pk is None or obj._id is not None)


class ForeignLinkDataBase:
    """What the data of single and multi links have in common.

    Two are equal if they are of one class and have equal pks.
    """

    pk: Any
    obj: Any
    #: pks that were looked for in vain when the targets were fetched last
    _absent: frozenset[int] = frozenset()

    def __init__(self, foreignModel: Any, pk: Any = None, obj: Any = None) -> None:
        self.foreignModel = foreignModel
        self.pk = pk
        self.obj = obj

    def getPk(self) -> Any:
        """Return the pk, or the list of pks; that of an unsaved target once it is saved."""
        raise NotImplementedError

    def getPks(self) -> list[Any]:
        """Return the pks as a list."""
        raise NotImplementedError

    def getObj(self) -> Any:
        """Return the target (of a multi link: the list of targets); fetches what is missing."""
        raise NotImplementedError

    def getObjs(self) -> list[Any]:
        """Return the targets as a list; fetches what is missing."""
        raise NotImplementedError

    def known(self) -> list[Any]:
        """Return the targets that are here already, but for those deleted since."""
        raise NotImplementedError

    def missing(self) -> list[int]:
        """Return the pks of targets that are not here yet."""
        raise NotImplementedError

    def attach(self, found: Mapping[int, Any]) -> list[Any]:
        """Take in fetched targets by their pks, all that were missing; None: it is not stored.

        :returns: the same as :meth:`known`
        """
        raise NotImplementedError

    def pks_with(self, reserved: Mapping[int, int]) -> list[Any]:
        """Return the pks, those of targets about to be saved from ``reserved`` (by ``id()``)."""
        raise NotImplementedError

    def let_go(self, target: Any) -> None:
        """Forget a target that is gone from the database."""
        raise NotImplementedError

    def isFetched(self) -> bool:
        """Whether no target has to be fetched."""
        return not self.missing()

    def _to_fetch(self) -> list[int]:
        """Return the pks of targets that have to be fetched now.

        Where an event loop is running, those are absent that were looked for in vain already.

        :raises LinkNotFetchedError: if fetching would hold up an event loop
        """
        wanted = self.missing()
        # A program that has not imported asyncio has no event loop.
        if 'asyncio' not in sys.modules or sys.modules['asyncio']._get_running_loop() is None:
            return wanted
        if self._absent.issuperset(wanted):
            return []
        raise LinkNotFetchedError(
            f'{self.foreignModel.__name__} {self.getPk()}, which this link leads to, has not '
            'been fetched, and fetching it now would hold up the event loop. First '
            '`await obj.acascadeFetch()`, or fetch with cascadeFetch=True. obj.LINK__id gives '
            'the pk without fetching.'
        )

    def objHasUnsavedChanges(self) -> bool:
        """Whether a target that is here has changes that were not saved."""
        return any(obj.hasUnsavedChanges(cascadeObjects=True) for obj in self.known())

    def __getitem__(self, name: str) -> Any:
        if name not in ('pk', 'obj'):
            raise KeyError(name)
        return getattr(self, name)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.getPks() == other.getPks()

    # Pks of unsaved targets are still to come, so no hash would stay right.
    __hash__ = None  # type: ignore[assignment]

    def __deepcopy__(self, memo: Any) -> ForeignLinkDataBase:
        # The link is copied, its target is not.
        data = type(self)(self.foreignModel, self.pk, self.obj)
        data._absent = self._absent
        return data

    def __repr__(self) -> str:
        model = getattr(self.foreignModel, '__name__', self.foreignModel)
        fetched = ', fetched' if self.known() and self.isFetched() else ''
        return f'{type(self).__name__}({model}, pk={self.getPk()!r}{fetched})'


class ForeignLinkData(ForeignLinkDataBase):
    """The data of a single link.

    :param foreignModel: the model of the target
    :param pk: its pk
    :param obj: the target, if it is here
    """

    def getPk(self) -> Any:
        if self.pk is None and self.obj is not None:
            self.pk = self.obj._id
        return self.pk

    def getPks(self) -> list[Any]:
        return [self.getPk()]

    def getObj(self) -> Any:
        if self._to_fetch():
            self.attach({self.pk: self.foreignModel.objects.get(self.pk)})
        return self.obj

    def getObjs(self) -> list[Any]:
        return [self.getObj()]

    def known(self) -> list[Any]:
        return [self.obj] if _is_target(self.obj, self.pk) else []

    def missing(self) -> list[int]:
        return [self.pk] if self.obj is None and self.pk is not None else []

    def attach(self, found: Mapping[int, Any]) -> list[Any]:
        if self.obj is None and self.pk is not None:
            self.obj = found.get(self.pk)
            self._absent = frozenset() if self.obj is not None else frozenset((self.pk,))
        return self.known()

    def let_go(self, target: Any) -> None:
        self.getPk()
        self.obj = None

    def pks_with(self, reserved: Mapping[int, int]) -> list[Any]:
        pk = self.getPk()
        return [reserved.get(id(self.obj)) if pk is None else pk]


class ForeignLinkMultiData(ForeignLinkDataBase):
    """The data of a multi link.

    :param foreignModel: the model of the targets
    :param pk: the list of their pks
    :param obj: the list of targets, None for those that are not here
    """

    def __init__(self, foreignModel: Any, pk: Any = None, obj: Any = None) -> None:
        count = max(len(pk or ()), len(obj or ()))
        super().__init__(foreignModel, list(pk or [None] * count), list(obj or [None] * count))

    def getPk(self) -> list[Any]:
        self.pk = [
            obj._id if pk is None and obj is not None else pk
            for pk, obj in zip(self.pk, self.obj, strict=True)
        ]
        return list(self.pk)

    def getPks(self) -> list[Any]:
        return self.getPk()

    def getObj(self) -> list[Any]:
        wanted = self._to_fetch()
        if wanted:
            found = self.foreignModel.objects.getMultiple(wanted)
            self.attach(dict(zip(wanted, found, strict=True)))
        return list(self.obj)

    def getObjs(self) -> list[Any]:
        return self.getObj()

    def known(self) -> list[Any]:
        return [obj for pk, obj in zip(self.pk, self.obj, strict=True) if _is_target(obj, pk)]

    def missing(self) -> list[int]:
        return [pk for pk, obj in zip(self.pk, self.obj, strict=True) if obj is None]

    def attach(self, found: Mapping[int, Any]) -> list[Any]:
        self.obj = [
            found.get(pk) if obj is None else obj for pk, obj in zip(self.pk, self.obj, strict=True)
        ]
        self._absent = frozenset(self.missing())
        return self.known()

    def let_go(self, target: Any) -> None:
        self.getPk()
        self.obj = [None if obj is target else obj for obj in self.obj]

    def pks_with(self, reserved: Mapping[int, int]) -> list[Any]:
        return [
            reserved.get(id(obj)) if pk is None else pk
            for pk, obj in zip(self.getPk(), self.obj, strict=True)
        ]
