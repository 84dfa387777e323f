"""What shells complete: models and mirrors of the modules below the current folder.

The rule: a completion reads sources and runs none of them, since Tab must be quick and harmless.
"""

from __future__ import annotations

import ast
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

__all__ = ('complete_at_first_tab', 'join_words', 'mirrors', 'models')

# The most modules that one completion reads, and how many folders deep they may be.
MAX_MODULES = 500
MAX_DEPTH = 3

Names = Callable[[ast.Module], Iterator[str]]

# Ends the script for zsh. Where a shell evaluates the script, no function of that name is called.
AT_FIRST_TAB = """\
if [[ $funcstack[1] == _%(prog_name)s ]]; then
  %(complete_func)s "$@"
fi"""

# The part of the word before the cursor that bash leaves alone: it ends with a colon.
_before = ''


def models(incomplete: str) -> list[str]:
    """Return the models that a word may become, as ``package.module:Name``."""
    return _completed(incomplete, _model_names)


def mirrors(incomplete: str) -> list[str]:
    """Return the mirrors that a word may become, as ``package.module:name``."""
    return _completed(incomplete, _mirror_names)


def complete_at_first_tab() -> None:
    """Have the first Tab in a zsh complete, too.

    zsh loads typer's script at that Tab. The script defines the function for further ones, and
    completes nothing itself.
    """
    with suppress(ImportError, AttributeError):  # private names of typer, which may change
        from typer import _completion_shared as shared

        shared._completion_scripts['zsh'] = f'{shared.COMPLETION_SCRIPT_ZSH}\n{AT_FIRST_TAB}'


def join_words() -> None:
    """Join what bash splits: for bash, ``shop:So`` is three words, and it completes the last."""
    global _before
    if os.environ.get('_INDEXEDREDIS_COMPLETE') != 'complete_bash':
        return
    last = int(os.environ['COMP_CWORD'])
    words = os.environ['COMP_WORDS'].split('\n')[: last + 1]
    words += [''] * (last + 1 - len(words))
    joined: list[str] = []
    for number, word in enumerate(words):
        if number > 1 and (word.startswith(':') or joined[-1].endswith(':')):
            joined[-1] += word
        else:
            joined.append(word)
    before, colon, rest = joined[-1].rpartition(':')
    _before, joined[-1] = before + colon, rest
    os.environ['COMP_WORDS'] = '\n'.join(joined)
    os.environ['COMP_CWORD'] = str(len(joined) - 1)


def _completed(incomplete: str, names: Names) -> list[str]:
    targets = [f'{name}:{each}' for name, tree in _modules() for each in names(tree)]
    start = _before + incomplete
    return [each.removeprefix(_before) for each in targets if each.startswith(start)]


def _modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield the modules that name IndexedRedis, and their syntax trees."""
    for path in sorted(_files()):
        tree = None
        # Python warns of escapes such as \d while it parses; the shell would show that at Tab.
        with suppress(OSError, SyntaxError, ValueError), warnings.catch_warnings(action='ignore'):
            source = path.read_bytes()
            tree = ast.parse(source) if b'IndexedRedis' in source else None
        parts = path.with_suffix('').parts
        if tree is not None:
            yield '.'.join(parts[:-1] if parts[-1] == '__init__' else parts), tree


def _files() -> Iterator[Path]:
    """Yield the sources below the current folder, up to a limit."""
    left = MAX_MODULES
    for folder, folders, files in os.walk('.'):
        here = Path(folder)
        deep = len(here.parts) >= MAX_DEPTH
        folders[:] = [] if deep else sorted(filter(str.isidentifier, folders))
        sources = [here / name for name in sorted(files) if name.endswith('.py')]
        yield from filter(lambda path: path.stem.isidentifier(), sources[:left])
        left -= len(sources)
        if left <= 0:
            return


def _model_names(tree: ast.Module) -> Iterator[str]:
    models = {'IndexedRedisModel'}
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        bases = {ast.unparse(base).rpartition('.')[2] for base in node.bases}
        named = {ast.unparse(each.targets[0]) for each in node.body if isinstance(each, ast.Assign)}
        if models & bases or 'KEY_NAME' in named:
            models.add(node.name)
            yield node.name


def _mirror_names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            called = ast.unparse(node.value.func).split('.')
            if 'Mirror' in called:
                yield from (each.id for each in node.targets if isinstance(each, ast.Name))
