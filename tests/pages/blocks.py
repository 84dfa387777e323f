"""The code blocks of the pages. The rule: a block runs in a test for all pages, or in the test of
its page that `TESTED` names.

Each language below has a test for all pages: `test_code_blocks.py`, `test_shell_blocks.py`,
`test_settings.py`.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = {
    str(path.relative_to(ROOT)): path.read_text('utf-8')
    for path in [*sorted(ROOT.glob('*.rst')), *sorted(ROOT.glob('docs/**/*.rst'))]
}
LANGUAGES = ('python', 'bash', 'console', 'ini')
# Pages and languages, and the tests that run these blocks.
TESTED = {
    ('docs/examples.rst', 'bash'): 'tests/pages/single/test_examples_page.py',
    ('docs/explanation/security.rst', 'text'): 'tests/pages/single/test_security_page.py',
    ('docs/explanation/wire.rst', 'python'): 'tests/pages/single/test_wire_page.py',
    ('docs/explanation/wire.rst', 'text'): 'tests/pages/single/test_wire_page.py',
    ('docs/howto/follow.rst', 'bash'): 'tests/mirror/follow/test_howto.py',
    ('docs/howto/follow.rst', 'mysql'): 'tests/mirror/follow/test_howto.py',
    ('docs/howto/follow.rst', 'psql'): 'tests/mirror/follow/test_howto.py',
    ('docs/howto/follow.rst', 'python'): 'tests/mirror/follow/test_howto.py',
    ('docs/howto/mirror.rst', 'python'): 'tests/mirror/test_howto.py',
    ('docs/howto/testing.rst', 'python'): 'tests/testing/test_howto_page.py',
    ('docs/howto/testing.rst', 'text'): 'tests/testing/test_howto_page.py',
    ('docs/operate/admin.rst', 'python'): 'tests/admin/test_howto.py',
    ('docs/operate/look-inside.rst', 'console'): 'tests/cli/reading/test_look_page.py',
    ('docs/operate/look-inside.rst', 'python'): 'tests/cli/reading/test_look_page.py',
    ('docs/operate/repair.rst', 'bash'): 'tests/cli/reading/test_pages.py',
    ('docs/operate/repair.rst', 'console'): 'tests/cli/reading/test_pages.py',
    ('docs/operate/repair.rst', 'text'): 'tests/cli/reading/test_pages.py',
    ('docs/performance.rst', 'text'): 'tests/pages/test_settings.py',
    ('docs/reference/keys.rst', 'text'): 'tests/pages/single/test_keys_page.py',
}
_BLOCK = re.compile(
    r'^( *)\.\. code-block:: *(\S*)\n(?: +:.*\n)*\n((?:\1 +.*\n|\n)+)', re.MULTILINE
)


class Block(NamedTuple):
    """A code block: its page, its language, its number among all blocks of the page, its text."""

    page: str
    language: str
    number: int
    text: str

    @property
    def name(self) -> str:
        return f'{self.page}-{self.number}'


BLOCKS = [
    Block(page, language, number, textwrap.dedent(block).strip('\n') + '\n')
    for page, text in PAGES.items()
    for number, (_, language, block) in enumerate(_BLOCK.findall(text), 1)
]


def blocks_of(page: str, language: str) -> list[str]:
    """Return the texts of a page's blocks in a language."""
    return [each.text for each in BLOCKS if (each.page, each.language) == (page, language)]


def blocks_without_a_test(*languages: str) -> list[Block]:
    """Return the blocks that a test for all pages has to run."""
    return [
        each
        for each in BLOCKS
        if each.language in languages and (each.page, each.language) not in TESTED
    ]
