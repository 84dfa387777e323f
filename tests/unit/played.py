"""Plays the connection of a conversation: a test sees each operation, and says what comes of it."""

from __future__ import annotations

from IndexedRedis.executors.conversation import converse


class Line:
    """Plays the connection: answers reads from a list, in which exceptions are failures."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.log = []
        self.sent = []

    def run(self, flow, way=None):
        """Run a flow to its end; returns its result."""
        talk, outcome = converse(flow, way=way), None
        try:
            operation = next(talk)
            while True:
                try:
                    outcome = self._perform(*operation)
                except BaseException as exc:
                    operation = talk.throw(exc)
                else:
                    operation = talk.send(outcome)
        except StopIteration as stop:
            return stop.value

    def _perform(self, name, *args):
        if name == 'send_now':
            return None  # no connection is at hand
        self.log.append(name if name in ('open', 'send', 'sleep') else (name, *args))
        if name == 'send':
            self.sent.append(args[0])
        if name != 'read':
            return None
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        assert len(answer) == args[0]
        return answer
