"""The page of mirrors: how old their data is, followers, runs with their progress, and reports."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette_admin import CustomView, route

from ..managers.manager import send
from ..utils import bytes_text
from .dashboards import age_of, figures_of
from .jobs import Job, in_daemon

if TYPE_CHECKING:
    from ..mirror import FollowStatus

__all__ = ('Mirrors',)

NOT_FOUND, SEE_OTHER, FORBIDDEN = 404, 303, 403
# Runs that the page lists.
KEPT = 10


class Mirrors(CustomView):
    """The page of all mirrors.

    :param mirrors: by their names
    :param read_only: whether only dry runs may be started
    """

    menu_label, path, icon, route_name = 'Mirrors', '/-/mirrors', 'fa fa-arrows-rotate', 'mirrors'

    def __init__(self, mirrors: dict[str, Any], read_only: bool) -> None:
        super().__init__()
        self._mirrors, self._read_only = mirrors, read_only
        self._jobs = {name: Job(KEPT) for name in mirrors}

    @route('')
    async def index(self, request: Request) -> Response:
        """Show each mirror."""
        shown = []
        for number, (name, mirror) in enumerate(self._mirrors.items()):
            figures = await asyncio.gather(*map(figures_of, mirror.models))
            models = [
                {'name': model.__name__, **figure}
                for model, figure in zip(mirror.models, figures, strict=True)
            ]
            status = await asyncio.to_thread(mirror.status)
            job = self._jobs[name]
            elsewhere = not (job.what or status) and await asyncio.to_thread(_is_locked, mirror)
            entry = {'number': number, 'name': name, 'models': models, 'job': job}
            follower = {'waits': status.waits, 'facts': _facts(status)} if status else None
            shown.append({**entry, 'follower': follower, 'elsewhere': elsewhere})
        context = {'title': 'Mirrors', 'mirrors': shown, 'read_only': self._read_only}
        assert self._admin is not None
        return self._admin._template_response(request, 'ir/mirrors.html', context)

    @route('/run', methods=['POST'], name='mirror-run')
    async def run(self, request: Request) -> Response:
        """Run a mirror in a thread; a dry run, if nothing may be changed."""
        form = await request.form()
        number, dry = str(form.get('mirror', '')), form.get('how') == 'dry'
        if not dry and self._read_only:
            raise HTTPException(FORBIDDEN, 'These pages are read-only: only dry runs are allowed.')
        if not (number.isdecimal() and int(number) < len(self._mirrors)):
            raise HTTPException(NOT_FOUND)
        name, mirror = [*self._mirrors.items()][int(number)]
        what = 'dry run' if dry else 'run'
        self._jobs[name].start(what, lambda tell: in_daemon(partial(mirror.run, dry, tell)))
        assert self._admin is not None
        return RedirectResponse(
            str(request.url_for(f'{self._admin.route_name}:mirrors')), SEE_OTHER
        )


def _is_locked(mirror: Any) -> bool:
    """Return whether a run of a mirror, in whatever process, holds a lock.

    Redis: ``EXISTS`` for each model.
    """
    from ..mirror.lock import lock_name

    return any(send(model, 'EXISTS', lock_name(model)) for model in mirror.models)


def _facts(status: FollowStatus) -> list[tuple[str, str]]:
    """Return what is stored of a follower, each with what it is."""
    read = datetime.fromisoformat(status.mirrored)
    last = datetime.fromisoformat(status.lastCommit) if status.lastCommit else None
    log = f'{bytes_text(status.lagBytes)} of the log'
    return [
        ('Behind', age_of(read) + (f'; {log} when it ended' if status.waits else f', {log}')),
        ('Last commit', f'{last.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC' if last else 'none'),
        ('Applied', f'{status.commits:,} transactions, {status.rows:,} rows'),
        ('Full swaps', f'{status.swaps:,}'),
        ('Rows left out', f'{status.leftOut:,}'),
        ('Name', status.name),
        ('Position', status.position),
    ]
