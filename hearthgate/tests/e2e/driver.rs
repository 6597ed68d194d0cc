//! A real browser: Debian's Chromium, driven through chromedriver's own protocol (W3C WebDriver) with `curl`.

use crate::world::{Process, wait_for};
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
    /// Starts it; none where it is not installed.
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
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
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

impl Window<'_> {
    fn tell(&self, what: &str, body: &Value) -> Value {
        self.driver.ask("POST", &format!("{}{what}", self.path), body)
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

    /// What a reader sees.
    pub(crate) fn words(&self) -> String {
        self.run("return document.body ? document.body.innerText : ''")
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }

    /// An element of the page, as the driver calls it.
    pub(crate) fn element(&self, css: &str) -> Option<String> {
        let found = self.tell("/element", &json!({"using": "css selector", "value": css}));
        found.as_object()?.values().next()?.as_str().map(str::to_owned)
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
        let element = wait_for(css, || self.element(css));
        self.tell(&format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// Waits until a reader sees these words.
    pub(crate) fn shows(&self, words: &str) {
        wait_for(words, || self.words().contains(words).then_some(()));
    }

    /// Puts a text into a field in place of what stands there, as somebody who pastes it.
    pub(crate) fn pastes(&self, css: &str, text: &str) {
        wait_for(css, || self.element(css));
        let script = format!(
            "const f = document.querySelector({}); f.value = {}; f.dispatchEvent(new Event('input', {{bubbles: true}}));",
            json!(css),
            json!(text)
        );
        self.run(&script);
    }

    /// Where the window is.
    pub(crate) fn at(&self) -> String {
        self.run("return location.href").as_str().unwrap_or_default().to_owned()
    }

    /// How wide the window is, as a page sees it.
    pub(crate) fn width(&self, width: u32) {
        let metrics = json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
        self.tell(
            "/goog/cdp/execute",
            &json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics}),
        );
    }

    /// Keeps a picture of the whole page where somebody asked for pictures.
    pub(crate) fn keep(&self, name: &str) {
        let Some(folder) = std::env::var_os("HEARTHGATE_SCREENSHOTS") else { return };
        let params = json!({"captureBeyondViewport": true, "format": "png"});
        let made =
            self.tell("/goog/cdp/execute", &json!({"cmd": "Page.captureScreenshot", "params": params}));
        let path = Path::new(&folder).join(format!("{name}.png"));
        let mut decode = Command::new("base64")
            .arg("-d")
            .stdin(Stdio::piped())
            .stdout(std::fs::File::create(path).unwrap())
            .spawn()
            .unwrap();
        std::io::Write::write_all(
            &mut decode.stdin.take().unwrap(),
            made["data"].as_str().unwrap().as_bytes(),
        )
        .unwrap();
        decode.wait().unwrap();
    }
}
