"""The one chart: how many times as fast this library is, work by work, as bars on a log scale."""

from __future__ import annotations

from pathlib import Path

from .results import BY_HAND, OLD, Result

__all__ = ('draw',)

COLOURS = {OLD: '#8a5a83', BY_HAND: '#3b7ea1'}
BAR = 0.38


def draw(results: list[Result], path: Path) -> None:
    """Draw the ratios to 6.0.3 and to redis-py by hand as SVG; needs matplotlib."""
    import matplotlib as mpl

    mpl.use('svg')
    mpl.rcParams['svg.hashsalt'] = 'IndexedRedis'  # the same figures give the same file
    from matplotlib import pyplot

    shown = [each for each in results if COLOURS.keys() & each.figures.keys()]
    figure, axes = pyplot.subplots(figsize=(9, 0.42 * len(shown) + 1.2))
    for offset, (name, colour) in enumerate(COLOURS.items()):
        pairs = [(at, each.ratio(name)) for at, each in enumerate(shown) if name in each.figures]
        places = [-at + (0.5 - offset) * BAR for at, _ in pairs]
        bars = axes.barh(places, [ratio - 1 for _, ratio in pairs], BAR, left=1, color=colour)
        axes.bar_label(bars, [f'{ratio:.1f}x' for _, ratio in pairs], padding=3, fontsize=7)
        bars.set_label(f'against {name}')
    axes.set_xscale('log')
    axes.xaxis.set_major_formatter('{x:g}x')
    axes.axvline(1, color='black', linewidth=0.8)
    axes.set_yticks([-at for at in range(len(shown))], [each.work for each in shown], fontsize=8)
    axes.set_xlabel('times as fast as (memory: as small as)')
    axes.legend(loc='lower right')
    axes.margins(x=0.12, y=0.01)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={'Date': None}, bbox_inches='tight')
    pyplot.close(figure)
