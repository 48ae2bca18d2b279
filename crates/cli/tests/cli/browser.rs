//! A real browser, without a screen and without a network, driven by the WebDriver protocol
//! (<https://www.w3.org/TR/webdriver2/>) as `chromedriver` speaks it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::time::Duration;

use imsprep_testdata::{command, from_base64, need_tools};
use serde_json::{Value, json};

/// As it is started; ended when this is dropped.
pub(crate) struct Browser {
    driver: Child,
    /// Kept open, as the driver writes to it now and then.
    _words: BufReader<ChildStdout>,
    port: u16,
    session: String,
    profile: tempfile::TempDir,
}

/// Nothing is resolved, nothing is fetched behind our back, and root may run it, as CI does.
const FLAGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--window-size=1100,900",
];

/// The key under which the protocol gives elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

impl Browser {
    pub(crate) fn start() -> Self {
        need_tools(["chromium", "chromedriver"]);
        let mut driver = command("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut words = BufReader::new(driver.stdout.take().unwrap());
        let port = port_in(&mut words);
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self { driver, _words: words, port, session: String::new(), profile };
        let mut flags = FLAGS.map(str::to_owned).to_vec();
        flags.push(format!("--user-data-dir={}", browser.profile.path().display()));
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": flags },
            "goog:loggingPrefs": { "browser": "ALL" },
        } } });
        let session = browser.call("POST", "/session", &wanted);
        browser.session = session["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    /// Opens a file.
    pub(crate) fn open(&self, path: &Path, fragment: &str) {
        let url = format!("file://{}{fragment}", path.display());
        self.ask("POST", "url", &json!({ "url": url }));
    }

    /// What a function's body returns in the page.
    pub(crate) fn script(&self, body: &str) -> Value {
        self.ask("POST", "execute/sync", &json!({ "script": body, "args": [] }))
    }

    /// The text of the first element that a selector finds.
    pub(crate) fn text(&self, css: &str) -> String {
        let text = self.script(&format!("return document.querySelector({}).textContent", json!(css)));
        text.as_str().unwrap().to_owned()
    }

    pub(crate) fn click(&self, css: &str) {
        let element = self.element(css);
        self.ask("POST", &format!("element/{element}/click"), &json!({}));
    }

    /// Types into an element, which has the focus then.
    pub(crate) fn keys(&self, css: &str, keys: &str) {
        let element = self.element(css);
        self.ask("POST", &format!("element/{element}/value"), &json!({ "text": keys }));
    }

    /// Turns the wheel over an element, up for less than 0.
    pub(crate) fn wheel(&self, css: &str, delta: i32) {
        let origin = json!({ ELEMENT: self.element(css) });
        let turn =
            json!({ "type": "scroll", "x": 0, "y": 0, "deltaX": 0, "deltaY": delta, "origin": origin });
        let wheel = json!({ "type": "wheel", "id": "wheel", "actions": [turn] });
        self.ask("POST", "actions", &json!({ "actions": [wheel] }));
    }

    /// What a screen reader says that an element is, and how it is called.
    pub(crate) fn role_and_label(&self, css: &str) -> (String, String) {
        let element = self.element(css);
        let ask = |what| self.ask("GET", &format!("element/{element}/{what}"), &Value::Null);
        let text = |what| ask(what).as_str().unwrap().to_owned();
        (text("computedrole"), text("computedlabel"))
    }

    /// A command of the browser's own protocol, for what WebDriver has none.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.ask("POST", "goog/cdp/execute", &json!({ "cmd": command, "params": parameters }))
    }

    /// What is seen, as PNG.
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        from_base64(self.ask("GET", "screenshot", &Value::Null).as_str().unwrap()).unwrap()
    }

    /// What comes out of a printer, as PDF.
    pub(crate) fn print(&self) -> Vec<u8> {
        from_base64(self.ask("POST", "print", &json!({})).as_str().unwrap()).unwrap()
    }

    /// What the console says, and forgets by that.
    pub(crate) fn console(&self) -> Vec<String> {
        let log = self.ask("POST", "se/log", &json!({ "type": "browser" }));
        log.as_array().unwrap().iter().map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    fn element(&self, css: &str) -> String {
        let found = self.ask("POST", "element", &json!({ "using": "css selector", "value": css }));
        found[ELEMENT].as_str().unwrap().to_owned()
    }

    fn ask(&self, method: &str, what: &str, body: &Value) -> Value {
        self.call(method, &format!("/session/{}/{what}", self.session), body)
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let bytes = self.send(method, path, &body).unwrap();
        let mut answer: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(answer["value"]["error"].is_null(), "{method} {path} {body}: {answer}");
        answer["value"].take()
    }

    /// The body of the answer.
    fn send(&self, method: &str, path: &str, body: &str) -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let (port, length) = (self.port, body.len());
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        )?;
        write!(stream, "Content-Length: {length}\r\n\r\n{body}")?;
        let mut answer = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            answer.read_line(&mut line)?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut bytes = vec![0; length];
        answer.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// The port that the driver tells that it listens on.
fn port_in(words: &mut impl BufRead) -> u16 {
    let mut line = String::new();
    while words.read_line(&mut line).unwrap() > 0 {
        if let Some((_, port)) = line.trim().trim_end_matches('.').split_once("successfully on port ") {
            return port.parse().unwrap();
        }
        line.clear();
    }
    panic!("chromedriver did not start");
}

impl Drop for Browser {
    /// The driver ends the browser, also after a test that failed.
    fn drop(&mut self) {
        let _ = self.send("GET", "/shutdown", "");
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
