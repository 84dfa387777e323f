"""Serve one subject: ``worker.py NAME MODULE CONFIG``.

This file and what it serves run in the virtual environment of the subject.
"""

import json
import sys
from pathlib import Path

if __name__ == '__main__':
    name, module, config = sys.argv[1:]
    if name.startswith(('6.0.3', 'before')):
        import IndexedRedis  # noqa: F401  (theirs, before the path leads to ours)
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from benchmarks.running.serving import serve

    serve(module, json.loads(config))
