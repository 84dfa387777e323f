"""The pages in a real browser, used as a person does. The rule: no other host is asked, no script
of a value runs, and no page is wider than its window.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.browser import DESKTOP, PHONE, complaints, overflow, requested_hosts, resize

from admin.serving import served
from admin.shop import COLORS, Artist, Color, Track
from IndexedRedis import IndexedRedisModel, IRField, Q

pytestmark = pytest.mark.browser
# Where to put pictures of the pages, for people to look at; nowhere, if it is not set.
PICTURES = os.environ.get('ADMIN_PICTURES')


class Person:
    """Somebody in front of a browser, who sees when something on a page is wrong."""

    def __init__(self, driver, address):
        self.driver, self.address = driver, address
        self.open('/')

    def open(self, path):
        self.driver.get(self.address + path)
        self.look()

    def look(self):
        """Wait for the page; nothing of it may be broken."""
        self.until(lambda: self.driver.execute_script('return document.readyState') == 'complete')
        assert self.driver.execute_script('return window.hacked') is None
        assert overflow(self.driver) == 0

    def until(self, condition):
        from selenium.common.exceptions import StaleElementReferenceException as Stale
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, 30, 0.05, [Stale]).until(lambda driver: condition())

    def find(self, css):
        return self.until(lambda: self.driver.find_elements('css selector', css))[0]

    def click(self, text, within='body'):
        """Click the link or button with this text; wait for another page if it leads there."""
        xpath = f'.//*[self::a or self::button][normalize-space()="{text}"]'
        self.find(within).find_element('xpath', xpath).click()

    def go(self, text, within='body'):
        """Click what leads to another page."""
        before = self.find('html')
        self.click(text, within)
        self.until(lambda: self._is_gone(before))
        self.look()

    def _is_gone(self, element):
        from selenium.common.exceptions import StaleElementReferenceException

        try:
            return not element.is_enabled()
        except StaleElementReferenceException:
            return True

    def choose(self, css, value):
        from selenium.webdriver.support.ui import Select

        Select(self.find(css)).select_by_value(value)

    def type(self, css, text):
        field = self.find(css)
        field.clear()
        field.send_keys(text)

    @property
    def text(self):
        return self.find('body').text

    def rows(self):
        """The pks of the rows of a list."""
        found = self.driver.find_elements('css selector', 'tr[data-sa-pk]')
        return [int(row.get_attribute('data-sa-pk')) for row in found]

    def picture(self, name):
        if PICTURES:
            self.driver.save_screenshot(str(Path(PICTURES) / f'{name}.png'))


@pytest.fixture
def person(chromium, serve):
    """`person(readOnly=False)`: somebody who looks at the shop's pages. At the end nothing may have
    been asked of another host, and the console must be empty."""
    yield lambda **how: Person(chromium, serve(**how))
    chromium.get('about:blank')
    assert requested_hosts(chromium) == {'127.0.0.1'}
    # A refused form is an answer with status 422, which the console mentions.
    assert [each for each in complaints(chromium) if 'status of 422' not in each] == []


def test_browse_search_sort_and_follow_links(person):
    someone = person()
    someone.go('Track', '[data-ir-model="Track"]')
    assert someone.rows() == [*range(1, 21)]
    someone.picture('list')
    someone.go('2', '.pagination')
    assert someone.rows() == [*range(21, 41)]
    someone.go('seconds', 'thead')
    someone.go('seconds', 'thead')
    assert someone.rows() == Track.objects.orderBy('-seconds').limit(20).getPrimaryKeys()
    someone.type('input[name=q]', 'Jazz')
    someone.go('', '.input-group')
    wanted = Track.objects.filter(genre='Jazz').orderBy('-seconds').getPrimaryKeys()
    assert someone.rows() == wanted
    someone.go(str(wanted[3]), f'tr[data-sa-pk="{wanted[3]}"]')
    track = Track.objects.get(wanted[3])
    assert track.name in someone.text and 'two\nlines' in someone.text
    someone.go(track.artist.name == 'Ella' and str(track.artist.getPk()), '#tableContent')
    assert 'Ella' in someone.text
    someone.go('Track by artist')
    someone.until(lambda: someone.rows())
    assert someone.rows() == Track.objects.filter(artist=2).limit(20).getPrimaryKeys()


def test_filters_are_built_by_clicking(person):
    someone = person()
    someone.open('/Track/list')
    someone.click('Filters')
    for number, (name, lookup, value) in enumerate(
        (('genre', 'eq', 'Pop'), ('seconds', 'gte', '130'))
    ):
        row = f'#filter-rows > :nth-child({number + 1}) .filter-row'
        someone.choose(f'{row}-field', name)
        someone.choose(f'{row}-op', lookup)
        someone.type(f'{row}-value', value)
        someone.click('Add filter')
    someone.picture('filters')
    someone.go('Apply filters')
    wanted = Track.objects.filter(Q(genre='Pop', seconds__gte=130)).getPrimaryKeys(sortByAge=True)
    assert someone.rows() == wanted
    someone.go('Explain')
    assert 'genre = Pop and seconds >= 130' in someone.find('#ir-explanation').text


def test_edit_with_an_error_and_null(person):
    someone = person(readOnly=False)
    someone.open('/Track/detail?pk=4')
    someone.picture('detail')
    someone.go('Edit')
    someone.picture('edit')
    someone.type('#seconds', 'many')
    someone.type('#note', 'three\nmore\nlines')
    someone.go('Save')
    assert 'many' in someone.find('#seconds-error').text
    someone.picture('error')
    someone.type('#seconds', '77')
    someone.find('[name="genre.null"]').click()
    someone.go('Save')
    assert 'was changed successfully' in someone.text
    track = Track.objects.get(4)
    assert (track.seconds, track.note) == (77, 'three\nmore\nlines')
    assert [each.getPk() for each in Track.objects.filter(genre=None)] == [2, 4]
    someone.open('/Track/edit?pk=2')
    someone.find('#name')
    assert someone.find('[name="genre.null"]').is_selected()
    someone.type('#genre', 'Folk')
    assert not someone.find('[name="genre.null"]').is_selected(), 'typing takes the tick away'
    someone.go('Save')
    assert Track.objects.get(2).genre == 'Folk'


def test_create_and_delete(person):
    someone = person(readOnly=False)
    someone.open('/Artist/list')
    someone.go('New Artist')
    someone.type('#name', 'Nina')
    someone.type('#born', '1933')
    someone.go('Save')
    (nina,) = Artist.objects.filter(name='Nina', born__gte=1933)
    someone.open(f'/Artist/detail?pk={nina.getPk()}')
    someone.click('Delete')
    someone.until(lambda: someone.find('.modal.show').is_displayed())
    someone.picture('delete')
    someone.until(lambda: someone.find('.modal.show .btn-danger').is_enabled())
    someone.click('Yes, delete', '.modal.show')
    someone.until(lambda: not Artist.objects.exists(nina.getPk()))


def test_the_dashboard_measures_checks_and_explains(person):
    someone = person()
    someone.go('Dashboard', '[data-ir-model="Track"]')
    someone.until(lambda: someone.find('[data-ir-index="genre"]').is_displayed())
    someone.picture('dashboard')
    someone.go('Check now')
    someone.until(lambda: 'nothing found' in someone.find('#ir-check').text)
    someone.picture('checked')
    someone.go('Explain a query')
    someone.type('#lines', 'genre=Rock')
    someone.go('Explain', 'form.card')
    assert 'genre = Rock' in someone.find('#ir-explanation').text


GROUND = 'return getComputedStyle(document.body).backgroundColor'


def test_the_pages_follow_the_theme_of_the_system(person):
    someone = person()
    grounds = {}
    for theme in ('dark', 'light', ''):  # at last that of the machine
        media = [{'name': 'prefers-color-scheme', 'value': theme}]
        someone.driver.execute_cdp_cmd('Emulation.setEmulatedMedia', {'features': media})
        someone.open('/Track/list')
        grounds[theme] = someone.driver.execute_script(GROUND)
    assert grounds['dark'] != grounds['light']


def test_the_login_page(person):
    token = 'a token of 24 characters'
    someone = person(readOnly=False, token=token)
    assert 'Track' not in someone.text
    someone.picture('login')
    someone.type('#token', token)
    someone.go('Sign in')
    assert 'Track' in someone.text
    someone.open('/Artist/edit?pk=1')
    someone.type('#name', 'ABBA')
    someone.go('Save')
    assert Artist.objects.get(1).name == 'ABBA'
    someone.go('Sign out')
    someone.open('/Artist/list')
    assert 'ABBA' not in someone.text


PAGES = {
    'overview': '/',
    'list': '/Track/list',
    'detail': '/Track/detail?pk=1',
    'edit': '/Track/edit?pk=1',
    'create': '/Track/create',
    'dashboard': '/-/Track/dashboard',
    'explain': '/-/Track/explain?q=Rock',
    'artist': '/Artist/detail?pk=3',
}


@pytest.mark.parametrize('size', [DESKTOP, PHONE], ids=['desktop', 'phone'])
def test_hostile_values_run_nowhere_and_all_fits(person, size):
    someone = person(readOnly=False)
    resize(someone.driver, *size)
    for name, path in PAGES.items():
        someone.open(path)
        if name == 'dashboard':
            someone.until(lambda: someone.find('[data-ir-index="genre"]').is_displayed())
            someone.look()
        someone.picture(f'{name}-{size[0]}')


class Slow(IndexedRedisModel):
    """Mirrored slowly."""

    FIELDS = [IRField('name')]
    KEY_NAME = 'AdminSlow'


class SlowMirror:
    """Two thousand rows, read as the test lets them be."""

    models = [Slow]

    def __init__(self):
        self.allowed = 0

    def status(self):
        return None

    def run(self, dryRun, progress):
        import time

        for done in range(0, 2001, 500):
            while self.allowed < done:
                time.sleep(0.01)
            progress('Slow', done, 2000)
        Slow.reset([Slow(name='there')])
        return 'the report'

    @contextmanager
    def ends(self):
        try:
            yield
        finally:
            self.allowed = 2000


def test_a_mirror_runs_while_the_page_shows_how_far_it_is(chromium, watch_models, redis_params):
    watch_models(Slow)
    mirror = SlowMirror()
    with served([Slow], {'slow': mirror}, readOnly=False) as address, mirror.ends():
        someone = Person(chromium, address)
        someone.go('Mirrors', '#sidebar-menu')
        someone.go('Run now')
        for done in (500, 1500):
            mirror.allowed = done
            shown = f'{done:,} ({done // 20}%)'
            someone.until(lambda wanted=shown: wanted in someone.find('[data-ir-mirror]').text)
        someone.picture('mirror')
        mirror.allowed = 2000
        someone.until(lambda: 'the report' in someone.find('[data-ir-mirror]').text)
        assert Slow.objects.count() == 1
        resize(chromium, *PHONE)
        someone.open('/-/mirrors')
        someone.picture('mirror-390')


def test_a_follower_while_the_page_is_open(chromium, followed):
    with served([Color], {'the colors': followed.mirror}) as address:
        someone = Person(chromium, address)
        someone.go('Mirrors', '#sidebar-menu')
        assert 'a process follows' in someone.text
        button = someone.find('button[value="dry"]')
        with followed.engine.begin() as sql:
            sql.execute(COLORS.insert(), [{'name': f'shade {number}'} for number in range(1500)])
        someone.until(lambda: '1,500 rows' in someone.text and '1,503' in someone.text)
        someone.picture('follower')
        assert button.is_enabled(), 'what somebody is about to press stays'
        followed.stop()
        someone.until(lambda: 'no process follows' in someone.text)
        someone.go('Dry run')
        someone.until(lambda: 'dry run, nothing written' in someone.text)
        assert Color.objects.count() == 1503
        resize(chromium, *PHONE)
        someone.open('/-/mirrors')
        someone.picture('follower-390')
