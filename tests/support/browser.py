"""Chromium for tests that look at pages as a person does. The rule: a page that needs another host
than this machine fails, and each driver has a profile of its own.

    def test_the_page(chromium):
        chromium.get('http://127.0.0.1:8000/')
        assert requested_hosts(chromium) == {'127.0.0.1'}
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

FLAGS = (
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    # without it pages scroll smoothly, and clicks miss what still moves
    '--force-prefers-reduced-motion',
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost',
)
DESKTOP = (1280, 800)
PHONE = (390, 844)


def missing() -> str | None:
    """Return why there is no browser here; None if there is one."""
    for program in ('chromium', 'chromedriver'):
        if shutil.which(program) is None:
            return f'{program} is not installed (Debian: apt-get install chromium-driver)'
    if importlib.util.find_spec('selenium') is None:
        return 'selenium is not installed, which drives Chromium'
    return None


@contextmanager
def opened() -> Iterator[Any]:
    """Give a selenium driver of a new headless Chromium, of 1,280 by 800 pixels."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which('chromium')
        for flag in (*FLAGS, f'--user-data-dir={profile}'):
            options.add_argument(flag)
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
        driver = webdriver.Chrome(options, Service(shutil.which('chromedriver')))
        try:
            resize(driver, *DESKTOP)
            yield driver
        finally:
            driver.quit()


@pytest.fixture(scope='session')
def _session_chromium() -> Iterator[Any]:
    reason = missing()
    if reason:
        pytest.skip(reason)
    with opened() as driver:
        yield driver


@pytest.fixture
def chromium(_session_chromium: Any) -> Any:
    """A selenium driver without cookies and logs of other tests; skips where there is no
    Chromium.
    """
    _session_chromium.get('about:blank')
    _session_chromium.execute_cdp_cmd('Network.clearBrowserCookies', {})
    resize(_session_chromium, *DESKTOP)
    for kind in ('browser', 'performance'):
        _session_chromium.get_log(kind)
    return _session_chromium


def resize(driver: Any, width: int, height: int) -> None:
    """Give the page this size, which may be that of a phone."""
    metrics = {'width': width, 'height': height, 'deviceScaleFactor': 1, 'mobile': width < 600}
    driver.execute_cdp_cmd('Emulation.setDeviceMetricsOverride', metrics)


def overflow(driver: Any) -> int:
    """Return by how many pixels the page is wider than its window."""
    root = 'document.documentElement'
    return driver.execute_script(f'return {root}.scrollWidth - {root}.clientWidth')


def complaints(driver: Any) -> list[str]:
    """Return the errors and warnings of the console since the last call."""
    found = driver.get_log('browser')
    return [each['message'] for each in found if each['level'] in ('SEVERE', 'WARNING')]


def requested_hosts(driver: Any) -> set[str]:
    """Return the hosts that pages have asked since the last call, whether they answered or not."""
    events = [json.loads(each['message'])['message'] for each in driver.get_log('performance')]
    urls = [
        event['params']['request']['url']
        for event in events
        if event['method'] == 'Network.requestWillBeSent'
    ]
    return {urlsplit(url).hostname for url in urls if url.startswith(('http:', 'https:'))}
