"""What people and programs look at databases with: loaded when it is asked for, so that programs
that serve requests start sooner.
"""

from __future__ import annotations

from ._core.explanation import Explanation
from ._core.found import FoundModel
from ._core.model_info import ModelInfo
from ._core.report import CheckReport
from .inspection import afindModels, findModels

__all__ = ('CheckReport', 'Explanation', 'FoundModel', 'ModelInfo', 'afindModels', 'findModels')

BY_NAME = {name: globals()[name] for name in __all__}
