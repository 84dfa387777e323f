"""The parts of the benchmarks that need no server. The rule: what is shown follows from the samples
alone, and wrong answers are never timed."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks import report, table
from benchmarks.dataset import Dataset, load
from benchmarks.results import BY_HAND, OLD, US, Result, figure
from benchmarks.workers import check, same, summed_up
from benchmarks.works import SIZES, works

ROOT = Path(__file__).parent.parent.parent
MEASURED = ROOT / 'docs' / 'performance' / 'measured.json'


def result(ours=(1.0, 2.0, 3.0), old=(8.0, 8.0, 8.0), **more):
    figures = {US: figure(ours), OLD: figure(old)}
    return Result('get(pk)', 'ms', figures, **{'aims': {OLD: 4.0}, **more})


def test_quartiles():
    assert figure([4.0, 1.0, 3.0, 2.0, 5.0]).median == 3.0
    assert figure([4.0, 1.0, 3.0, 2.0, 5.0]).quartiles == (2.0, 4.0)
    assert figure([7.0]).quartiles == (7.0, 7.0)


def test_a_ratio_says_how_many_times_better_we_are():
    assert result().ratio(OLD) == 4.0
    assert result(higher_is_better=True).ratio(OLD) == 0.25


@pytest.mark.parametrize(
    ('changed', 'reached'),
    [
        ({}, True),
        ({'old': (7.9,)}, False),
        ({'limit': 2.0}, True),
        ({'limit': 1.9}, False),
        ({'higher_is_better': True, 'aims': {OLD: 0.2}, 'limit': 2.0}, True),
        ({'higher_is_better': True, 'aims': {OLD: 0.2}, 'limit': 2.1}, False),
        ({'aims': {BY_HAND: 5.0}}, True),  # who did not take part says nothing
    ],
)
def test_an_aim_is_reached_or_not(changed, reached):
    assert table.reached(result(**changed)) is reached


def test_what_is_missed_is_marked():
    assert table.MISSED not in table.line(result()) + table.as_rst([result()], [OLD])
    missed = result(old=(7.0,))
    assert table.MISSED in table.line(missed)
    assert f'**3.5x**, aim 4x {table.MISSED}; 7.00' in table.as_rst([missed], [OLD])


@pytest.mark.parametrize(
    ('value', 'shown'),
    [
        *[(0.00123, '0.001'), (0.0456, '0.046'), (9.876, '9.88'), (45.67, '45.7')],
        *[(100.4, '100'), (12_345.6, '12,346')],
    ],
)
def test_numbers_are_short(value, shown):
    assert table.number(value) == shown


def test_commands_that_hold_up_others_for_too_long_are_marked():
    known = {US: (5.1, 'evalsha'), OLD: (900.0, 'exec'), BY_HAND: (1001.0, 'exec')}
    shown = table.longest_as_rst([result(longest=known)], [US, OLD, BY_HAND, 'rom'])
    cells = [f'5.10 ms (evalsha) {table.MISSED}', '900.00 ms (exec)', 'over 1,000 ms (exec)', '--']
    assert shown.endswith(''.join(f'     - {cell}\n' for cell in cells))


def test_json_keeps_every_sample(tmp_path):
    kept = result(note='n', cpu={US: figure([1.0])}, longest={US: (0.5, 'hget')})
    report.save(tmp_path / 'r.json', {'date': 'd'}, {'operations': [kept]})
    on, groups = report.load(tmp_path / 'r.json')
    assert on == {'date': 'd'}
    assert groups == {'operations': [kept]}


def test_samples_are_of_one_operation_and_the_longest_command_is_the_median_rounds():
    work = next(each for each in works(dataset(), SIZES['tiny']) if each.per == 200 or each.per > 1)
    samples = [(2.0, 1.0, 0.004, 'b'), (1.0, 1.0, 0.001, 'a'), (3.0, 1.0, 0.009, 'c')]
    found = summed_up(work, {US: samples})
    assert found.figures[US].median == 2000 / work.per
    assert found.cpu[US].median == 1000 / work.per
    assert found.longest == {US: (4.0, 'b')}


def dataset():
    rows = [['a', 1], ['a', 2], ['a', 1], ['b', 1], ['b', None]]
    kinds = {'letter': 'str', 'count': 'int'}
    return Dataset('letters', kinds, ['letter', 'count'], ['letter'], 'letter', rows)


def test_a_query_finds_what_is_nearest_with_the_fewest_filters():
    assert dataset().query(3) == ({'letter': 'a'}, 3)
    assert dataset().query(3, fewest=2) == ({'letter': 'a', 'count': 1}, 2)
    assert dataset().query(1) == ({'count': 2}, 1)


def test_queries_do_not_look_for_nulls():
    assert dataset().query(1, fewest=2)[0] != {'letter': 'b', 'count': None}


def test_rows_come_back_from_their_file(tmp_path):
    assert load(str(dataset().write(tmp_path / 'rows.json'))) == dataset()


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
    keeps_nulls = True

    def __init__(self, name, answer):
        self.name, self.answer = name, answer

    def can(self, work):
        return True

    def ask(self, *command):
        return self.answer


def test_a_different_answer_stops_the_run():
    work = works(dataset(), SIZES['tiny'])[0]
    check(work, [Answering(US, [['a']]), Answering(OLD, [['a']])])
    with pytest.raises(SystemExit, match=r'get\(pk\): 6\.0\.3 answers otherwise than IndexedRedis'):
        check(work, [Answering(US, [['a']]), Answering(OLD, [['b']])])


def test_no_work_is_measured_without_an_aim_or_a_name_of_its_own():
    found = works(dataset(), SIZES['full'])
    assert all(each.aims for each in found)


def test_the_pages_are_what_the_figures_beside_them_give():
    for name, text in report.pages(*report.load(MEASURED)).items():
        assert (MEASURED.parent / name).read_text('utf-8') == text, f'{name}: make it anew'


def test_the_chart_shows_every_operation():
    chart = ElementTree.parse(ROOT / 'docs' / '_static' / 'performance.svg')
    _, groups = report.load(MEASURED)
    assert chart.getroot().tag == '{http://www.w3.org/2000/svg}svg'
    comments = (ROOT / 'docs' / '_static' / 'performance.svg').read_text('utf-8')
    assert all(f'<!-- {each.work} -->' in comments for each in groups['operations'])
