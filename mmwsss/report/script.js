'use strict';
(() => {
  const byId = (name) => document.getElementById(name);
  const panels = [...document.querySelectorAll('.panel')];
  if (!panels.length) return;
  const classFilter = byId('class-filter');
  const reasonFilter = byId('reason-filter');
  const sliders = [byId('blend'), byId('viewer-blend')];
  const viewer = byId('viewer');
  let opened = null;

  function applyFilters() {
    for (const panel of panels) {
      const hasClass = !classFilter.value || panel.dataset.classes.split(' ').includes(classFilter.value);
      const hasReason = !reasonFilter.value || panel.dataset.reasons.split(',').includes(reasonFilter.value);
      panel.hidden = !(hasClass && hasReason);
    }
    const count = panels.filter((panel) => !panel.hidden).length;
    byId('shown').textContent = `${count} of ${panels.length} images`;
  }

  function blend(value) {
    document.documentElement.style.setProperty('--blend', value / 100);
    for (const slider of sliders) {
      slider.value = value;
      slider.setAttribute('aria-valuetext', `${value} percent mask`);
    }
  }

  function show(picture) {
    opened = picture;
    const image = picture.querySelector('img');
    const copy = document.createElement('div');
    copy.className = picture.className;
    copy.style.setProperty('--image', picture.closest('.panel').style.getPropertyValue('--image'));
    copy.style.setProperty('--ratio', image.getAttribute('width') / image.getAttribute('height'));
    copy.append(image.cloneNode());
    byId('viewer-picture').replaceChildren(copy);
    byId('viewer-title').textContent = image.alt;
    if (!viewer.open) viewer.showModal();
  }

  function move(steps) {
    const pictures = panels.filter((panel) => !panel.hidden)
      .flatMap((panel) => [...panel.querySelectorAll('.picture')]);
    show(pictures[(pictures.indexOf(opened) + steps + pictures.length) % pictures.length]);
  }

  classFilter.addEventListener('change', applyFilters);
  reasonFilter.addEventListener('change', applyFilters);
  for (const slider of sliders) slider.addEventListener('input', () => blend(slider.value));
  for (const panel of panels) {
    for (const picture of panel.querySelectorAll('.picture')) {
      picture.addEventListener('click', () => show(picture));
    }
  }
  byId('viewer-previous').addEventListener('click', () => move(-1));
  byId('viewer-next').addEventListener('click', () => move(1));
  byId('viewer-close').addEventListener('click', () => viewer.close());
  viewer.addEventListener('close', () => opened.focus());
  viewer.addEventListener('keydown', (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (steps === undefined || event.target.type === 'range') return;
    event.preventDefault();
    move(steps);
  });
  applyFilters();
  blend(sliders[0].value);
})();
