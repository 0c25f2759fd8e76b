//! The pieces of the compiled alternative that need no image.

use compiled_alternative::{target, variables};

#[test]
fn variables_are_files_with_names_of_variables() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path();
    std::fs::create_dir_all(folder.join("more/user_vars")).unwrap();
    std::fs::write(folder.join("more/user_vars/ONE"), "1\n\n").unwrap();
    std::fs::write(folder.join("more/user_vars/not-a-name"), "2").unwrap();
    assert_eq!(variables::read(&folder.join("more")), [("ONE".into(), "1\n".into())]);
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
