"""The page of mirrors: how old their data is, runs with their progress, and the last reports."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette_admin import CustomView, route

from ..managers.manager import send
from .dashboards import figures_of
from .jobs import Job

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
            job = self._jobs[name]
            elsewhere = not job.what and await asyncio.to_thread(_is_locked, mirror)
            entry = {'number': number, 'name': name, 'models': models}
            shown.append({**entry, 'job': job, 'elsewhere': elsewhere})
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
        self._jobs[name].start(what, lambda tell: asyncio.to_thread(mirror.run, dry, tell))
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
