"""The base of field types: ``IRField`` and its hooks, conversions, link data, primary keys."""

from __future__ import annotations

from .field import IRField, hashed, immutable_value

__all__ = ('IRField', 'hashed', 'immutable_value')
