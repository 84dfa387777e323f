"""Who called: the public method that is running, and the line of the program that called it.

Rule: frames are looked at only for spans and for warnings, which most calls need not.
"""

from __future__ import annotations

import sys
import warnings
from types import CodeType, FrameType

from ..errors import BlockingCallWarning

__all__ = ('public_method', 'warn_of_blocking')

_ROOT = __name__.partition('.')[0]
# Where public methods are, and what else may stand between them and an executor.
_PUBLIC = tuple(f'{_ROOT}.{room}.' for room in ('managers', 'models'))
_BETWEEN = tuple(f'{_ROOT}.{room}.' for room in ('executors', 'connections', 'frameworks'))
_MIRROR = f'{_ROOT}.mirror.'
# Whose lines are not those of the program: ``with`` runs our code by contextlib.
_PACKAGES = (_ROOT, 'QueryableList', 'contextlib')
# The lines of the program that were warned about.
_warned: set[tuple[CodeType, int]] = set()


def public_method(frame: FrameType | None) -> str | None:
    """Return the name of the public method that is running in this frame, or that called it."""
    found = None
    while frame is not None:
        module = f'{_module(frame)}.'
        if not module.startswith((*_PUBLIC, *_BETWEEN)):
            break
        name = frame.f_code.co_name
        if module.startswith(_PUBLIC) and name[0] not in '_<':
            found = name
        frame = frame.f_back
    return found


def warn_of_blocking() -> None:
    """Warn, once for each line, that a blocking call stops a running event loop."""
    if _may_block():
        return
    called = sys._getframe(1)
    frame: FrameType | None = called
    mirroring = False
    while frame is not None and _module(frame).partition('.')[0] in _PACKAGES:
        mirroring = mirroring or _module(frame).startswith(_MIRROR)
        frame = frame.f_back
    if frame is None or (frame.f_code, frame.f_lineno) in _warned:
        return
    name = public_method(called)
    if mirroring or name is None:
        what, remedy = 'This', 'Run it in a thread: await asyncio.to_thread(...).'
    else:
        what, remedy = f'{name}()', f'Await its twin a{name}() instead.'
    text = f'{what} blocks the running event loop, and so all of its tasks. {remedy}'
    registry = frame.f_globals.setdefault('__warningregistry__', {})
    where = (frame.f_code.co_filename, frame.f_lineno, _module(frame), registry)
    warnings.warn_explicit(text, BlockingCallWarning, *where)
    _warned.add((frame.f_code, frame.f_lineno))  # not if the warning was an error


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get('__name__'))


def _may_block() -> bool:
    """Whether blocking is what the program wants, or blocks one greenlet only.

    Cells of a notebook run inside the event loop of its kernel.
    """
    modules = sys.modules
    if 'ipykernel' in modules:
        return True
    if 'gevent.monkey' in modules and modules['gevent.monkey'].is_module_patched('socket'):
        return True
    return 'eventlet.patcher' in modules and modules['eventlet.patcher'].is_monkey_patched('socket')
