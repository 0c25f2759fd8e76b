//! Requirement files as a whole: what comes of them for the contract tier.

use super::*;
use crate::contract_tier::requirements::proof::InMemory;
use crate::contract_tier::requirements::samples::{NEW, OLD};

fn read(files: &[(&str, &[u8])], pip: Pip) -> Result<Vec<Requirement>, Refused> {
    let environment =
        [("PWD", "/app"), ("NAME", "six")].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let owned: Vec<(PathBuf, Vec<u8>)> =
        files.iter().map(|(name, text)| (Path::new("/app").join(name), text.to_vec())).collect();
    let files = InMemory(owned.iter().map(|(path, text)| (path.clone(), text)).collect());
    let reader = Reader { pip, folder: "/app", environment: &environment, files: &files };
    resolved(reader.file("requirements.txt", false)?, pip)
}

/// What is asked for, in words.
fn words(result: Result<Vec<Requirement>, Refused>) -> String {
    let word = |one: &Requirement| {
        let what = match &one.source {
            Source::Index { name, .. } => name.clone(),
            Source::Repository { vcs, name, .. } => format!("{}:{name}", vcs.program()),
            Source::Path(path) => path.display().to_string(),
            Source::Archive { address, .. } => address.clone(),
            Source::Foreign { program } => program.clone(),
        };
        if one.editable { format!("-e {what}") } else { what }
    };
    match result {
        Ok(asked) => asked.iter().map(word).collect::<Vec<_>>().join(", "),
        Err(refused) => format!("refused {}", refused.exit_code),
    }
}

#[test]
fn the_corpus_is_read_as_reported() {
    for known in &proof::corpus::KNOWN {
        let case = known.case();
        let files: Vec<(&str, &[u8])> =
            case.files.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
        for (pip, expected) in [OLD, NEW].into_iter().zip(known.expected) {
            assert_eq!(words(read(&files, pip)), expected, "{} ({pip:?})", known.name);
        }
    }
}

#[test]
fn names_versions_and_comments() {
    let text = b"# git+x\nsix  # hg+y\nSome_Pkg[extra]==1.2 \\\n  --hash=sha256:00\na>=1,<2; python_version < '3'\n--find-links wheels\n";
    let found = read(&[("requirements.txt", text)], OLD).unwrap_or_default();
    let pinned: Vec<_> = found.iter().map(|one| &one.source).collect();
    let index =
        |name: &str, pinned: Option<&str>| Source::Index { name: name.into(), pinned: pinned.map(str::to_owned) };
    assert_eq!(pinned, [&index("six", None), &index("some-pkg", Some("1.2")), &index("a", None)]);
}

#[test]
fn hashes_and_pre_releases_that_a_line_names() {
    let text = b"six==1.0 --hash=sha256:00\na>=2.0rc1\nb==1.0.dev3\nc>=1,!=1.1.*\nd\n";
    for pip in [OLD, NEW] {
        let found = read(&[("requirements.txt", text)], pip).unwrap_or_default();
        let told: Vec<_> = found.iter().map(|one| (one.hashed, one.names_pre_release)).collect();
        let none = (false, false);
        assert_eq!(told, [(true, false), (false, true), (false, true), none, none]);
    }
}

#[test]
fn version_control_in_any_form_and_case() {
    let text =
        b"Git+http://x/greeting.git\n-e hg+static-http://x/hello#egg=Salutation\nname @ git+ssh://x/y.git@main\n";
    let found = read(&[("requirements.txt", text)], NEW);
    assert_eq!(words(found.clone()), "git:greeting, -e hg:salutation, git:name");
    let found = found.unwrap_or_default();
    assert_eq!(found.iter().map(|one| one.usual_case).collect::<Vec<_>>(), [false, true, true]);
    assert!(matches!(found[2].source, Source::Repository { ssh: true, .. }));
}

