"""The parts of the benchmarks that need no server. The rule: what is shown follows from the samples
alone, and wrong answers are never timed."""

from __future__ import annotations

import itertools
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import chart, docs, floor, results, table
from benchmarks.dataset import Dataset
from benchmarks.results import BY_HAND, OLD, US, Group, Result
from benchmarks.running import clients
from benchmarks.running.served import Work
from benchmarks.running.turns import Turn, check, result_of, same, take_turns

ROOT = Path(__file__).parents[2]


def result(ours=(1.0, 2.0, 3.0), old=(8.0, 8.0, 8.0), **more):
    return Result('get(pk)', 'ms', {US: list(ours), OLD: list(old)}, **more)


def test_quartiles():
    assert results.quartiles([4.0, 1.0, 3.0, 2.0, 5.0]) == (2.0, 3.0, 4.0)
    assert results.quartiles([7.0]) == (7.0, 7.0, 7.0)


def test_a_ratio_says_how_many_times_better_we_are():
    assert result().ratio(OLD) == 4.0
    assert result(higher_is_better=True).ratio(OLD) == 0.25
    assert result().ratio(US, us=OLD) == 0.25


def test_ratios_of_rounds_pair_the_samples_of_a_round():
    assert result((1.0, 2.0, 4.0), (4.0, 4.0, 4.0)).ratios(OLD) == (1.5, 2.0, 3.0)
    assert result((1.0, 2.0, 4.0), (4.0,)).ratios(OLD) == (4.0, 4.0, 4.0)


@pytest.mark.parametrize(
    ('value', 'shown'),
    [
        *[(0.00123, '0.001'), (0.0456, '0.046'), (9.876, '9.88'), (45.67, '45.7')],
        *[(100.4, '100'), (12_345.6, '12,346'), (-45.67, '-45.7')],
    ],
)
def test_numbers_are_short(value, shown):
    assert table.number(value) == shown


def test_a_table_of_works():
    cells = table.by_work([result(), result((1.0,), (7.0,))], ['rom', OLD])
    assert cells == [
        ['work', US, OLD],
        ['get(pk), ms', '2.00 (1.50-2.50)', '4x; 8.00 (8.00-8.00)'],
        ['get(pk), ms', '1.00 (once)', '7x; 7.00 (once)'],
    ]
    assert table.as_rst(cells[:2], widths=[50, 25, 25]) == (
        '.. list-table::\n   :header-rows: 1\n   :widths: 50 25 25\n\n'
        '   * - work\n     - IndexedRedis\n     - 6.0.3\n'
        '   * - get(pk), ms\n     - 2.00 (1.50-2.50)\n     - 4x; 8.00 (8.00-8.00)\n'
    )


def test_a_table_of_subjects():
    one = result(more={'client CPU': {US: [0.5]}}, longest={OLD: (1001.0, 'exec')})
    assert table.as_text('get(pk)', table.by_subject(one)).splitlines() == [
        'get(pk)',
        '  subject       ms                ratio             client CPU  longest command',
        '  IndexedRedis  2.00 (1.50-2.50)                    0.500',
        '  6.0.3         8.00 (8.00-8.00)  4.00 (3.33-6.00)  --          over 1,000 ms (exec)',
    ]
    bases = [('MariaDB',), (OLD,)]
    assert table.by_subject(one, bases, rounds=False)[1:] == [
        [US, '2.00 (1.50-2.50)', '4.00', '0.500', ''],
        [OLD, '8.00 (8.00-8.00)', '1.00', '--', 'over 1,000 ms (exec)'],
    ]


def test_longest_commands():
    longest = {US: (5.1, 'evalsha'), OLD: (900.0, 'exec'), BY_HAND: (1001.0, 'exec')}
    _, row = table.longest_commands([result(longest=longest)], [US, OLD, BY_HAND, 'rom'])
    assert row == ['get(pk)', '5.10 ms (evalsha)', '900.00 ms (exec)', 'over 1,000 ms (exec)', '--']


def test_json_keeps_every_sample(tmp_path):
    kept = result(note='n', more={'client CPU': {US: [1.0]}}, longest={US: [0.5, 'hget']})
    groups = {'operations': Group({'date': 'd'}, [kept])}
    results.save(tmp_path / 'r.json', groups)
    assert results.load(tmp_path / 'r.json') == groups


def test_turns_alternate_and_the_first_rounds_do_not_count():
    asked = []

    def sample(turn):
        asked.append(turn.name)
        return len(asked)

    one, two = (
        Turn(Work('get(pk)', rounds=rounds), [Answering(name, [])])
        for name, rounds in (('a', 2), ('b', 1))
    )
    assert take_turns([one, two], sample) == {one: [3, 5], two: [4]}
    assert ''.join(asked) == 'baaba'


def test_samples_are_of_one_operation_and_the_longest_command_is_the_median_rounds():
    raw = [(2.0, (0.004, 'b')), (1.0, (0.001, 'a')), (3.0, (0.009, 'c'))]
    samples = [
        {'main': s, 'cpu': {'client CPU': 1.0}, 'longest': c, 'more': {'peak': s}} for s, c in raw
    ]
    summary = result_of(Work('get(pk)', per=200), {US: samples})
    assert summary.samples == {US: [10.0, 5.0, 15.0]}
    assert summary.more == {'client CPU': {US: [5.0] * 3}, 'peak': {US: [2.0, 1.0, 3.0]}}
    assert summary.longest == {US: (4.0, 'b')}


