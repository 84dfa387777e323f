"""The files shown on the page "Test your application" are a test suite that does what it says."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent.parent / 'docs' / 'howto' / 'testing.rst'
FILE = r'^\.\. code-block:: python\n   :caption: (\S+)\n\n((?:   .*\n|\n)+)'
MESSAGE = r'^\.\. code-block:: text\n\n((?:   .*\n|\n)+)'


@pytest.fixture
def files(tmp_path):
    found = re.findall(FILE, PAGE.read_text('utf-8'), re.MULTILINE)
    for name, text in found:
        (tmp_path / name).write_text(textwrap.dedent(text))
    return [name for name, _ in found if name.startswith('test_')]


@pytest.mark.programs
def test_the_page(files, run_pytest):
    run = run_pytest()
    failing = {name for name, outcome in run.outcomes.items() if outcome != 'passed'}
    assert failing == {'test_a_question_for_each'}, run.text
    assert len(files) == 8
    assert len(run.outcomes) == 9
    (message,) = re.findall(MESSAGE, PAGE.read_text('utf-8'), re.MULTILINE)
    printed = re.sub(r'^E {1,7}', '', run.text, flags=re.MULTILINE)
    squeezed = [' '.join(text.split()) for text in (message, printed)]
    assert squeezed[0] in squeezed[1], run.text
