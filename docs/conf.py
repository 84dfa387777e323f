"""How Sphinx builds this documentation: tox -e docs."""

import importlib.util

from IndexedRedis import __version__

project = 'IndexedRedis'
author = 'IndexedRedis contributors'
copyright = '2026, IndexedRedis contributors'
release = version = __version__

extensions = ['sphinx.ext.autodoc', 'sphinx.ext.doctest']
exclude_patterns = ['_build', 'performance/*']  # pages include the latter

html_theme = 'furo' if importlib.util.find_spec('furo') else 'alabaster'
html_title = f'{project} {release}'

# Pages follow the sources: a class is described by its own docstring, members as written there.
autodoc_member_order = 'bysource'
autodoc_default_options = {'members': True}