def dataset():
    rows = [['a', 1], ['a', 2], ['a', 1], ['b', 1], ['b', None]]
    kinds = {'letter': 'str', 'count': 'int'}
    return Dataset(kinds, ['letter', 'count'], ['letter'], 'letter', rows)


def test_a_query_finds_what_is_nearest_with_the_fewest_filters():
    assert dataset().query(3) == ({'letter': 'a'}, 3)
    assert dataset().query(3, fewest=2) == ({'letter': 'a', 'count': 1}, 2)
    assert dataset().query(1) == ({'count': 2}, 1)


def test_queries_do_not_look_for_nulls():
    assert dataset().query(1, fewest=2)[0] != {'letter': 'b', 'count': None}


@pytest.mark.parametrize(
    ('answer', 'keeps_nulls', 'equal'),
    [
        ([['a', None], ['b', 0]], True, True),
        ([['a', ''], ['b', 0]], True, False),
        ([['a', ''], ['b', 0]], False, True),
        ([['b', 0], ['a', 0]], False, True),
        ([['a', '']], False, False),
        ([['x', ''], ['b', 0]], False, False),
    ],
)
def test_answers_are_compared_exactly_but_for_nulls_that_are_not_kept(answer, keeps_nulls, equal):
    assert same([['a', None], ['b', 0]], answer, keeps_nulls) is equal


class Answering:
    def __init__(self, name, answer):
        self.name, self.answer = name, answer

    def ask(self, method, *args):
        return [self.answer, True]


def test_a_different_answer_stops_the_run():
    def turns(ours, theirs):
        return [Turn(Work('get(pk)'), [Answering(*each)]) for each in ((US, ours), (OLD, theirs))]

    check(turns([['a']], [['a']]))
    with pytest.raises(SystemExit, match=r'get\(pk\): 6\.0\.3 answers otherwise than IndexedRedis'):
        check(turns([['a']], [['b']]))


def test_clients_ask_for_all_numbers_until_the_time_is_over(monkeypatch):
    asked = []

    async def on_asyncio(number):
        asked.append(number)

    for ask in (asked.append, on_asyncio):
        monkeypatch.setattr(clients, 'perf_counter', itertools.count().__next__)
        for seconds, most in ((0, 1), (20, 20)):
            asked.clear()
            assert len(clients.load('asked', ask, 3, [1, 2, 3], seconds).run()) == len(asked)
            assert 1 <= asked.count(1) == asked.count(2) == asked.count(3) <= most
        assert len(asked) > 3


def test_an_error_of_a_client_ends_the_load():
    with pytest.raises(ZeroDivisionError):
        clients.load('asked', lambda number: 1 // number, 2, [1, 0], seconds=0).run()


def test_nothing_is_not_an_answer():
    job = clients.load('asked', lambda number: ['a'] * number, 2, [1, 2], seconds=0)
    assert job.answer(None) == ["1: ['a']", "2: ['a', 'a']"]
    with pytest.raises(AssertionError):
        clients.load('asked', lambda number: ['a'] * number, 2, [0], seconds=0).answer(None)


def test_the_pages_are_what_the_figures_beside_them_give():
    for name, text in docs.pages(results.load(docs.MEASURED)).items():
        assert docs.MEASURED.with_name(name).read_text('utf-8') == text, f'{name}: make it anew'


STATIC = ROOT / 'docs' / '_static'


def test_the_charts_are_what_the_figures_give():
    for name, text in docs.charts(results.load(docs.MEASURED)).items():
        assert (STATIC / name).read_text('utf-8') == text, f'{name}: make it anew'


def test_the_chart_shows_every_operation():
    drawn = ElementTree.parse(STATIC / 'performance.svg').getroot()
    texts = {each.text for each in drawn.iter('{http://www.w3.org/2000/svg}text')}
    works = {each.work for each in results.load(docs.MEASURED)['operations'].results}
    assert works <= texts


def test_a_bar_is_as_long_as_its_figure():
    drawn = ElementTree.fromstring(
        chart.bars([(US, [(US, 10, 'ten'), (OLD, 5, 'five')])], 't', 'l')
    )
    one, half = (
        float(each.get('width')) for each in drawn.iter('{http://www.w3.org/2000/svg}rect')
    )
    assert one == 2 * half


def test_bars_of_one_subject_have_one_colour():
    names = (US, f'{US}, cached', OLD, f'{OLD}, links', 'SQLite')
    drawn = ElementTree.fromstring(
        chart.bars([(name, [(name, 1, '1')]) for name in names], 't', 'l')
    )
    rects = drawn.iter('{http://www.w3.org/2000/svg}rect')
    assert [each.get('class') for each in rects] == ['us', 'us', 'old', 'old', 'hand']


def test_a_table_tells_how_far_from_the_floor():
    above = result((4.0,), (7.0,), more={results.FLOOR: {US: [2.0]}})
    cells = table.by_work([above, result((1.0,), (7.0,))], [OLD])
    assert cells[0] == ['work', US, 'of the floor', OLD]
    assert [row[2] for row in cells[1:]] == ['2x', '--']


def test_exchanges_are_what_goes_out_and_what_comes_back_in_turns():
    events = [(True, b'a'), (True, b'b'), (False, b'1'), (False, b''), (False, b'2'), (True, b'c')]
    assert floor.exchanges(events) == [(True, b'ab'), (False, b'12'), (True, b'c')]
