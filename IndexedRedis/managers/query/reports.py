"""Query methods that report on a model: check, repair, explain, info.

Each method has an awaitable twin with the prefix ``a``. Both run the same flow of
``flows.py``.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...generics import M
from ...twins import awaitable
from .flows import QueryFlows

if TYPE_CHECKING:
    from ..._core.flows import Progress
    from ..._core.inspection.explanation import Explanation
    from ..._core.inspection.model_info import ModelInfo
    from ..._core.integrity.report import CheckReport

__all__ = ('QueryReports',)


class QueryReports(QueryFlows[M]):
    """Report on a model, its index sets and the work of a query."""

    def mirroredAt(self) -> datetime | None:
        """Return when the stored data was read from its source; None if it is not mirrored.

        Redis: ``GET``.
        """
        return self._read(self._mirrored_at())

    @awaitable(mirroredAt)
    async def amirroredAt(self) -> datetime | None:
        return await self._aread(self._mirrored_at())

    def check(self, progress: Progress | None = None) -> CheckReport:
        """Return a report on the consistency of objects, pk counter, index sets and work keys.

        It only reads, so replicas can answer it. Other processes may write meanwhile: each finding
        is confirmed by one script that reads row and index set together. ``report.dangling`` counts
        links that lead to no stored object.

        :param progress: called as ``progress(step, done, total)`` at least once a page, with the
            steps ``'objects'`` and ``'keys'``; the totals are estimates
        :raises UsageError: if the query has filters

        Redis: ``SSCAN`` and ``SCAN`` in pages of 500; for each page ``TYPE`` and ``PTTL`` of its
        keys, and scripts that read up to 100 rows or entries each; ``SMISMEMBER`` of the targets
        of links, on the server of the linked model.
        """
        return self._run(self._check(progress))

    @awaitable(check)
    async def acheck(self, progress: Progress | None = None) -> CheckReport:
        return await self._arun(self._check(progress))

    def repair(self, progress: Progress | None = None) -> CheckReport:
        """Repair what :meth:`check` finds, and return the report.

        ``:keys`` and the rows are the truth: index entries follow from them, and rows that
        ``:keys`` does not list are removed. So are index sets of fields that the model does not
        index. Other processes may write meanwhile: each script reads again before it changes
        anything. Keys of a wrong type or with an invalid name are reported, and stay.

        :param progress: as of :meth:`check`
        :raises UsageError: if the query has filters

        Redis: as :meth:`check`; scripts that change up to 100 rows or entries each, ``UNLINK`` and
        ``PERSIST``; the lock of the model while it removes the work keys of dead writers.
        """
        return self._run(self._repair(progress))

    @awaitable(repair)
    async def arepair(self, progress: Progress | None = None) -> CheckReport:
        return await self._arun(self._repair(progress))

    def explain(self, analyze: bool = False, after: Any = None) -> Explanation:
        """Return what :meth:`all` would do: its commands, the sizes of the sets, and the rows.

        Of a model with ``PARTITIONS``, sets and commands are those of one of the partitions that
        are asked, the one with the most rows; the numbers of rows are those of all.

        :param analyze: run the query too, and measure rows, round trips, bytes and seconds
        :param after: explain what :meth:`page` reads behind this place: a cursor, or an object, as
            in ``query[:20].explain(after=page.next)``. Where other objects may share the score of
            the place, reading their values takes one more trip than the commands that it lists.
        :returns: an object with attributes, which prints as text

        Redis: ``SCARD`` of each set; for an estimate ``SRANDMEMBER`` of up to 2,000 members and
        ``SMISMEMBER`` of them in each other set.
        """
        return self._run(self._explain(analyze, after))

    @awaitable(explain)
    async def aexplain(self, analyze: bool = False, after: Any = None) -> Explanation:
        return await self._arun(self._explain(analyze, after))

    def info(self, sample: int = 1000, progress: Progress | None = None) -> ModelInfo:
        """Return statistics of all that the model has stored, with advice.

        They cover objects, index sets with their sizes and most frequent values, memory, and the
        encoding of rows. It only reads. Other processes may write meanwhile; the numbers are then
        of slightly different moments.

        :param sample: number of objects, and of index sets of each field, whose memory, encoding
            and lengths are measured; the rest is counted
        :param progress: as of :meth:`check`, with the steps ``'rows'`` and ``'keys'``
        :raises UsageError: if the query has filters

        Redis: ``SRANDMEMBER``; ``SCAN`` in pages of 500; scripts of up to 100 keys with ``SCARD``,
        and with ``MEMORY USAGE`` and ``OBJECT ENCODING`` if the server allows them.
        """
        return self._run(self._info(sample, progress))

    @awaitable(info)
    async def ainfo(self, sample: int = 1000, progress: Progress | None = None) -> ModelInfo:
        return await self._arun(self._info(sample, progress))
