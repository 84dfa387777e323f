"""The overview of all models, and for each model its dashboard: figures, check, explain."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette_admin import CustomView, RequestAction, route

from ..errors import IndexedRedisError
from .charts import bars, memory_parts
from .jobs import Job
from .views import ModelView

__all__ = ('Dashboards', 'Overview', 'age_of')

NOT_FOUND, SEE_OTHER = 404, 303
# Above so many rows no page runs a query to measure it.
MOST_MEASURED = 10_000
SECONDS = {'day': 86_400, 'hour': 3600, 'minute': 60, 'second': 1}


class Overview(CustomView):
    """The first page: what is stored of each model."""

    menu_label, path, icon = 'Overview', '/', 'fa fa-gauge'
    dashboards: Dashboards

    @route('')
    async def index(self, request: Request) -> Response:
        """Show a card for each model."""
        views = self.dashboards.views
        figures = await asyncio.gather(*(figures_of(view.model) for view in views))
        cards = [
            {'view': view, 'checked': self.dashboards.checks[view.key].last, **figure}
            for view, figure in zip(views, figures, strict=True)
        ]
        context = {'title': self.menu_label, 'cards': cards}
        assert self._admin is not None
        return self._admin._template_response(request, 'ir/overview.html', context)


class Dashboards(CustomView):
    """The dashboards. They keep the last measurement and the last check of each model in memory."""

    menu_label, path, add_to_menu = 'Dashboards', '/-', False
    index = None

    def __init__(self, views: Sequence[ModelView]) -> None:
        super().__init__()
        self.views = views
        self.checks = {view.key: Job() for view in views}
        self._infos = {view.key: Job() for view in views}

    @route('/{key}/dashboard', name='dashboard')
    async def show(self, request: Request) -> Response:
        """Show what is stored of a model; measure it, if that was not done yet."""
        view = self._view(request)
        info, check = self._infos[view.key], self.checks[view.key]
        if info.last is None:
            self._measure(view)
        context = {'info': info, 'check': check, **await figures_of(view.model)}
        if info.last and info.last.result:
            report = info.last.result
            context |= {'report': report, 'cardinalities': bars(report)}
            context |= {'memory': memory_parts(report)}
        return self._page(request, view, 'ir/dashboard.html', context)

    @route('/{key}/dashboard', methods=['POST'], name='dashboard-run')
    async def run(self, request: Request) -> Response:
        """Measure a model again, or check it. Both only read."""
        view = self._view(request)
        form = await request.form()
        if form.get('what') == 'check':
            self.checks[view.key].start('checking', view.model.objects.acheck)
        else:
            self._measure(view)
        return RedirectResponse(self._url(request, view), SEE_OTHER)

    @route('/{key}/explain', name='explain')
    async def explain(self, request: Request) -> Response:
        """Explain the query of a list, or of filters as the command line takes them."""
        view = self._view(request)
        lines = request.query_params.get('lines')
        context: dict[str, Any] = {
            'lines': lines or '',
            'analyze': 'analyze' in request.query_params,
        }
        try:
            query = self._listed(request, view) if lines is None else _typed(view, lines)
            if query is not None:
                context['query'] = repr(query)
                context |= await _explained(query, context['analyze'])
        except HTTPException as error:
            context['error'] = error.detail
        except (IndexedRedisError, ValueError, TypeError) as error:
            context['error'] = str(error)
        return self._page(request, view, 'ir/explain.html', context)

    def _measure(self, view: ModelView) -> None:
        self._infos[view.key].start(
            'measuring', lambda tell: view.model.objects.ainfo(progress=tell)
        )

    def _listed(self, request: Request, view: ModelView) -> Any:
        """Return the query of the list whose parameters a request has."""
        request.state.action = RequestAction.LIST
        given = view._parse_list_params(request)
        query = view.query(given.q, given.sorts, given.filters)
        skip = (given.page - 1) * given.page_size
        return None if query is None else query.limit(given.page_size, skip)

    def _view(self, request: Request) -> ModelView:
        key = request.path_params['key']
        found = next((view for view in self.views if view.key == key), None)
        if found is None:
            raise HTTPException(NOT_FOUND)
        return found

    def _url(self, request: Request, view: ModelView) -> str:
        assert self._admin is not None
        return str(request.url_for(f'{self._admin.route_name}:dashboard', key=view.key))

    def _page(
        self, request: Request, view: ModelView, name: str, context: dict[str, Any]
    ) -> Response:
        assert self._admin is not None
        context = {'title': view.menu_label, 'view': view, **context}
        return self._admin._template_response(request, name, context)


async def figures_of(model: Any) -> dict[str, Any]:
    """Return what costs nothing to ask: the number of objects, and the age of the data.

    Redis: ``SCARD`` and ``GET``.
    """
    count, mirrored = await asyncio.gather(model.objects.acount(), mirrored_at(model))
    return {'objects': count, 'mirrored': mirrored, 'age': age_of(mirrored)}


async def mirrored_at(model: Any) -> datetime | None:
    """Return when the data was mirrored; None if it was not, or nobody can read when."""
    try:
        at: datetime | None = await model.objects.amirroredAt()
    except ValueError:  # resetMany() stores any text
        return None
    return at


def age_of(at: datetime | None) -> str:
    """Return how old data is, as ``3 hours``; empty if nobody knows."""
    if at is None:
        return ''
    seconds = max(0, int((datetime.now(UTC) - at.astimezone(UTC)).total_seconds()))
    unit, size = next((pair for pair in SECONDS.items() if seconds >= 2 * pair[1]), ('second', 1))
    count = seconds // size
    return f'{count:,} {unit}{"" if count == 1 else "s"}'


def _typed(view: ModelView, lines: str) -> Any:
    """Return the query of filters, one a line: ``FIELD=VALUE`` or ``FIELD__LOOKUP=VALUE``.

    :raises ValueError: if a line is not a filter
    """
    query = view.model.objects
    for line in filter(None, map(str.strip, lines.splitlines())):
        name, equals, value = line.partition('=')
        if not (name and equals):
            raise ValueError(f'{line!r} is not a filter; write FIELD=VALUE or FIELD__LOOKUP=VALUE.')
        query = query.filter(**{name.strip(): value.strip()})
    return query


async def _explained(query: Any, analyze: bool) -> dict[str, Any]:
    """Return an explanation; of a query with many rows without running it."""
    found = await query.aexplain()
    too_many = analyze and found.rows.high > MOST_MEASURED
    if analyze and not too_many:
        found = await query.aexplain(analyze=True)
    return {'explanation': found, 'too_many': too_many, 'most': MOST_MEASURED}