#[test]
fn files_name_files_relative_to_themselves_and_paths_relative_to_the_folder() {
    let files: [(&str, &[u8]); 5] = [
        ("requirements.txt", b"-r requirements/all.txt\r\n-e .\r\n"),
        ("requirements/all.txt", b"--requirement=more.txt\n./vendor/x"),
        ("requirements/more.txt", b"six"),
        ("vendor/x/setup.py", b""),
        ("setup.py", b""),
    ];
    let found = read(&files, NEW);
    assert_eq!(words(found.clone()), "six, /app/vendor/x, -e /app");
    assert_eq!(found.unwrap_or_default().iter().map(|one| one.direct).collect::<Vec<_>>(), [false, false, true]);
}

#[test]
fn chains_and_circles_end() {
    let chain: Vec<(String, Vec<u8>)> =
        (0..20_000).map(|index| (format!("{index}.txt"), format!("-r {}.txt", index + 1).into_bytes())).collect();
    let mut files: Vec<(&str, &[u8])> = chain.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
    files.push(("requirements.txt", b"-r 0.txt"));
    for pip in [OLD, NEW] {
        assert_eq!(words(read(&files, pip)), "refused 2");
    }
    // Each file names the next one twice: 2^30 files, were there no limit.
    let tree: Vec<(String, Vec<u8>)> = (0..30)
        .map(|index| (format!("{index}.txt"), format!("-r {0}.txt\n-r {0}.txt", index + 1).into_bytes()))
        .collect();
    let mut files: Vec<(&str, &[u8])> = tree.iter().map(|(name, text)| (name.as_str(), text.as_slice())).collect();
    files.extend([("30.txt", b"six".as_slice()), ("requirements.txt", b"-r 0.txt")]);
    assert_eq!(words(read(&files, NEW)), "refused 2");
}

/// Each with each would be more than a billion, and would not end soon.
#[test]
fn many_requirements_and_constraints_are_read_or_refused() {
    let many =
        |count: usize, line: &dyn Fn(usize) -> String| (0..count).map(line).collect::<Vec<_>>().join("\n").into_bytes();
    for pip in [OLD, NEW] {
        let asked = [b"-c c.txt\n".to_vec(), many(9000, &|index| format!("n{index}"))].concat();
        let constraints = many(9000, &|index| format!("n{index}=={index}"));
        let files: [(&str, &[u8]); 2] = [("requirements.txt", &asked), ("c.txt", &constraints)];
        let found = read(&files, pip).unwrap_or_default();
        assert!(found.iter().any(|one| one.source == Source::Index { name: "n7".into(), pinned: Some("7".into()) }));
        assert_eq!(found.len(), 9000);
        let more = many(20_001, &|index| format!("n{index}"));
        assert!(read(&[("requirements.txt", &more)], pip).is_err_and(|refused| refused.beyond));
    }
    // Of one name, each meets each in truth.
    let asked = [b"-c c.txt\n".to_vec(), many(9000, &|_| "six".to_owned())].concat();
    let constraints = many(9000, &|index| format!("six>={index}"));
    let files: [(&str, &[u8]); 2] = [("requirements.txt", &asked), ("c.txt", &constraints)];
    assert!(read(&files, NEW).is_err_and(|refused| refused.beyond));
}

#[test]
fn what_contradicts_itself_is_refused() {
    let twice: [(&str, &[u8]); 1] = [("requirements.txt", b"six==1.16.0\nsix\n")];
    assert_eq!(words(read(&twice, OLD)), "refused 1");
    assert_eq!(words(read(&twice, NEW)), "six, six");
    assert_eq!(words(read(&[("requirements.txt", b"six==1.16.0\nsix==1.17.0\n")], NEW)), "refused 1");
    assert_eq!(words(read(&[("requirements.txt", b"six==1.0\nsix==1.0.0\n")], NEW)), "six, six");
    for constraint in ["six[a]", "./vendor/x"] {
        let files: [(&str, &[u8]); 3] =
            [("requirements.txt", b"-c c.txt"), ("c.txt", constraint.as_bytes()), ("vendor/x/setup.py", b"")];
        assert_eq!(words(read(&files, NEW)), "refused 1", "{constraint}");
    }
}
