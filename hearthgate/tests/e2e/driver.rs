//! A real browser: Debian's Chromium, driven through chromedriver's own protocol (W3C WebDriver) with `curl`.

use crate::world::{Process, missing, wait_for};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// chromedriver, on a port of its own choice.
pub(crate) struct Driver {
    _process: Process,
    at: String,
}

impl Driver {
    /// Starts it; none where it is not installed, and somebody said that this may be.
    pub(crate) fn start() -> Option<Self> {
        // It takes a port for IPv6 first and ends if somebody else has that port for IPv4: then another is free.
        let mut said = String::new();
        for _ in 0..5 {
            match Self::once() {
                Ok(driver) => return driver,
                Err(ended) => said = ended,
            }
        }
        panic!("chromedriver says: {said}")
    }

    /// One try: what it said if it ended before it listened.
    fn once() -> Result<Option<Self>, String> {
        let started =
            Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        // Only one that is not there is none: one that does not start is a failure.
        let mut child = match started {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                missing("chromedriver (Debian: apt-get install chromium chromium-driver)");
                return Ok(None);
            }
            started => started.unwrap(),
        };
        let mut said = BufReader::new(child.stdout.take().unwrap());
        let process = Process(child);
        let mut all = String::new();
        while said.read_line(&mut all).unwrap() > 0 {
            let Some(port) = all.split("successfully on port ").nth(1) else { continue };
            let at = format!("http://127.0.0.1:{}", port.trim().trim_end_matches('.'));
            // Whatever it says later is read, so that it never waits for a reader.
            std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
            return Ok(Some(Self { _process: process, at }));
        }
        Err(all)
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut out = Command::new("curl")
            .args(["-sS", "--max-time", "60", "-X", method, "-H", "Content-Type: application/json"])
            .args(if method == "GET" { &[][..] } else { &["--data-binary", "@-"] })
            .arg(format!("{}{path}", self.at))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // A script may be longer than the system takes as an argument.
        let _read = out.stdin.take().unwrap().write_all(body.to_string().as_bytes());
        let out = out.wait_with_output().unwrap();
        let answer: Value = serde_json::from_slice(&out.stdout).unwrap_or_default();
        answer["value"].clone()
    }

    /// A window of a browser with a profile of its own.
    pub(crate) fn window(&self, profile: &Path, more: &[String]) -> Window<'_> {
        let mut args = vec![
            "--headless=new".to_owned(),
            // The tests run as root in a container; the pages are ours.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            // A picture has the whole width.
            "--hide-scrollbars".to_owned(),
            format!("--user-data-dir={}", profile.display()),
        ];
        args.extend_from_slice(more);
        let wanted = json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": args}}}});
        let made = self.ask("POST", "/session", &wanted);
        let id = made["sessionId"].as_str().unwrap_or_else(|| panic!("no browser: {made}")).to_owned();
        Window { driver: self, path: format!("/session/{id}") }
    }
}

/// A window of a browser.
pub(crate) struct Window<'d> {
    driver: &'d Driver,
    path: String,
}

impl Drop for Window<'_> {
    fn drop(&mut self) {
        self.driver.ask("DELETE", &self.path, &json!({}));
    }
}

/// Keys as WebDriver names them (W3C WebDriver §17.4.2).
pub(crate) const TAB: &str = "\u{E004}";
pub(crate) const ENTER: &str = "\u{E007}";

