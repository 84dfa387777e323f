"""What the tests of workers share: the catalogue, and pages with words, in each database."""

from __future__ import annotations

import multiprocessing

import pytest

from mirror import catalogue
from mirror.conftest import server
from mirror.workers import jobs

KINDS = [server('mariadb'), server('postgresql')]


@pytest.fixture(params=KINDS)
def sql(request, empty_database):
    """An engine on an empty database."""
    return empty_database(request.param)


@pytest.fixture
def shop(sql, redis_params):
    """The catalogue."""
    with sql.begin() as connection:
        catalogue.fill(connection)
    yield sql
    check(*jobs.TABLES)


@pytest.fixture
def pages(sql, redis_params):
    """Pages and words."""
    with sql.begin() as connection:
        jobs.fill(connection)
    yield sql
    check(jobs.Word, jobs.Page)


def check(*models):
    """Judge what is stored."""
    for model in models:
        report = model.objects.check()
        assert report.ok, report


def url_of(engine):
    """The URL of an engine, as workers get it."""
    return engine.url.render_as_string(hide_password=False)


def workers():
    """The processes of workers that live."""
    return [each for each in multiprocessing.active_children() if 'worker' in each.name]
