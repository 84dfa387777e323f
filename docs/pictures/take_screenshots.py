"""Take screenshots of built pages, for people to look at.

``python docs/pictures/take_screenshots.py docs/_build/html FOLDER`` takes each page on a laptop and
on a phone, light and dark.
"""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / 'tests'))
from support import browser

PAGES = ('index', 'start/concepts', 'howto/querying', 'performance', 'operate/going-live')
SIZES = {'laptop': (1280, 1600), 'phone': (390, 1600)}


def main(site: Path, folder: Path) -> None:
    """Write the screenshots as PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    with browser.opened() as driver:
        for page, (name, size), theme in product(PAGES, SIZES.items(), ('light', 'dark')):
            browser.resize(driver, *size)
            driver.get((site / f'{page}.html').resolve().as_uri())
            driver.execute_script('document.body.dataset.theme = arguments[0]', theme)
            driver.save_screenshot(str(folder / f'{page.replace("/", "-")}-{name}-{theme}.png'))


if __name__ == '__main__':
    if reason := browser.missing():
        sys.exit(reason)
    main(*map(Path, sys.argv[1:3]))
