"""Link data, the value of a link field: the pk of the target and, once fetched, the target.

Nothing here imports a model; ``foreignModel.objects`` fetches a target.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import LinkNotFetchedError
from ...twins import in_event_loop

__all__ = ('ForeignLinkData', 'ForeignLinkDataBase', 'ForeignLinkMultiData')


def _is_target(obj: Any, pk: Any) -> bool:
    # A deleted object has lost its pk. Saving it again gives it another one, so the link is dead.
    return obj is not None and (pk is None or obj._id is not None)


class ForeignLinkDataBase:
    """The base of the data of single and multi links.

    Two link data are equal if they have the same class and equal pks.
    """

    pk: Any
    obj: Any
    #: pks that the last fetch of the targets did not find
    _absent: frozenset[int] = frozenset()

    def __init__(self, foreignModel: Any, pk: Any = None, obj: Any = None) -> None:
        self.foreignModel = foreignModel
        self.pk = pk
        self.obj = obj

    def getPk(self) -> Any:
        """Return the pk, or the list of pks. An unsaved target has the pk None."""
        raise NotImplementedError

    def getPks(self) -> list[Any]:
        """Return the pks as a list."""
        raise NotImplementedError

    def getObj(self) -> Any:
        """Return the target (of a multi link: the list of targets). Fetch what is missing.

        A target that is not stored is None.

        :raises LinkNotFetchedError: if an event loop is running and a target has to be fetched
        """
        raise NotImplementedError

    def getObjs(self) -> list[Any]:
        """Return the targets as a list, as :meth:`getObj` does."""
        raise NotImplementedError

    def known(self) -> list[Any]:
        """Return the targets in memory, except those that were deleted."""
        raise NotImplementedError

    def missing(self) -> list[int]:
        """Return the pks of targets that are not in memory."""
        raise NotImplementedError

    def attach(self, found: Mapping[int, Any]) -> list[Any]:
        """Set the missing targets, and return the targets in memory.

        :param found: the target of each missing pk; None if it is not stored
        """
        raise NotImplementedError

    def pks_with(self, reserved: Mapping[int, int]) -> list[Any]:
        """Return the pks as a list; those of unsaved targets from the pks reserved for them.

        :param reserved: reserved pks of unsaved linked objects, by ``id()`` of the object
        """
        raise NotImplementedError

    def let_go(self, target: Any) -> None:
        """Drop a target that is no longer stored; its pk stays."""
        raise NotImplementedError

    def isFetched(self) -> bool:
        """Return whether all targets are in memory."""
        return not self.missing()

    def _to_fetch(self) -> list[int]:
        """Return the pks of targets that have to be fetched.

        In an event loop, pks that the last fetch did not find count as fetched.

        :raises LinkNotFetchedError: if fetching would block an event loop
        """
        wanted = self.missing()
        if not in_event_loop():
            return wanted
        if self._absent.issuperset(wanted):
            return []
        raise LinkNotFetchedError(
            f'{self.foreignModel.__name__} {self.getPk()}, the target of this link, is not '
            'fetched. Fetching it here would block the event loop. Call `await '
            'obj.acascadeFetch()` first, or fetch with cascadeFetch=True. obj.LINK__id gives the '
            'pk without fetching.'
        )

    def objHasUnsavedChanges(self) -> bool:
        """Return whether a target in memory has unsaved changes."""
        return any(obj.hasUnsavedChanges(cascadeObjects=True) for obj in self.known())

    def __getitem__(self, name: str) -> Any:
        if name not in ('pk', 'obj'):
            raise KeyError(name)
        return getattr(self, name)

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return self.getPks() == other.getPks()

    # The pk of an unsaved target comes later, so a hash could change.
    __hash__ = None  # type: ignore[assignment]

    def __deepcopy__(self, memo: Any) -> ForeignLinkDataBase:
        # Both copies share the target.
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
    :param pk: the pk of the target
    :param obj: the target, if it is in memory
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
    :param obj: the list of targets; None in place of a target that is not in memory
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
