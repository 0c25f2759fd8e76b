//! The pieces of the compiled alternative that need no image.

use compiled_alternative::{requirements, target, variables};

#[test]
fn requirement_files_are_followed_once_and_without_comments() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    std::fs::create_dir_all(folder.join("more/user_vars")).unwrap();
    let first = folder.join("requirements.txt");
    std::fs::write(&first, "SIX # git+\r\n--requirement=more/last.txt\n").unwrap();
    std::fs::write(folder.join("more/last.txt"), "  -r ../requirements.txt\nHg+http://x#egg=y").unwrap();
    let lines = requirements::lines(&first);
    std::fs::write(folder.join("more/user_vars/ONE"), "1\n\n").unwrap();
    std::fs::write(folder.join("more/user_vars/not-a-name"), "2").unwrap();
    let read = variables::read(&folder.join("more"));
    assert_eq!(lines, ["six", "--requirement=more/last.txt", "-r ../requirements.txt", "hg+http://x#egg=y"]);
    assert_eq!(read, [("ONE".into(), "1\n".into())]);
}

#[test]
fn what_is_to_be_served_is_found_among_the_arguments() {
    let missing = |words: &[&str], installed: bool| {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        target::missing(&words, &|_| installed)
    };
    assert_eq!(
        missing(&["--url-alias", "/a", "b", "--port=1", "none.wsgi"], false),
        Some("script none.wsgi".to_owned())
    );
    assert_eq!(missing(&["--debug-mode", "Cargo.toml"], false), None);
    assert_eq!(missing(&["--application-type", "module", "none.wsgi"], false), Some("module none.wsgi".to_owned()));
    assert_eq!(missing(&["--application-type=module", "none.wsgi"], true), None);
    assert_eq!(missing(&[], false), None);
}
