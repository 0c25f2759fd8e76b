//! A browser without a window, driven as `WebDriver` says (W3C, level 2): Debian's packages `chromium` and `chromium-driver`.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// The key that an element's reference has (`WebDriver`, 12.3).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser, which ends when it is dropped.
pub(crate) struct Browser {
    driver: Child,
    session: String,
    client: reqwest::Client,
    runtime: Runtime,
}

impl Browser {
    /// Starts one with a window of this size and preference (`light` or `dark`).
    pub(crate) fn start((width, height): (u32, u32), scheme: &str) -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is there (apt-get install chromium chromium-driver)");
        let mut lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        let port = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_suffix('.')?.rsplit_once("on port ").map(|(_, port)| port.to_owned()))
            .expect("chromedriver names its port");
        std::thread::spawn(move || lines.for_each(drop));
        let runtime = Runtime::new().expect("a runtime");
        let mut browser = Self { driver, session: String::new(), client: reqwest::Client::new(), runtime };
        let options = [
            "--headless=new".to_owned(),
            // There is no sandbox for root; the pages are our own files.
            "--no-sandbox".to_owned(),
            "--disable-dev-shm-usage".to_owned(),
            format!("--window-size={width},{height}"),
            format!("--blink-settings=preferredColorScheme={}", u8::from(scheme == "light")),
        ];
        let mut options = json!({ "args": options });
        // No window is as narrow as a telephone.
        if width < 500 {
            options["mobileEmulation"] =
                json!({ "deviceMetrics": { "width": width, "height": height, "pixelRatio": 2 } });
        }
        let capabilities = json!({ "alwaysMatch": {
            "goog:chromeOptions": options,
            "goog:loggingPrefs": { "browser": "ALL" },
        } });
        let root = format!("http://127.0.0.1:{port}/session");
        let session = browser.send(&root, &json!({ "capabilities": capabilities }));
        browser.session = format!("{root}/{}", session["sessionId"].as_str().expect("a session"));
        browser
    }

    fn send(&self, url: &str, body: &Value) -> Value {
        let request = self.client.post(url).header("content-type", "application/json").body(body.to_string());
        self.answer(request)
    }

    fn answer(&self, request: reqwest::RequestBuilder) -> Value {
        let answer = self.runtime.block_on(async { request.send().await?.text().await }).expect("an answer");
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{value}");
        value
    }

    fn command(&self, name: &str, body: &Value) -> Value {
        self.send(&format!("{}/{name}", self.session), body)
    }

    /// Opens a file; how long that took, to the end of its scripts.
    pub(crate) fn open(&self, path: &Path) -> Duration {
        let begun = Instant::now();
        self.command("url", &json!({ "url": format!("file://{}", path.display()) }));
        begun.elapsed()
    }

    /// What a script returns.
    pub(crate) fn eval(&self, script: &str) -> Value {
        self.command("execute/sync", &json!({ "script": script, "args": [] }))
    }

    fn element(&self, selector: &str) -> String {
        let found = self.command("element", &json!({ "using": "css selector", "value": selector }));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    /// Clicks what a selector selects, as a person would: it must be there to be seen.
    pub(crate) fn click(&self, selector: &str) {
        let element = self.element(selector);
        self.command(&format!("element/{element}/click"), &json!({}));
    }

    /// Types into what a selector selects.
    pub(crate) fn keys(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.command(&format!("element/{element}/value"), &json!({ "text": text }));
    }

    /// The text that can be seen in what a selector selects.
    pub(crate) fn text(&self, selector: &str) -> String {
        let url = format!("{}/element/{}/text", self.session, self.element(selector));
        self.answer(self.client.get(url)).as_str().expect("a text").to_owned()
    }

    /// What the browser's console has got since the last time: errors of scripts, and what the page's policy refused.
    pub(crate) fn console(&self) -> Vec<String> {
        let log = self.command("se/log", &json!({ "type": "browser" }));
        log.as_array().into_iter().flatten().map(ToString::to_string).collect()
    }

    /// Writes a picture of the window.
    pub(crate) fn picture(&self, path: &Path) {
        use base64::Engine;
        let picture = self.answer(self.client.get(format!("{}/screenshot", self.session)));
        let picture = base64::prelude::BASE64_STANDARD.decode(picture.as_str().expect("a picture")).expect("base64");
        std::fs::write(path, picture).expect("a file");
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let end = self.client.delete(&self.session);
        drop(self.runtime.block_on(end.send()));
        drop(self.driver.kill());
        drop(self.driver.wait());
    }
}
