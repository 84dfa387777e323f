"""Makes ``benchmarks`` importable: at the end, so that the library is still the one under test."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent.parent))
