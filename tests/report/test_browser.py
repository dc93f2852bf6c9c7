"""The report in a real browser; skipped where there is no Chromium."""

import json

import pytest

from mmwsss.report import write_report

SHOWN = "[...document.querySelectorAll('.panel')].filter((panel) => panel.checkVisibility()).length"
BLEND = "getComputedStyle(document.querySelector('.picture.mask img')).opacity"
VIEWER = "document.getElementById('viewer').open"
TITLE = "document.getElementById('viewer-title').textContent"
# Smallest ratio of contrast (WCAG 2) of a text to the nearest opaque color behind it.
CONTRAST = """(() => {
  const luminance = (color) => color.match(/[\\d.]+/g).slice(0, 3).map(Number)
    .map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const ground = (element) => {
    const color = getComputedStyle(element).backgroundColor;
    return color !== 'rgba(0, 0, 0, 0)' || !element.parentElement ? color : ground(element.parentElement);
  };
  const texts = [...document.querySelectorAll('body *')].filter((element) => element.checkVisibility()
    && [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim()));
  return Math.min(...texts.map((element) => {
    const levels = [luminance(getComputedStyle(element).color), luminance(ground(element))];
    return (Math.max(...levels) + 0.05) / (Math.min(...levels) + 0.05);
  }));
})()"""


@pytest.fixture
def opened(browser, run):
    path = write_report(run.run_dir, run.stages, run.results)

    def open_page(width=1280):
        browser.open(path, width)
        return browser

    return open_page


def test_renders_without_errors_or_requests(opened):
    page = opened()
    decoded = 'Promise.all([...document.images].map((image) => image.decode())).then((all) => all.length)'
    assert page.evaluate(decoded) > 20
    assert page.evaluate(SHOWN) == 8
    assert page.problems == []


def test_filters_by_class_and_reason_with_the_keyboard(opened):
    page = opened()
    page.evaluate("document.getElementById('class-filter').focus()")
    page.press('ArrowDown')
    assert page.evaluate(SHOWN) == 2
    assert page.evaluate("document.getElementById('shown').textContent") == '2 of 8 images'
    page.evaluate("document.getElementById('reason-filter').focus()")
    page.press('ArrowDown')
    page.press('ArrowDown')
    assert page.evaluate("document.getElementById('reason-filter').value") == 'best'
    assert page.evaluate(SHOWN) < 2
    assert page.problems == []


def test_the_slider_blends(opened):
    page = opened()
    assert page.evaluate(BLEND) == '0.5'
    page.evaluate("document.getElementById('blend').focus()")
    page.press('ArrowRight')
    assert page.evaluate(BLEND) == '0.55'
    assert page.evaluate("document.getElementById('blend').ariaValueText") == '55 percent mask'


def test_pictures_are_enlarged_and_paged_with_the_keyboard(opened):
    page = opened()
    page.evaluate("document.querySelector('.picture').focus()")
    page.press('Enter')
    assert page.evaluate(VIEWER)
    first = page.evaluate(TITLE)
    assert first.startswith('image of ')
    page.press('ArrowRight')
    assert page.evaluate(TITLE) == first.replace('image', 'CAM')
    page.press('ArrowLeft')
    assert page.evaluate(TITLE) == first
    page.press('Escape')
    assert not page.evaluate(VIEWER)
    assert page.evaluate("document.activeElement.classList.contains('picture')")


@pytest.mark.parametrize('width', [390, 1280])
def test_nothing_is_wider_than_the_screen(opened, width):
    page = opened(width)
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    columns = "getComputedStyle(document.querySelector('.tiles')).gridTemplateColumns.split(' ').length"
    assert (page.evaluate(columns) == 2) == (width == 390)


def test_readable_by_a_screen_reader(opened):
    page = opened()
    nodes = page.send('Accessibility.getFullAXTree')['nodes']
    roles = {}
    for node in nodes:
        if not node['ignored']:
            name = node.get('name', {}).get('value', '')
            roles.setdefault(node['role']['value'], []).append(name)
    for role in ('image', 'button', 'slider', 'combobox', 'link', 'heading', 'navigation', 'region'):
        assert roles.get(role) and all(roles[role]), (role, json.dumps(roles.get(role)))
    assert page.evaluate('document.documentElement.lang') == 'en'
    assert page.evaluate(CONTRAST) >= 4.5
