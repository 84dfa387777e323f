"""What field types are built from: IRField with its hooks, conversions, link data."""

from __future__ import annotations

from .field import IRField, hashed, immutable_value

__all__ = ('IRField', 'hashed', 'immutable_value')
