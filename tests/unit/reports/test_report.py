"""CheckReport. The rule: it counts each finding once, and a person can read it."""

from __future__ import annotations

import json

import pytest

from IndexedRedis._core.integrity.report import SENTENCES, CheckReport, Finding

K = b'_ir_|Song:'
STALE = Finding('entry_stale', K + b'idx:artist:Queen', b'1', 'artist', b'Abba')
GONE = Finding('row_missing', K + b'keys', b'7')


@pytest.fixture
def report():
    report = CheckReport('Song')
    report.objects, report.entries = 1234, 5678
    return report


def test_an_empty_one(report):
    assert report.ok
    assert str(report) == 'Song: 1,234 objects and 5,678 index entries, nothing found'
    assert repr(report) == '<CheckReport Song: ok>'
    assert report.counts['entry_stale'] == report.repaired['entry_stale'] == 0
    assert report.asDict() == {
        **{'model': 'Song', 'ok': True, 'objects': 1234, 'entries': 5678},
        **{
            'counts': {},
            'examples': {},
            'repaired': {},
            'warnings': [],
            'dangling': 0,
            'danglingExamples': [],
        },
    }


def test_findings_are_counted_once(report):
    for finding in (STALE, GONE, STALE, STALE._replace(value=b'x')):
        report.note(finding)
    assert not report.ok
    assert report.counts == {'entry_stale': 1, 'row_missing': 1}
    assert repr(report) == '<CheckReport Song: 2 found>'
    assert str(report) == (
        'Song: 1,234 objects and 5,678 index entries, 2 found\n'
        '  row_missing: 1\n'
        '    pk 7 is listed in _ir_|Song:keys, but has no hash\n'
        '  entry_stale: 1\n'
        "    _ir_|Song:idx:artist:Queen lists pk 1, whose artist is stored as 'Abba'"
    )


def test_it_is_ok_once_all_is_repaired(report):
    report.note(STALE)
    report.note(GONE)
    report.note_repaired(STALE)
    report.note_repaired(STALE)
    assert not report.ok
    assert repr(report) == '<CheckReport Song: 2 found, 1 repaired>'
    assert '  entry_stale: 1, 1 repaired\n' in str(report)
    assert '  row_missing: 1, 0 repaired\n' in str(report)
    report.note_repaired(GONE)
    assert report.ok
    assert repr(report) == '<CheckReport Song: ok, 2 repaired>'


def test_ten_examples_of_each_kind(report):
    for pk in range(1, 12_001):
        report.note(GONE._replace(pk=b'%d' % pk))
    report.note(STALE)
    assert report.counts == {'row_missing': 12_000, 'entry_stale': 1}
    assert [len(texts) for texts in report.examples.values()] == [10, 1]
    assert str(report).splitlines()[1] == '  row_missing: 12,000'
    assert str(report).splitlines()[12] == '    and 11,990 more'


@pytest.mark.parametrize('kind', SENTENCES)
def test_each_kind_has_a_sentence_about_its_key(kind):
    text = str(Finding(kind, K + b'x', b'17', 'name', b'text'))
    assert text.startswith(('_ir_|Song:x ', 'pk 17 is listed in _ir_|Song:x,'))


def test_bytes_and_long_texts_are_shown_as_far_as_they_can_be(report):
    report.note(STALE._replace(key=K + b'idx:\xff\xc3\xa9', value=b'\xff' + b'x' * 200))
    (text,) = report.examples['entry_stale']
    assert text.startswith('_ir_|Song:idx:\\xff\u00e9 lists pk 1')
    assert len(text) < 200
    report.note(STALE._replace(value=None))
    assert report.examples['entry_stale'][1].endswith('is stored as nothing')


def test_it_can_be_logged_as_json(report):
    report.note(STALE)
    assert json.loads(json.dumps(report.asDict()))['counts'] == {'entry_stale': 1}
