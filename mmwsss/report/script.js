'use strict';
const panels = [...document.querySelectorAll('.panel')];
const classFilter = document.getElementById('class-filter');
const reasonFilter = document.getElementById('reason-filter');
const blend = document.getElementById('blend');
const shown = document.getElementById('shown');

function applyFilters() {
  let count = 0;
  for (const panel of panels) {
    const hasClass = !classFilter.value || panel.dataset.classes.split(' ').includes(classFilter.value);
    const hasReason = !reasonFilter.value || panel.dataset.reasons.split(',').includes(reasonFilter.value);
    panel.hidden = !(hasClass && hasReason);
    count += panel.hidden ? 0 : 1;
  }
  shown.textContent = `${count} of ${panels.length} photographs`;
}

function applyBlend() {
  document.documentElement.style.setProperty('--blend', blend.value / 100);
  blend.setAttribute('aria-valuetext', `${blend.value} percent mask`);
}

if (panels.length) {
  classFilter.addEventListener('change', applyFilters);
  reasonFilter.addEventListener('change', applyFilters);
  blend.addEventListener('input', applyBlend);
  applyFilters();
  applyBlend();
}
