"""Stubs for type checkers, of modules whose models list ``FIELDS``.

The class form needs none: there the annotations of the class say it all.
"""

from __future__ import annotations

from .module import stub_of

__all__ = ('stub_of',)
