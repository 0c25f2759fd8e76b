//! The page of a run in a real browser: what a person clicks, types and sees. It takes Debian's packages `chromium` and `chromium-driver`:
//! `cargo test in_a_browser -- --ignored`. Pictures of what was seen are left in the target folder's `tmp/page`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::browser::Browser;
use crate::support::{Suite, text, without_engine};

/// What a step prints that would do harm as markup.
const HOSTILE: &str = "</script><script>window.hacked = 1</script><img src=x onerror='window.hacked = 2'>";

fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("page");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The reports of a run in which one scenario passes and two fail.
fn reports() -> TempDir {
    let folder = TempDir::new().unwrap();
    let suite = Suite::new();
    let scenario = |log: &str| {
        format!("summary = \"Says {log}\"\nsource = \"x\"\n[build]\noutcome = \"success\"\nlog = ['{log}']\n")
    };
    suite.hello("greeting", &scenario("Hello")).hello("missing", &scenario("^never$"));
    suite.hello("farewell", &scenario("^Good bye$"));
    let step = folder.path().join("step");
    let lines = format!("#!/bin/sh\ncat <<'END'\nHello\n -----> Installing\n{HOSTILE}\nGood by\n -----> Done\nEND\n");
    std::fs::write(&step, lines).unwrap();
    let report = folder.path().join("report");
    let mut command = without_engine(&["run", "--tier", "contract", "--suite", suite.path().to_str().unwrap()]);
    let output = command.arg("--report").arg(&report).arg("--build-step").arg(&step).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    folder
}

/// How many scenarios the list shows.
fn listed(browser: &Browser) -> u64 {
    browser.eval("return document.querySelectorAll('#list .scenario').length").as_u64().unwrap()
}

#[test]
#[ignore = "it needs a browser"]
fn a_page_in_a_browser_shows_what_is_asked_for() {
    let folder = reports();
    let page = folder.path().join("report/index.html");
    let browser = Browser::start((1280, 1000), "light");
    browser.open(&page);
    assert_eq!(browser.text("h1"), "Failed");
    assert_eq!(listed(&browser), 3);
    browser.picture(&pictures().join("light.png"));

    // From the list of what needs a look to the scenario, its assertion and its log.
    browser.click(".bad a");
    let opened = browser.text(".scenario .detail:not([hidden])");
    for told in ["expected", "got", "Reproduce", "build log"] {
        assert!(opened.contains(told), "no {told}: {opened}");
    }
    browser.picture(&pictures().join("opened.png"));
    browser.click(".scenario .detail:not([hidden]) .copy");

    // The parts below.
    for (part, picture) in [("conformance", "conformance.png"), ("timeline", "timeline.png"), ("run", "run.png")] {
        browser.click(&format!("nav a[href='#{part}']"));
        browser.picture(&pictures().join(picture));
    }

    // Search and filter.
    browser.keys("#search", "farewell");
    assert_eq!((listed(&browser), browser.text("#found")), (1, "1 of 3".to_owned()));
    browser.eval("document.getElementById('search').value = ''");
    browser.keys("#search", "e");
    browser.click("[name=verdict][value=fail]");
    assert_eq!(listed(&browser), 1);
    assert!(browser.text("#list").contains("PASS") || browser.text("#list").contains("pass"));
    browser.click("[name=verdict][value=fail]");

    // By keys alone: a scenario is a button, which is opened and closed.
    browser.keys("#s0 button", "\u{e007}");
    assert_eq!(browser.eval("return document.querySelector('#s0 button').ariaExpanded"), "true");
    browser.keys("#s0 button", "\u{e007}");
    assert_eq!(browser.eval("return document.querySelector('#s0 .detail').hidden"), true);

    // Nothing of a log is a script, and nothing of the page was refused.
    assert_eq!(browser.eval("return window.hacked ?? null"), Value::Null);
    assert_eq!(browser.console(), Vec::<String>::new());
}

#[test]
#[ignore = "it needs a browser"]
fn a_page_in_a_browser_fits_a_telephone_and_the_dark() {
    let folder = reports();
    let page = folder.path().join("report/index.html");
    let browser = Browser::start((400, 800), "dark");
    browser.open(&page);
    browser.click("#s0 button");
    browser.picture(&pictures().join("telephone.png"));
    let (wide, seen) = (browser.eval("return document.body.scrollWidth"), browser.eval("return innerWidth"));
    assert!(wide.as_u64() <= seen.as_u64(), "{wide} of {seen}");
    let ground = browser.eval("return getComputedStyle(document.body).backgroundColor");
    assert_eq!(ground, "rgb(20, 23, 26)");
    assert_eq!(browser.console(), Vec::<String>::new());
}

/// Ten thousand scenarios can be searched; how long that takes is printed.
#[test]
#[ignore = "it needs a browser"]
fn a_page_in_a_browser_has_room_for_ten_thousand_scenarios() {
    let folder = reports();
    let path = folder.path().join("report/report.json");
    let mut report: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let scenarios = report["scenarios"].as_array().unwrap().clone();
    let many = (0..10_000).map(|number: usize| {
        let mut scenario = scenarios[number % scenarios.len()].clone();
        scenario["label"] = json!(format!("scenario-{number}"));
        scenario["began"] = json!(number * 20);
        scenario["logs"][0]["lines"][0] = json!(format!("Hello {number}"));
        scenario
    });
    report["scenarios"] = many.collect();
    std::fs::write(&path, report.to_string()).unwrap();
    let output = without_engine(&["report", path.to_str().unwrap()]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let page = path.with_file_name("index.html");
    let browser = Browser::start((1280, 1000), "light");
    let opened = browser.open(&page);
    let filtered = browser.eval(
        "const begun = performance.now(); const box = document.getElementById('search'); box.value = 'scenario-77'; \
         box.dispatchEvent(new Event('input', { bubbles: true })); document.body.offsetHeight; return performance.now() - begun",
    );
    let size = std::fs::metadata(&page).unwrap().len();
    println!("10,000 scenarios: {size} bytes, opened in {opened:?}, filtered in {filtered} ms");
    // 77, 770 to 779, and 7700 to 7799.
    assert_eq!(browser.text("#found"), "111 of 10000");
    browser.eval("document.getElementById('search').value = ''; location.hash = '#s9999'");
    assert!(browser.text("#s9999 .detail:not([hidden])").contains("Reproduce"));
    browser.picture(&pictures().join("many.png"));
    assert_eq!(browser.console(), Vec::<String>::new());
}
