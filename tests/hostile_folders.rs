//! Application folders that are refused when scenarios are loaded.

use rstest::rstest;

use crate::support::{Suite, wsgi_proof};

/// It would hold up the suite, or show what is elsewhere on this host. It is refused before anything runs.
#[rstest]
#[case::pipe("mkfifo app/thing", "named pipe")]
#[case::socket("python3 -c \"import socket; socket.socket(socket.AF_UNIX).bind('app/thing')\"", "is a socket")]
#[case::sparse_terabyte("truncate -s 1T app/thing", "1000000000000 bytes|1099511627776|more than the 67108864")]
#[case::link_out("ln -s ../../../../../etc/passwd app/thing", "leads out of the application folder")]
#[case::absolute_link("ln -s /etc/passwd app/thing", "leads out of the application folder")]
#[case::folder_elsewhere("mv app there && ln -s there app", "`app` is not a folder")]
#[case::dockerfile_elsewhere(
    "rm app/Dockerfile && ln -s /etc/passwd app/Dockerfile",
    "leads out of the application folder"
)]
#[case::volume_elsewhere(
    "ln -s /etc volume && printf '\\n[serve]\\nvolume = \"read-only\"\\n[[serve.http]]\\npath = \"/\"\\nbody = \"^x$\"\\n' >> scenario.toml",
    "has no `volume/` folder"
)]
fn a_folder_that_cannot_be_built_from_is_refused(#[case] spoil: &str, #[case] why: &str) {
    let suite = Suite::new();
    suite.hello(
        "hostile",
        "summary = \"x\"\nsource = \"x\"\nnothing_to_serve = \"x\"\n[build]\noutcome = \"success\"\n",
    );
    let folder = suite.path().join("scenarios/hostile");
    if spoil.contains("volume") {
        let text = std::fs::read_to_string(folder.join("scenario.toml")).unwrap();
        std::fs::write(folder.join("scenario.toml"), text.replace("nothing_to_serve = \"x\"\n", "")).unwrap();
    }
    let spoilt = std::process::Command::new("sh").args(["-ec", spoil]).current_dir(&folder).status().unwrap();
    assert!(spoilt.success());
    let assert = wsgi_proof(&["run", "--suite", suite.path().to_str().unwrap()]).assert().code(2);
    let text = String::from_utf8_lossy(&assert.get_output().stderr).into_owned();
    assert!(why.split('|').any(|why| text.contains(why)), "{text}");
    assert!(!text.contains("root:x:"), "{text}");
}
