//! What a page must be, whoever it is for: nothing goes past its edge, what is touched is large enough, axe-core finds nothing
//! serious, and it reads from the other side as well.

use crate::driver::Window;
use crate::world::missing;
use serde_json::json;
use std::sync::OnceLock;

/// The widths that every page fits into: a small phone, a tablet, a screen.
const WIDTHS: [u32; 3] = [320, 768, 1280];

/// How a reader's system is set, and how wide the window is meanwhile.
const LOOKS: [(u32, &[(&str, &str)]); 3] = [
    (1280, &[("prefers-color-scheme", "light")]),
    (320, &[("prefers-color-scheme", "dark")]),
    (768, &[("prefers-contrast", "more")]),
];

/// Parts of a page that reach past its right edge.
const PAST_THE_EDGE: &str = "document.documentElement.scrollWidth > document.documentElement.clientWidth ? [...document.body.querySelectorAll('*')].filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1).slice(0, 5).map(e => e.outerHTML.slice(0, 120)).concat('scrolls') : []";

/// What is touched and is smaller than 24 by 24 (WCAG 2.2 §2.5.8): a link in a sentence may be, and a link alone where nothing
/// else is near. A box to tick is as large as its label.
const TOO_SMALL: &str = r"(() => {
  const shown = (e) => { const r = e.getBoundingClientRect(); return e.checkVisibility({visibilityProperty: true}) && r.width > 1 && r.height > 1; };
  const box = (e) => (e.matches('[type=radio],[type=checkbox]') && e.closest('label') || e).getBoundingClientRect();
  const all = [...document.querySelectorAll('a[href],button,input:not([type=hidden]),select,textarea,summary,label')]
    .filter((e) => shown(e) && (e.localName !== 'label' || e.control && !shown(e.control)));
  const small = (r) => r.width < 24 || r.height < 24;
  const middle = (r) => [r.x + r.width / 2, r.y + r.height / 2];
  const said = (e) => e.localName === 'a' && getComputedStyle(e).display === 'inline'
    && [...e.parentNode.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
  const crowded = (e) => { const [x, y] = middle(box(e)); return all.some((o) => {
    if (o === e || o.contains(e) || e.contains(o)) return false;
    const r = box(o), dx = Math.max(r.left - x, 0, x - r.right), dy = Math.max(r.top - y, 0, y - r.bottom), [ox, oy] = middle(r);
    return dx * dx + dy * dy < 144 || small(r) && (ox - x) ** 2 + (oy - y) ** 2 < 576; }); };
  return all.filter((e) => small(box(e)) && !said(e) && (e.localName !== 'a' || crowded(e)))
    .map((e) => e.outerHTML.slice(0, 120) + ' ' + Math.round(box(e).width) + 'x' + Math.round(box(e).height));
})()";

/// Headings that are shown, main parts, whether the language is one of ours, fields without a label, header cells without a scope, cells
/// that on a narrow screen stand under each other and do not say which column they are of.
const PARTS: &str = "[[...document.querySelectorAll('h1')].filter(e => e.offsetParent).length, document.querySelectorAll('main').length, ['en-GB', 'cy'].includes(document.documentElement.lang), [...document.querySelectorAll('input:not([type=hidden]),select,textarea')].filter(e => !e.labels.length && !e.ariaLabel).length, [...document.querySelectorAll('th')].filter(e => !e.scope).length, [...document.querySelectorAll('.wide tbody tr')].filter(row => row.cells.length > 1).flatMap(row => [...row.cells]).filter(e => e.localName === 'td' && e.closest('table').tHead && e.dataset.of !== e.closest('table').tHead.rows[0].cells[e.cellIndex].textContent).length]";

/// No width of a window: no picture is kept.
pub(super) const NO_PICTURE: u32 = 0;

/// Looks at what a window shows in every width and look, and keeps a picture of it in the width that it is made for.
pub(super) fn looks_well(window: &Window<'_>, name: &str, made_for: u32) {
    for width in WIDTHS {
        window.width(width);
        fits(window, &format!("{name} at {width}"));
        if width == made_for {
            window.keep(name);
        }
    }
    assert_eq!(
        window.value(PARTS),
        json!([1, 1, true, 0, 0, 0]),
        "{name}: headings, main parts, language, fields without a label, headers without a scope, cells without their column"
    );
    accessible(window, name);
}

fn fits(window: &Window<'_>, name: &str) {
    assert_eq!(window.value(PAST_THE_EDGE), json!([]), "{name} goes past its edge");
    assert_eq!(window.value(TOO_SMALL), json!([]), "{name} has something too small to touch");
}

/// The page read from right to left: its rows begin at the right, and it still fits.
pub(super) fn reads_from_the_right(window: &Window<'_>, name: &str) {
    window.run("document.documentElement.dir = 'rtl'; for (const one of document.querySelectorAll('.voice')) one.dir = 'rtl';");
    for width in [320, 768] {
        window.width(width);
        fits(window, &format!("{name} from the right at {width}"));
    }
    let rows = window.value(
        "[...document.querySelectorAll('nav ul,footer ul,.choices')].filter(e => e.offsetParent).map(list => { const at = [...list.children].map(e => e.getBoundingClientRect()); return at.every((r, i) => !i || at[i - 1].top !== r.top || at[i - 1].left > r.left) && Math.abs(list.getBoundingClientRect().right - at[0].right) < 2; })",
    );
    assert!(
        rows.as_array().is_some_and(|rows| !rows.is_empty() && rows.iter().all(|row| *row == true)),
        "{name}: {rows}"
    );
    let text = window.value("(() => { const h = [...document.querySelectorAll('h1')].find(e => e.offsetParent), r = document.createRange(); r.selectNodeContents(h); return Math.round(h.getBoundingClientRect().right - r.getBoundingClientRect().right); })()");
    assert_eq!(text, json!(0), "{name}: the heading begins at the right");
}

/// axe-core (`./test` fetches it); none where somebody said that it may be missing.
fn axe() -> Option<&'static str> {
    static AXE: OnceLock<Option<String>> = OnceLock::new();
    AXE.get_or_init(|| {
        let path = std::env::var_os("HEARTHGATE_AXE");
        let script = path.and_then(|path| std::fs::read_to_string(path).ok());
        if script.is_none() {
            missing("axe-core (HEARTHGATE_AXE, which ./test sets)");
        }
        script
    })
    .as_deref()
}

/// axe-core finds nothing serious in any look.
pub(super) fn accessible(window: &Window<'_>, name: &str) {
    let Some(script) = axe() else { return };
    window.run(script);
    for (width, look) in LOOKS {
        window.width(width);
        window.wants(look);
        let found = window.run_async(
            "const done = arguments[arguments.length - 1]; axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations.filter(v => ['serious', 'critical'].includes(v.impact)).map(v => [v.id, v.nodes.map(n => n.html + ' ' + n.failureSummary)])), e => done(String(e)));",
        );
        assert_eq!(found, json!([]), "{name}, {look:?}");
    }
    window.wants(&[]);
}
