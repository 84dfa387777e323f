"""The browser of tests/support/browser.py: what tests ask it for is what a page does."""

from __future__ import annotations

import pytest
from support.browser import PHONE, complaints, overflow, requested_hosts, resize

pytestmark = pytest.mark.browser


def test_a_wide_page_overflows_and_another_host_is_seen(chromium, tmp_path):
    page = tmp_path / 'page.html'
    page.write_text(
        '<!doctype html><meta name="viewport" content="width=device-width">'
        '<div style="width: 500px">wide</div><img src="http://pictures.example/1.png">'
    )
    chromium.get(page.as_uri())
    assert overflow(chromium) == 0
    resize(chromium, *PHONE)
    chromium.refresh()
    assert overflow(chromium) > 0
    assert requested_hosts(chromium) == {'pictures.example'}
    assert any('ERR_NAME_NOT_RESOLVED' in each for each in complaints(chromium))
