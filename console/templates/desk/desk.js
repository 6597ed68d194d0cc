// Follows what happens, and closes the page when nobody is there. Every page works without it.
(() => {
  'use strict';
  const IDLE = Number(document.body.dataset.idle) * 1000, NOTED = Math.min(60 * 1000, IDLE / 3), SILENT = 25 * 1000;
  let used = Date.now(), noted = used;

  const here = () => {
    used = Date.now();
    if (used - noted < NOTED) return;
    noted = used;
    fetch('/here', { method: 'POST' }).catch(() => {});
  };
  for (const sign of ['pointerdown', 'keydown', 'wheel', 'touchmove']) addEventListener(sign, here, { passive: true });
  const leave = () => location.replace('/locked');
  setInterval(() => { if (Date.now() - used > IDLE) leave(); }, 5000);

  if (!document.body.dataset.live) return;
  let heard = Date.now(), asking = false, again = false;
  const silent = document.getElementById('silent'), since = document.getElementById('since');

  const hears = () => { heard = Date.now(); silent.hidden = true; };
  setInterval(() => {
    if (Date.now() - heard < SILENT || !silent.hidden) return;
    since.textContent = new Date(heard).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
    silent.hidden = false;
  }, 2000);

  // What somebody is typing, or has opened, stays as it is.
  const busy = (main) => main.contains(document.activeElement) && document.activeElement.matches('input:not(#sound), textarea, select')
    || [...main.querySelectorAll('textarea, input[type=text]')].some((field) => field.value !== field.defaultValue)
    || [...main.querySelectorAll('input[type=radio]')].some((choice) => choice.checked !== choice.defaultChecked);
  // Whoever is at a link, a fold or a button by key stays there when the page is drawn anew: it is known by what it says and does.
  const named = (part) => [part.localName, part.id, part.getAttribute('href'), part.name, part.value, part.form?.getAttribute('action'), part.parentElement?.id, part.textContent].join('\n');
  const alike = (main, name) => [...main.querySelectorAll('a[href],button,summary,input,[tabindex]')].filter((part) => named(part) === name);
  // What has come since the page was opened is told in words, also where somebody is typing and the page stays as it is.
  const news = document.getElementById('news');
  const waits = (page) => new Map([...page.querySelectorAll('[data-news]')].map((one) => [one.dataset.of, one.dataset.news]));
  const before = new Set(waits(document).keys());
  const tell = (page) => {
    const fresh = [...waits(page)].filter(([of]) => !before.has(of));
    // Each once: what was told is not read again with the next, nor when another is answered.
    fresh.forEach(([of]) => before.add(of));
    if (!fresh.length) return;
    news.textContent = fresh.map(([, said]) => said).join(' ');
    ring();
  };
  const show = (text) => {
    const main = document.getElementById('main'), page = new DOMParser().parseFromString(text, 'text/html');
    tell(page);
    const fresh = page.getElementById('main'), tabs = page.querySelector('nav'), nav = document.querySelector('nav');
    if (!fresh || busy(main)) return;
    const open = [...main.querySelectorAll('details[open][id]')].map((part) => part.id);
    const at = main.contains(document.activeElement) && document.activeElement !== main ? document.activeElement : null;
    const kept = at && { of: named(at), nth: alike(main, named(at)).indexOf(at) };
    main.replaceChildren(...fresh.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute('open', '');
    if (kept) alike(main, kept.of)[kept.nth]?.focus({ preventScroll: true });
    if (tabs && nav && nav.innerHTML !== tabs.innerHTML) nav.replaceChildren(...tabs.childNodes);
  };
  // A sound with each of these: off until somebody here wants it.
  let audio;
  const sound = () => {
    const box = document.getElementById('sound');
    if (!box) return;
    document.getElementById('sounds').hidden = false;
    box.checked = Boolean(audio);
    box.onchange = () => { audio = box.checked ? new AudioContext() : undefined; };
  };
  const ring = () => {
    if (!audio) return;
    const tone = audio.createOscillator(), quiet = audio.createGain();
    tone.frequency.value = 660;
    quiet.gain.setValueAtTime(0.15, audio.currentTime);
    quiet.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.6);
    tone.connect(quiet).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.6);
  };
  sound();
  const look = async () => {
    if (asking) { again = true; return; }
    asking = true;
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { 'X-Desk-Follows': 'yes' } });
      if (answer.redirected) { leave(); return; }
      if (answer.ok) { hears(); show(await answer.text()); sound(); }
    } catch { /* The silence is told above. */ }
    asking = false;
    if (again) { again = false; look(); }
  };

  // A browser asks again by itself while nobody answers, and gives up where it is told no: the page looks then, and asks again later.
  const follow = () => {
    const source = new EventSource('/live');
    source.addEventListener('still', hears);
    source.addEventListener('changed', () => { hears(); look(); });
    source.addEventListener('over', leave);
    source.addEventListener('open', () => { hears(); look(); });
    source.addEventListener('error', () => {
      if (source.readyState !== EventSource.CLOSED) return;
      look();
      setTimeout(follow, 10 * 1000);
    });
  };
  follow();
})();

