"""Sentences in which errors of a connection say what to do; commands put their own instead."""

from __future__ import annotations

from ..executors.remedies import (
    ALONE_REMEDY,
    CLUSTER_REMEDY,
    RESP2_REMEDY,
    SENTINEL_REMEDY,
    SERVICE_REMEDY,
    WHERE,
)

__all__ = (
    'ALONE_REMEDY',
    'CLUSTER_REMEDY',
    'RESP2_REMEDY',
    'SENTINEL_REMEDY',
    'SERVICE_REMEDY',
    'WHERE',
)
