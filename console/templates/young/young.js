// Counts down. The page says the same without it, as of the moment when it was loaded.
(() => {
  'use strict';
  const count = document.querySelector('[data-until]');
  if (!count) return;
  const { until, said, hours, minutes, less } = count.dataset;
  const length = (all) => {
    const h = Math.floor(all / 60), m = all % 60;
    if (all < 1) return less;
    return [h && hours.replace('{n}', h), m && minutes.replace('{n}', m)].filter(Boolean).join(' ');
  };
  // The gateway's clock is the one that counts: how far the device's is off stays the same.
  const begun = Date.now(), shown = Number(count.dataset.now) * 1000 || begun;
  // What is said shortly before the end comes with the page.
  let next = [15, 5].find((minutes) => Number(until) * 1000 - shown > minutes * 60000);
  const tick = () => {
    const left = Number(until) * 1000 - (shown + Date.now() - begun);
    if (next && left <= next * 60000) { next = 0; location.reload(); return; }
    if (left <= 0) { location.reload(); return; }
    count.textContent = said.replace('{length}', length(Math.floor(left / 60000)));
  };
  setInterval(tick, 15000);
})();