// The editor: line numbers, and what is wrong with the text while it is typed. Without it the page says the same when it is sent.
(() => {
  'use strict';
  const form = document.getElementById('edit');
  if (!form) return;
  const text = form.elements.text, lines = document.getElementById('lines'), list = document.getElementById('troubles');
  const found = document.getElementById('found'), under = document.getElementById('under'), PAUSE = 500;
  let waits, asked = 0;

  const number = () => {
    const wrong = new Map([...list.querySelectorAll('[data-line]')].map((one) => [one.dataset.line, one.className]));
    const count = text.value.split('\n').length;
    lines.replaceChildren(...Array.from({ length: count }, (_, at) => {
      const line = document.createElement('span');
      line.textContent = `${at + 1}\n`;
      line.className = wrong.get(String(at + 1)) || '';
      return line;
    }));
    lines.scrollTop = text.scrollTop;
  };
  // What is wrong with the line that somebody is at stands under the text, and never over it.
  const here = () => {
    const line = text.value.slice(0, text.selectionStart).split('\n').length;
    const wrong = list.querySelector(`[data-line="${line}"]`);
    const said = wrong ? `Line ${line}: ${wrong.querySelector('.said').textContent}` : '';
    if (under.textContent !== said) under.textContent = said;
    under.hidden = !said;
    under.className = `under ${wrong ? wrong.className : ''}`;
  };
  const check = async () => {
    const turn = ++asked, body = new URLSearchParams({ text: text.value, was: form.elements.was.value, step: 'check' });
    try {
      const answer = await fetch(form.action, { method: 'POST', body });
      if (!answer.ok || turn !== asked || answer.redirected) return;
      const page = new DOMParser().parseFromString(`<ul>${await answer.text()}</ul>`, 'text/html');
      list.replaceChildren(...page.querySelectorAll('li'));
      const count = list.children.length;
      found.textContent = !count ? 'Nothing to put right' : count === 1 ? 'One line to look at' : `${count} lines to look at`;
      text.setAttribute('aria-invalid', String(count > 0));
      number();
      here();
    } catch { /* The form still says it when it is sent. */ }
  };
  text.addEventListener('input', () => { number(); clearTimeout(waits); waits = setTimeout(check, PAUSE); });
  text.addEventListener('scroll', () => { lines.scrollTop = text.scrollTop; });
  // A click on a problem leads to its line.
  list.addEventListener('click', (event) => {
    const at = Number(event.target.closest('[data-line]')?.dataset.line);
    if (!at) return;
    event.preventDefault();
    const start = text.value.split('\n').slice(0, at - 1).join('\n').length + (at > 1 ? 1 : 0);
    text.focus();
    text.setSelectionRange(start, start);
    text.scrollTop = Math.max(0, (at - 6)) * parseFloat(getComputedStyle(text).lineHeight);
    here();
  });
  for (const moved of ['keyup', 'click', 'focus']) text.addEventListener(moved, here);
  number();
})();
