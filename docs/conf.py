"""How Sphinx builds this documentation: tox -e docs."""

import importlib.util
import re
from pathlib import Path

from docutils import nodes
from pygments.formatters import HtmlFormatter
from sphinx.highlighting import PygmentsBridge

from IndexedRedis import __version__

project = 'IndexedRedis'
author = 'IndexedRedis contributors'
copyright = '2026, IndexedRedis contributors'
release = version = __version__

extensions = ['sphinx.ext.autodoc', 'sphinx.ext.doctest']
# Pages include the files of the folders.
exclude_patterns = ['_build', 'performance/*', 'explanation/scale/*']

html_theme = 'furo' if importlib.util.find_spec('furo') else 'alabaster'
html_title = f'{project} {release}'
html_static_path = ['_static']
html_css_files = ['site.css']
if html_theme == 'furo':
    html_theme_options = {'top_of_page_buttons': []}  # none to the source of the page

# Pages follow the sources: a class is described by its own docstring, members as written there.
autodoc_member_order = 'bysource'
autodoc_default_options = {'members': True}

# Above this width, in its own units, a phone scrolls a picture sideways.
PHONE = 520


class LineByLine(HtmlFormatter):
    """Put each line of code into a span, so that the rest of a long line can be indented."""

    def wrap(self, source):
        """Yield the lines within their block."""
        return super().wrap(
            (is_line, f'<span class="line">{text}</span>' if is_line else text)
            for is_line, text in source
        )


PygmentsBridge.html_formatter = LineByLine


def put_pictures_into_the_page(app, doctree, docname):
    """Replace each SVG by its text, so that the theme's dark mode reaches its colours."""
    if app.builder.format != 'html':
        return
    for image in list(doctree.findall(nodes.image)):
        if image['uri'].endswith('.svg'):
            svg = Path(app.srcdir, image['uri']).read_text('utf-8')
            width = float(re.search(r'viewBox="0 0 ([\d.]+)', svg)[1])
            classes = 'ir-picture ir-wide' if width > PHONE else 'ir-picture'
            text = f'<div class="{classes}">{svg}</div>'
            image.replace_self(nodes.raw('', text, format='html'))


def setup(app):
    """Connect what this site adds to Sphinx."""
    app.connect('doctree-resolved', put_pictures_into_the_page)