impl Window<'_> {
    fn tell(&self, what: &str, body: &Value) -> Value {
        self.driver.ask("POST", &format!("{}{what}", self.path), body)
    }

    /// Tells the browser itself something (Chrome DevTools Protocol).
    pub(crate) fn cdp(&self, command: &str, params: &Value) -> Value {
        let said = self.tell("/goog/cdp/execute", &json!({"cmd": command, "params": params}));
        assert!(said["error"].is_null(), "{command}: {said}");
        said
    }

    /// Opens an address.
    pub(crate) fn open(&self, url: &str) {
        self.tell("/url", &json!({"url": url}));
    }

    /// Runs a script in the page.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.tell("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// Runs a script that calls its last argument when it is done.
    pub(crate) fn run_async(&self, script: &str) -> Value {
        self.tell("/execute/async", &json!({"script": script, "args": []}))
    }

    /// What an expression is worth in the page, also where the page itself may run no script.
    pub(crate) fn value(&self, expression: &str) -> Value {
        // While a page goes and the next one comes there is none.
        let params = json!({"expression": expression, "returnByValue": true});
        let said = self.tell("/goog/cdp/execute", &json!({"cmd": "Runtime.evaluate", "params": params}));
        said["result"]["value"].clone()
    }

    /// What a reader sees.
    pub(crate) fn words(&self) -> String {
        self.value("document.body ? document.body.innerText : ''").as_str().unwrap_or_default().to_owned()
    }

    /// What a reader sees in one part of the page.
    pub(crate) fn words_of(&self, css: &str) -> String {
        let all = format!("[...document.querySelectorAll({})].map(e => e.innerText).join('\\n')", json!(css));
        self.value(&all).as_str().unwrap_or_default().to_owned()
    }

    /// An element of the page, as the driver calls it.
    pub(crate) fn element(&self, css: &str) -> Option<String> {
        let found = self.tell("/element", &json!({"using": "css selector", "value": css}));
        // What else comes says that there is none (W3C WebDriver §12.1).
        found["element-6066-11e4-a52e-4f735466cecf"].as_str().map(str::to_owned)
    }

    /// Clicks on what is there, or will be.
    pub(crate) fn click(&self, css: &str) {
        wait_for(css, || {
            let element = self.element(css)?;
            let said = self.tell(&format!("/element/{element}/click"), &json!({}));
            // A page that is live may have been drawn anew in between.
            let gone = said["error"] == "stale element reference";
            assert!(gone || said.is_null(), "{css}: {said}");
            (!gone).then_some(())
        });
    }

    /// Types into a field.
    pub(crate) fn types(&self, css: &str, text: &str) {
        wait_for(css, || {
            let element = self.element(css)?;
            let said = self.tell(&format!("/element/{element}/value"), &json!({"text": text}));
            // As with a click: what was found may be gone by now.
            (said["error"] != "stale element reference").then_some(())
        });
    }

    /// Presses a key, wherever the page's focus is.
    pub(crate) fn press(&self, key: &str) {
        let strokes = json!([{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]);
        let board = json!({"type": "key", "id": "keys", "actions": strokes});
        self.tell("/actions", &json!({"actions": [board]}));
    }

    /// Waits until a reader sees these words.
    pub(crate) fn shows(&self, words: &str) {
        let seen = wait_for_words(self, words);
        assert!(seen.contains(words), "no `{words}` at {}: {seen}", self.at());
    }

    /// Puts a text into a field in place of what stands there, as somebody who pastes it.
    pub(crate) fn pastes(&self, css: &str, text: &str) {
        wait_for(css, || self.element(css));
        self.fills(&[(css, text)]);
    }

    /// Types into a field, or makes the choice there that is called so; dates and times as a browser's own picker puts them.
    pub(crate) fn chooses(&self, css: &str, text: &str) {
        wait_for(css, || self.element(css));
        let kind = self.run(&format!("return document.querySelector({}).type", json!(css)));
        match kind.as_str().unwrap_or_default() {
            "date" | "datetime-local" => self.fills(&[(css, text)]),
            _ => self.types(css, text),
        }
    }

    /// Puts texts into fields that are there.
    pub(crate) fn fills(&self, fields: &[(&str, &str)]) {
        let script = format!(
            "for (const [css, text] of {}) {{ const f = document.querySelector(css); f.value = text; f.dispatchEvent(new Event('input', {{bubbles: true}})); }} return 'done';",
            json!(fields)
        );
        assert_eq!(self.run(&script), "done", "{fields:?}");
    }

    /// Sends a form to an address of the site that the window shows, as a page of it does: the status, and where it led.
    pub(crate) fn sends(&self, path: &str, form: &[(&str, &str)]) -> (u64, String) {
        let script = format!(
            "const done = arguments[arguments.length - 1]; fetch({}, {{method: 'POST', body: new URLSearchParams({})}}).then(r => done([r.status, r.url]), e => done([0, String(e)]));",
            json!(path),
            json!(form)
        );
        let said = self.run_async(&script);
        (said[0].as_u64().unwrap_or_default(), said[1].as_str().unwrap_or_default().to_owned())
    }

    /// Where the window is.
    pub(crate) fn at(&self) -> String {
        self.value("location.href").as_str().unwrap_or_default().to_owned()
    }

    /// How wide the window is, as a page sees it.
    pub(crate) fn width(&self, width: u32) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.cdp("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// What the reader's system is set to: `("prefers-color-scheme", "dark")`. Nothing is what it is by itself.
    pub(crate) fn wants(&self, features: &[(&str, &str)]) {
        let features: Vec<_> =
            features.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
        self.cdp("Emulation.setEmulatedMedia", &json!({"media": "", "features": features}));
    }

    /// Runs a script before any of a page's own, on every page from now on.
    pub(crate) fn hooks(&self, script: &str) {
        self.cdp("Page.addScriptToEvaluateOnNewDocument", &json!({"source": script}));
    }

    /// The page on paper, as text (`pdftotext`).
    pub(crate) fn printed(&self) -> String {
        let made = self.cdp("Page.printToPDF", &json!({"printBackground": false}));
        let pdf = decoded(made["data"].as_str().unwrap());
        let mut child = Command::new("pdftotext")
            .args(["-layout", "-", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("pdftotext is installed (./test installs it)");
        let mut into = child.stdin.take().unwrap();
        let writing = std::thread::spawn(move || into.write_all(&pdf));
        let out = child.wait_with_output().unwrap();
        writing.join().unwrap().unwrap();
        String::from_utf8(out.stdout).unwrap()
    }

    /// Keeps a picture of the whole page where somebody asked for pictures.
    pub(crate) fn keep(&self, name: &str) {
        let Some(folder) = std::env::var_os("HEARTHGATE_SCREENSHOTS") else { return };
        let params = json!({"captureBeyondViewport": true, "format": "png"});
        let made = self.cdp("Page.captureScreenshot", &params);
        let path = Path::new(&folder).join(format!("{name}.png"));
        std::fs::write(path, decoded(made["data"].as_str().unwrap())).unwrap();
    }
}

/// What a reader sees, once these words are among it; what they see when patience ends, where they are not.
fn wait_for_words(window: &Window<'_>, words: &str) -> String {
    let begun = std::time::Instant::now();
    loop {
        let seen = window.words();
        if seen.contains(words) || begun.elapsed() > crate::world::PATIENCE {
            return seen;
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}

/// Bytes that the browser told as text (RFC 4648 §4).
fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}
