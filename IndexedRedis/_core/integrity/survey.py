"""The state of one check or repair: its report, and whether it repairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..flows import Flow, Progress
from ..keys import is_allowed_pk
from ..mapping.schema import Schema
from .repair import repair_findings, sweep_dead
from .report import CheckReport, Finding

__all__ = ('PROBES_IN_TRIP', 'Survey')

# Probes of one round trip.
PROBES_IN_TRIP = 500


class Survey:
    """One check or repair of a model.

    :param progress: called with the name of the step, how much of it is done, and of how much
    :param token: text that no reset has, for a repair; None: check only
    :param report: that of other partitions of the model, to go on with
    """

    def __init__(
        self,
        schema: Schema,
        progress: Progress | None,
        token: bytes | None = None,
        report: CheckReport | None = None,
    ) -> None:
        self.schema, self._token = schema, token
        self.report = report or CheckReport(schema.name)
        self.tell: Progress = progress or (lambda step, done, total: None)
        self.highest = 0

    def in_use(self, pk: bytes) -> bool:
        """Note a pk under which something is stored; return whether it is in the range of pks."""
        if not is_allowed_pk(pk):
            return False
        number, keys = int(pk), self.schema.keys
        if number % keys.stride == keys.offset:
            self.highest = max(self.highest, number)
        return True

    def found(self, findings: Sequence[Finding]) -> Flow[None]:
        """Report findings, and repair them if this is a repair."""
        self._note(findings)
        if findings and self._token is not None:
            self._note_repaired((yield from repair_findings(self.schema, findings)))

    def found_resets(self, dead: Mapping[bytes, Sequence[Finding]]) -> Flow[None]:
        """Report and sweep dead resets.

        :param dead: the findings of each, by token
        """
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
