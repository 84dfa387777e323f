"""What the parts of a check have in common: the report, and whether to repair what is found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...fields.base.primary_keys import HIGHEST_PK
from ..flows import Flow
from ..mapping.schema import Schema
from .repair import repair_findings, sweep_dead
from .report import CheckReport, Finding

__all__ = ('PROBES_IN_TRIP', 'Progress', 'Survey')

# Members of a set, or names of keys, that are looked at in one go.
PROBES_IN_TRIP = 500

Progress = Callable[[str, int, int], Any]


class Survey:
    """One walk over a model.

    :param progress: told the name of the step, how much of it is done, and of how much
    :param token: text that no reset has; None to look only
    """

    def __init__(
        self, schema: Schema, progress: Progress | None, token: bytes | None = None
    ) -> None:
        self.schema, self._token = schema, token
        self.report = CheckReport(schema.name)
        self.tell: Progress = progress or (lambda step, done, total: None)
        self.highest = 0

    def in_use(self, pk: bytes) -> bool:
        """Note that something is stored under a pk; return whether the pk is in the range."""
        if len(pk) > 16 or int(pk) > HIGHEST_PK:
            return False
        self.highest = max(self.highest, int(pk))
        return True

    def found(self, findings: Sequence[Finding]) -> Flow[None]:
        """Take in findings, and put them right if this is a repair."""
        self._note(findings)
        if findings and self._token is not None:
            self._note_repaired((yield from repair_findings(self.schema, findings)))

    def found_resets(self, dead: Mapping[bytes, Sequence[Finding]]) -> Flow[None]:
        """As :meth:`found`, for resets that are recorded and dead, by token."""
        for findings in dead.values():
            self._note(findings)
        if dead and self._token is not None:
            for token in (yield from sweep_dead(self.schema, self._token, dead)):
                self._note_repaired(dead[token])

    def _note(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self.report.note(finding)

    def _note_repaired(self, findings: Sequence[Finding]) -> None:
        for finding in findings:
            self.report.note_repaired(finding)
