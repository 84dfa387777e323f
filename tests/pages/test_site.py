"""The built site in a browser. The rule: at the width of a laptop and of a phone no page is
wider than its window, no line of code is cut, every picture is there, every link leads somewhere.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

import pytest
from support import browser

DOCS = Path(__file__).parents[2] / 'docs'
PAGES = sorted(
    str(path.relative_to(DOCS).with_suffix('.html'))
    for path in DOCS.rglob('*.rst')
    if path.parent.name != 'performance'  # other pages include these
)
PICTURES = '.ir-picture svg, main img'
# What a person would miss: code that ends at an edge, pictures without a size, texts outside.
FAULTS = """
const faults = [];
for (const each of document.querySelectorAll('details')) each.open = true;
for (const pre of document.querySelectorAll('pre'))
    if (pre.scrollWidth > pre.clientWidth + 1)
        faults.push('cut: ' + pre.innerText.slice(0, 60));
for (const image of document.querySelectorAll('main img'))
    if (!image.naturalWidth) faults.push('no picture: ' + image.src);
for (const svg of document.querySelectorAll('.ir-picture svg')) {
    const frame = svg.getBoundingClientRect();
    if (frame.width < 100 || frame.height < 50) faults.push('empty: ' + svg.ariaLabel);
    for (const text of svg.querySelectorAll('text')) {
        const box = text.getBoundingClientRect();
        if (box.left < frame.left - 1 || box.right > frame.right + 1)
            faults.push('outside the picture: ' + text.textContent);
    }
}
return faults;
"""
COLOURS = """
document.body.dataset.theme = arguments[0];
return [...document.querySelectorAll('.ir-picture text')].map(each => getComputedStyle(each).fill);
"""


@pytest.fixture(scope='session')
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built documentation; ``SITE`` names one that is built already."""
    if 'SITE' in os.environ:
        return Path(os.environ['SITE']).resolve()
    for package in ('sphinx', 'furo'):
        if importlib.util.find_spec(package) is None:
            pytest.skip(f'{package} is not installed (extra docs)')
    folder = tmp_path_factory.mktemp('site')
    command = [sys.executable, '-m', 'sphinx', '-W', '-q', '-b', 'html', str(DOCS), str(folder)]
    subprocess.run(command, check=True, cwd=DOCS.parent)
    return folder


@pytest.mark.browser
@pytest.mark.parametrize('page', PAGES)
def test_a_page_fits_its_window(page: str, site: Path, chromium: Any) -> None:
    for width, height in (browser.DESKTOP, browser.PHONE):
        browser.resize(chromium, width, height)
        chromium.get((site / page).as_uri())
        assert chromium.execute_script(FAULTS) == [], width
        assert browser.overflow(chromium) <= 0, width
    assert browser.requested_hosts(chromium) == set()


@pytest.mark.browser
def test_a_page_fits_at_every_step_of_the_layout(site: Path, chromium: Any) -> None:
    chromium.get((site / 'index.html').as_uri())
    for edge in (46, 63, 67, 82, 97, 99):  # where the theme or site.css changes columns, in em
        for width in (16 * edge, 16 * edge + 1, 16 * edge + 12):
            browser.resize(chromium, width, 800)
            assert browser.overflow(chromium) <= 0, width


@pytest.mark.browser
def test_pictures_follow_the_switch_of_the_theme(site: Path, chromium: Any) -> None:
    for page in ('index.html', 'start/concepts.html', 'performance.html'):
        chromium.get((site / page).as_uri())
        light, dark = (chromium.execute_script(COLOURS, theme) for theme in ('light', 'dark'))
        assert light
        assert all(one != other for one, other in zip(light, dark, strict=True)), page


class Links(HTMLParser):
    """The links of a page, and the places in it that links can name."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(path.read_text('utf-8'))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.places |= {name for name in (given.get('id'), given.get('name')) if name}
        if tag == 'a' and given.get('href'):
            self.links.append(given['href'])


@pytest.mark.programs
def test_every_link_leads_somewhere(site: Path) -> None:
    pages = {path: Links(path) for path in site.rglob('*.html')}
    followed = 0
    for path, page in pages.items():
        for link in page.links:
            address, place = urldefrag(link)
            if ':' in address:
                continue
            target = (path.parent / unquote(address)).resolve() if address else path
            assert target.exists(), (path.name, link)
            if place and target in pages:
                assert unquote(place) in pages[target].places, (path.name, link)
            followed += 1
    assert followed > 1000
