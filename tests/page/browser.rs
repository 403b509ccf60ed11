//! A browser's tab, controlled with WebDriver: it acts as a person, waits for visible results, and
//! collects the browser's errors.

use crate::server::DEADLINE;
use crate::tools;
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use url::Url;

/// Pause between checks of a condition.
const LOOK_EVERY: Duration = Duration::from_millis(15);

/// The messages of Chromium itself; `tests/run` shows them if Chromium ended in the middle of a test.
const CHROMIUM_LOG: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/chromium.log");

/// Flags that keep Chromium to itself.
const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    // A microphone that anybody may use.
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
];

/// The driver that all tests share; it ends with the last of them.
struct Driver {
    process: Child,
    url: String,
}

impl Driver {
    fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Driver>> = Mutex::new(Weak::new());
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let driver = Arc::new(Self::start());
            *running = Arc::downgrade(&driver);
            driver
        })
    }

    #[allow(clippy::zombie_processes, reason = "waited for when dropped")]
    fn start() -> Self {
        tools::program("chromium");
        let mut command = Command::new(tools::program("chromedriver"));
        command.args(["--port=0", "--enable-chrome-logs"]).stdout(Stdio::piped());
        let log = File::options().create(true).append(true).open(CHROMIUM_LOG).unwrap();
        let mut process = command.stderr(log).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines
            .by_ref()
            .map(Result::unwrap)
            .find_map(|line| Some(line.split_once("successfully on port ")?.1.to_owned()))
            .expect("chromedriver tells its port");
        let url = format!("http://127.0.0.1:{}", port.trim_end_matches('.'));
        // The rest of its output is drained, so that it never blocks.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, url }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let pid = Pid::from_raw(self.process.id().try_into().unwrap()).unwrap();
        let _ = kill_process(pid, Signal::TERM);
        let _ = self.process.wait();
    }
}

/// Settings of the browser.
#[derive(Clone, Copy)]
pub struct Person {
    pub language: &'static str,
    pub width: u32,
    pub height: u32,
    pub dark: bool,
}

/// A desktop, in English.
pub const READER: Person = Person { language: "en", width: 1280, height: 800, dark: false };

/// A tab; closed when dropped.
pub struct Tab {
    client: Client,
    session: String,
    driver: Arc<Driver>,
    _profile: TempDir,
}

impl Tab {
    /// Opens an address as a reader of English at a desk.
    pub async fn open(url: &str) -> Self {
        Self::open_as(READER, url).await
    }

    pub async fn open_as(person: Person, url: &str) -> Self {
        let driver = Driver::shared();
        let profile = TempDir::new().unwrap();
        let mut flags: Vec<_> = FLAGS.iter().map(|&flag| flag.to_owned()).collect();
        flags.push(format!("--user-data-dir={}", profile.path().display()));
        flags.push(format!("--accept-lang={}", person.language));
        let wanted = json!({
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"browser": "ALL"},
        });
        let Value::Object(wanted) = wanted else { unreachable!() };
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(wanted)
            .connect(&driver.url)
            .await
            .unwrap();
        let session = client.session_id().await.unwrap().unwrap();
        let tab = Self { client, session, driver, _profile: profile };
        tab.becomes(person).await;
        tab.go(url).await;
        tab
    }

    /// Changes the screen size and the preferences.
    pub async fn becomes(&self, person: Person) {
        let (width, height) = (person.width, person.height);
        let screen = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700});
        self.cdp("Emulation.setDeviceMetricsOverride", &screen).await;
        let scheme = if person.dark { "dark" } else { "light" };
        let media = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.cdp("Emulation.setEmulatedMedia", &media).await;
    }

    pub async fn go(&self, url: &str) {
        self.client.goto(url).await.unwrap();
        self.is_drawn().await;
    }

    /// Loads the page anew; nothing that runs after it runs in the page before.
    pub async fn reload(&self) {
        self.client.refresh().await.unwrap();
        self.is_drawn().await;
    }

    async fn is_drawn(&self) {
        // The words of the language come after the script.
        let drawn =
            "const app = document.getElementById('app'); return !app || app.childElementCount > 0";
        self.until("the page is drawn", drawn).await;
    }

    /// Opens another tab of the same browser, which is then the one that acts.
    pub async fn open_beside(&self, url: &str) {
        let new = self.client.new_window(true).await.unwrap();
        self.client.switch_to_window(new.handle).await.unwrap();
        self.go(url).await;
    }

    /// Acts in another tab of the same browser; the first one is 0.
    pub async fn turn_to(&self, at: usize) {
        let window = self.client.windows().await.unwrap().swap_remove(at);
        self.client.switch_to_window(window).await.unwrap();
    }

    pub async fn address(&self) -> String {
        self.client.current_url().await.unwrap().to_string()
    }

    /// Runs a script in the page; its value.
    pub async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Waits until a script's value is neither false nor null; gives it.
    pub async fn until(&self, what: &str, script: &str) -> Value {
        let began = Instant::now();
        loop {
            let value = self.run(script).await;
            if value != Value::Null && value != Value::Bool(false) {
                return value;
            }
            if began.elapsed() > DEADLINE {
                let page = self.run("return document.body.innerText").await;
                panic!("never came about: {what}\n{}", page.as_str().unwrap_or_default());
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Waits until an element shows this text.
    pub async fn sees(&self, place: &str, text: &str) {
        let script = format!(
            "return [...document.querySelectorAll({})].some((e) => e.checkVisibility() && e.innerText.includes({}))",
            json!(place),
            json!(text)
        );
        self.until(&format!("{place} shows {text:?}"), &script).await;
    }

    /// Waits until no element at this place shows the text.
    pub async fn misses(&self, place: &str, text: &str) {
        let script = format!(
            "return ![...document.querySelectorAll({})].some((e) => e.checkVisibility() && e.innerText.includes({}))",
            json!(place),
            json!(text)
        );
        self.until(&format!("{place} no longer shows {text:?}"), &script).await;
    }

    /// Text of the elements at this place, once there are so many.
    pub async fn texts(&self, place: &str, count: usize) -> Vec<String> {
        let script = format!(
            "const found = [...document.querySelectorAll({})]; return found.length === {count} && found.map((e) => e.innerText)",
            json!(place)
        );
        let found = self.until(&format!("{count} of {place}"), &script).await;
        serde_json::from_value(found).unwrap()
    }

    pub async fn find(&self, place: &str) -> Element {
        let found = self.client.wait().at_most(DEADLINE).for_element(Locator::Css(place)).await;
        found.unwrap_or_else(|error| panic!("{place}: {error}"))
    }

    /// Clicks an element; finds it again if the page has redrawn it.
    pub async fn click(&self, place: &str) {
        let began = Instant::now();
        loop {
            match self.find(place).await.click().await {
                Err(error) if error.is_stale_element_reference() && began.elapsed() < DEADLINE => {}
                clicked => return clicked.unwrap_or_else(|error| panic!("{place}: {error}")),
            }
        }
    }

    /// Clicks the control with this name.
    pub async fn press(&self, name: &str) {
        let script = format!(
            "const found = [...document.querySelectorAll('button, a, summary')].filter((e) => e.checkVisibility() && e.innerText.trim() === {});\
             found[0]?.click(); return found.length > 0",
            json!(name)
        );
        self.until(&format!("a control {name:?}"), &script).await;
    }

    pub async fn write(&self, place: &str, text: &str) {
        self.find(place).await.send_keys(text).await.unwrap();
    }

    /// Presses a key where the focus is.
    pub async fn key(&self, key: Key) {
        let focused = self.client.active_element().await.unwrap();
        focused.send_keys(&char::from(key).to_string()).await.unwrap();
    }

    pub async fn choose(&self, place: &str, value: &str) {
        // The choices are asked of the server first.
        let option = format!("{place} option[value={}]", json!(value));
        self.find(&option).await;
        self.find(place).await.select_by_value(value).await.unwrap();
    }

    /// Screenshot of the page, as PNG.
    pub async fn picture(&self) -> Vec<u8> {
        self.client.screenshot().await.unwrap()
    }

    /// Asks the browser itself.
    pub async fn cdp(&self, name: &str, parameters: &Value) -> Value {
        let body = json!({"cmd": name, "params": parameters});
        self.client.issue_cmd(Own { path: "goog/cdp/execute", body }).await.unwrap()
    }

    /// The browser's errors so far, without those that contain these words.
    pub async fn complaints(&self, expected: &[&str]) -> Vec<String> {
        let body = json!({"type": "browser"});
        let told = self.client.issue_cmd(Own { path: "se/log", body }).await.unwrap();
        let lines = told.as_array().unwrap().iter();
        let bad = lines.filter(|line| line["level"] == "SEVERE" || line["level"] == "WARNING");
        let texts = bad.map(|line| line["message"].as_str().unwrap().to_owned());
        texts.filter(|text| !expected.iter().any(|word| text.contains(word))).collect()
    }

    /// Fails where the browser complained about anything.
    pub async fn was_quiet(&self) {
        assert_eq!(self.complaints(&[]).await, Vec::<String>::new());
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        // Not by the client, whose runtime may be gone already after a panic.
        let url = format!("{}/session/{}", self.driver.url, self.session);
        let _ = crate::server::agent().delete(url).call();
    }
}

/// A command that only this driver knows.
#[derive(Debug)]
struct Own {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Own {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, url::ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _: &Url) -> (hyper::Method, Option<String>) {
        (hyper::Method::POST, Some(self.body.to_string()))
    }
}
