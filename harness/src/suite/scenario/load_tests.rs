#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::suite::cell::tests::cell;
use crate::suite::dialect::Dialect;
use crate::suite::scenario::tests::load_here;
use crate::suite::scenario::{
    BuildOutcome, EndCode, FailureCode, FileState, Phase, RestartKey, Scenario, Setting, Subject, build_context, load,
    rebuild_context,
};
use crate::suite::variant::Variant;

const APPLICATION: &str =
    "summary = 'It builds'\nsource = 'test'\nnothing_to_serve = 'a test'\n[build]\noutcome = 'success'\n";

/// The same, for a `[serve]` to follow.
const SERVED: &str = "summary = 'It serves'\nsource = 'test'\n[build]\noutcome = 'success'\n";

/// A folder of scenarios with the one scenario `sample`, which has an application.
fn suite(scenario: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    add(root.path(), "sample", scenario);
    fs::write(root.path().join("sample/outside"), "").unwrap();
    root
}

fn add(root: &Path, name: &str, scenario: &str) {
    let app = root.join(name).join("app");
    fs::create_dir_all(&app).unwrap();
    fs::write(root.join(name).join("scenario.toml"), scenario).unwrap();
    fs::write(app.join("Dockerfile"), "ARG IMAGE\nFROM ${IMAGE}\n").unwrap();
    fs::write(app.join("wsgi.py"), "").unwrap();
    if scenario.contains("way-out") {
        std::os::unix::fs::symlink("..", app.join("way-out")).unwrap();
    }
    std::os::unix::fs::symlink("wsgi.py", app.join("link")).unwrap();
}

fn only(root: &TempDir) -> Scenario {
    let mut scenarios = load_here(root.path()).unwrap();
    assert_eq!(scenarios.len(), 1);
    scenarios.remove(0)
}

/// The plain lines, then the pictures, without the name of the temporary folder.
fn faults(root: &TempDir) -> String {
    let faults = load_here(root.path()).unwrap_err();
    format!("{faults}\n\n{}", faults.render(100)).replace(&root.path().display().to_string(), "ROOT")
}

/// Each file of `testdata/bad` breaks the rules that its name says; the snapshots hold every message and caret.
#[test]
fn bad_files_get_diagnostics_at_the_place() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/suite/scenario/testdata/bad");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() > 25, "the bad files are missing");
    for file in files {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let root = suite(&fs::read_to_string(&file).unwrap());
        if name.starts_with("image-") && name != "image-with-app" || name == "nothing-asserted" {
            fs::remove_dir_all(root.path().join("sample/app")).unwrap();
        }
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("bad-{name}"), faults(&root));
        });
    }
}

/// The same for the Dockerfiles of `testdata/bad-dockerfiles`.
#[test]
fn bad_dockerfiles_get_diagnostics_at_the_place() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/suite/scenario/testdata/bad-dockerfiles");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for file in files {
        let root = suite(APPLICATION);
        fs::copy(&file, root.path().join("sample/app/Dockerfile")).unwrap();
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("dockerfile-{name}"), faults(&root));
        });
    }
}

#[test]
fn what_only_buildkit_knows_does_not_apply() {
    let root = suite(APPLICATION);
    let reason = || only(&root).not_applicable.unwrap();
    let dockerfile = root.path().join("sample/app/Dockerfile");
    fs::write(&dockerfile, "ARG IMAGE\nFROM ${IMAGE}\nRUN <<EOF\ntouch /x\nEOF\n").unwrap();
    assert!(reason().value.starts_with("a here-document in line 3 of its Dockerfile is for BuildKit alone"));
    assert_eq!(reason().at.to_string(), "sample/app/Dockerfile:3");
    fs::write(&dockerfile, "ARG IMAGE\nFROM ${IMAGE}\n").unwrap();
    fs::write(root.path().join("sample/app/Dockerfile.dockerignore"), "wsgi.py\n").unwrap();
    assert!(reason().value.starts_with("its Dockerfile.dockerignore is for BuildKit alone"));
}

#[test]
fn no_builder_may_fetch_what_reads_the_dockerfile() {
    let root = suite(APPLICATION);
    fs::write(root.path().join("sample/app/Dockerfile"), "# syntax=a/b:1\nARG IMAGE\nFROM ${IMAGE}\n").unwrap();
    let faults = load_here(root.path()).unwrap_err().to_string();
    assert_eq!(faults, "sample/app/Dockerfile:1:1: the syntax directive names `a/b:1`");
}

#[test]
fn faults_of_all_files_and_folders_come_at_once() {
    let root = suite("summary = 'x'\nsource = 'x'\n[build]\noutcome = 'success'\nlog = ['(']\n");
    add(root.path(), "Bad_Name", APPLICATION);
    add(root.path(), "no-app", APPLICATION);
    fs::remove_dir_all(root.path().join("no-app/app")).unwrap();
    add(root.path(), "no-dockerfile", APPLICATION);
    fs::remove_file(root.path().join("no-dockerfile/app/Dockerfile")).unwrap();
    add(root.path(), "forgotten", APPLICATION);
    fs::remove_file(root.path().join("forgotten/scenario.toml")).unwrap();
    add(root.path(), "SAMPLE", APPLICATION);
    add(root.path(), "not-utf-8", "");
    fs::write(root.path().join("not-utf-8/scenario.toml"), b"summary = '\xff'").unwrap();
    fs::create_dir_all(root.path().join("repositories/x.git")).unwrap();
    fs::write(root.path().join("packages.lock"), "").unwrap();
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("folders", faults(&root));
    });
}

#[test]
fn an_application_that_cannot_be_a_context_is_a_fault() {
    let root = suite(APPLICATION);
    fs::write(root.path().join("sample/app/.dockerignore"), "fine\n[\n").unwrap();
    let message = load_here(root.path()).unwrap_err().to_string();
    assert!(message.ends_with("`.dockerignore` of the application: line 2: the pattern `[` is not valid"), "{message}");
}

#[test]
fn a_missing_root_is_a_fault() {
    let root = tempfile::tempdir().unwrap();
    let faults = load_here(&root.path().join("nowhere")).unwrap_err();
    assert!(faults.to_string().contains("the folder of the scenarios cannot be read"), "{faults}");
}

#[test]
fn a_full_file_resolves_with_the_lines_of_its_expectations() {
    let root = suite(include_str!("testdata/full.toml"));
    let scenario = only(&root);
    assert_eq!(scenario.name, "sample");
    assert_eq!(scenario.subject, Subject::Application);
    assert_eq!(scenario.app, Some(root.path().join("sample/app")));
    assert_eq!(scenario.modes.get(Path::new("wsgi.py")), Some(&0o755));
    assert_eq!(scenario.absent_packages, ["no-such-package"]);
    assert_eq!(scenario.summary.at.to_string(), "sample/scenario.toml:1");
    let line_of = |text: &str| include_str!("testdata/full.toml").lines().position(|line| line == text).unwrap() + 1;
    let build = scenario.build.unwrap();
    assert!(matches!(build.outcome.value, BuildOutcome::Success));
    assert_eq!(build.outcome.at.line, line_of("outcome = \"success\""));
    assert_eq!(build.log[1].at.line, line_of("    'Successfully installed',"));
    assert!(scenario.image.environment["LANG"].value.is_match("C.UTF-8"));
    assert!(!scenario.image.environment["LANG"].value.is_match("xC.UTF-8"));
    let FileState::Exists { mode, .. } = &scenario.files[0].state.value else { panic!("{:?}", scenario.files) };
    assert_eq!(mode.as_ref().unwrap().value, 0o755);
    assert!(matches!(scenario.files[1].state.value, FileState::Absent));
    assert!(matches!(scenario.files[2].state.value, FileState::Empty));
    assert_eq!(scenario.commands[0].exit_code.value, 0);
    let serve = scenario.serve.unwrap();
    assert_eq!(serve.at.line, line_of("[serve]"));
    assert_eq!(serve.start.arguments.as_deref(), Some(&["other.wsgi".to_owned()][..]));
    assert_eq!((serve.start.environment["NAME"].as_str(), serve.start.user.as_deref()), ("value", Some("12345:0")));
    assert!(serve.start.read_only && serve.start.tmpfs["/tmp"] && !serve.start.tmpfs["/run"]);
    assert_eq!((serve.restart, serve.unchanged[0].value.as_str()), (Some(RestartKey::AfterKill), "/app"));
    assert_eq!(serve.http[0].at.line, line_of("[[serve.http]]"));
    assert_eq!((serve.http[0].method.as_str(), serve.http[0].status.value), ("GET", 200));
    assert_eq!((serve.http[0].times, serve.http[0].at_once), (1, 1));
    let form = &serve.http[1];
    assert_eq!(form.send.as_ref().unwrap().bytes(), b"abcdefghijklmnopqrstuvwxyzabcd");
    assert_eq!((form.chunked, form.times, form.at_once), (true, 4, 2));
    assert_eq!(form.request_headers["X-Sample"], "yes");
    assert_eq!(form.length.as_ref().unwrap().value, 30);
    assert_eq!(serve.commands.len(), 1);
    assert_eq!(serve.stop.unwrap().within_seconds.value, 10);
}

#[test]
fn a_failure_resolves() {
    let root = suite(
        "summary = 'x'\nsource = 'x'\n[build]\noutcome = 'failure'\nphase = 'pre-build'\nexit_code = 23\nbecause = 'x'\n",
    );
    let BuildOutcome::Failure { phase, exit_code, .. } = only(&root).build.unwrap().outcome.value else {
        panic!("not a failure");
    };
    assert_eq!((phase.value, exit_code.value, exit_code.at.line), (Phase::PreBuild, FailureCode::OneOf(vec![23]), 6));
}

#[test]
fn where_a_scenario_does_not_apply_it_says_why() {
    let text = |table: &str| format!("{APPLICATION}[[not_applicable]]\n{table}\nbecause = 'x'\n");
    let reason = |table: &str| only(&suite(&text(table))).not_applicable.map(|reason| reason.value);
    assert_eq!(reason("variants = ['python-3.11']").as_deref(), Some("x"));
    assert_eq!(reason("variants = ['python-2.7']"), None);
    assert_eq!(reason("dialects = ['docker']").as_deref(), Some("x"));
    assert_eq!(reason("dialects = ['whiskey']"), None);
    assert_eq!(reason("variants = ['python-3.11']\ndialects = ['whiskey']"), None);
}

#[test]
fn placeholders_stand_for_what_is_so_in_the_cell() {
    let root = suite(&format!(
        "{APPLICATION}log = ['^@{{folder}}$']\n[[file]]\npath = '/app/@{{folder}}/x'\n[[command]]\nrun = ['echo', '@{{python}}']\n"
    ));
    let scenario = only(&root);
    let log = &scenario.build.unwrap().log[0].value;
    assert!(log.is_match(".docker") && !log.is_match("xdocker"));
    assert_eq!(scenario.files[0].path, "/app/.docker/x");
    assert_eq!(scenario.commands[0].run.value, ["echo", "3.11"]);
}

#[test]
fn the_dialects_folder_is_renamed_in_the_context_unless_it_is_to_stay() {
    let root = suite(APPLICATION);
    let hooks = root.path().join("sample/app/.docker/action_hooks");
    fs::create_dir_all(&hooks).unwrap();
    fs::write(hooks.join("build"), "").unwrap();
    std::os::unix::fs::symlink(".docker/action_hooks/build", root.path().join("sample/app/to-hook")).unwrap();
    let names = |scenario: &Scenario| -> Vec<String> {
        let archive = build_context(scenario).unwrap();
        let mut archive = tar::Archive::new(archive.as_slice());
        let entries = archive.entries().unwrap().map(Result::unwrap);
        entries
            .map(|entry| {
                let target = entry.link_name().unwrap().map(|target| format!(" -> {}", target.display()));
                format!("{}{}", entry.path().unwrap().display(), target.unwrap_or_default())
            })
            .filter(|name| name.contains("action_hooks/build"))
            .collect()
    };
    let mut scenario = only(&root);
    assert_eq!(names(&scenario), [".docker/action_hooks/build", "to-hook -> .docker/action_hooks/build"]);
    scenario.dialect = crate::suite::dialect::Dialect::Whiskey;
    assert_eq!(names(&scenario), [".whiskey/action_hooks/build", "to-hook -> .whiskey/action_hooks/build"]);
    scenario.keep_folders = true;
    assert_eq!(names(&scenario), [".docker/action_hooks/build", "to-hook -> .docker/action_hooks/build"]);
}

#[test]
fn files_are_made_and_appended_to() {
    let root = suite(&format!(
        "{APPLICATION}[generate]\nfolder = 'many'\nfiles = 3\n[[rebuild]]\nlog = ['x']\n[rebuild.append]\n'wsgi.py' = '# x'\n"
    ));
    let scenario = only(&root);
    let size = |archive: Vec<u8>, path: &str| {
        let mut archive = tar::Archive::new(archive.as_slice());
        let mut entries = archive.entries().unwrap().map(Result::unwrap);
        entries.find(|entry| entry.path().unwrap() == Path::new(path)).map(|entry| entry.size())
    };
    assert_eq!(size(build_context(&scenario).unwrap(), "many/2.txt"), Some(1));
    assert_eq!(size(build_context(&scenario).unwrap(), "many/3.txt"), None);
    assert_eq!(size(build_context(&scenario).unwrap(), "wsgi.py"), Some(0));
    assert_eq!(size(rebuild_context(&scenario, &scenario.rebuilds[0].append).unwrap(), "wsgi.py"), Some(3));
}

#[test]
fn an_end_resolves() {
    let end = |code: &str| {
        let end = format!("[serve.end]\n{code}\nwithin_seconds = 20\n");
        only(&suite(&format!("{SERVED}{end}"))).serve.unwrap().end.unwrap()
    };
    assert_eq!(
        (end("exit_code = 17").exit_code.value, end("exit_code = 17").within_seconds.value),
        (EndCode::Exactly(17), 20)
    );
    assert_eq!(end("nonzero = true").exit_code.value, EndCode::NonZero);
}

#[test]
fn a_volume_has_a_folder_and_a_folder_a_volume() {
    let mounted = |serve: &str| {
        let root = suite(&format!("{SERVED}[serve]\n{serve}\n[[serve.http]]\npath = '/'\n"));
        fs::create_dir(root.path().join("sample/volume")).unwrap();
        fs::write(root.path().join("sample/volume/hook"), "").unwrap();
        root
    };
    let scenario = only(&mounted("volume = 'read-write'\nvolume_modes = { hook = '0755' }"));
    let volume = scenario.serve.unwrap().start.volume.unwrap();
    assert!(volume.writable && volume.folder.ends_with("sample/volume"));
    assert_eq!(volume.modes.get(Path::new("hook")), Some(&0o755));
    let fault = |serve: &str| load_here(mounted(serve).path()).unwrap_err().to_string();
    assert!(fault("").ends_with("the scenario has a `volume/` folder that nothing mounts"));
    let modes = fault("volume = 'read-only'\nvolume_modes = { none = '0755' }");
    assert!(modes.ends_with("`[serve.volume_modes]` names a path that does not exist"), "{modes}");
}

#[test]
fn an_image_needs_no_application() {
    let root = suite("summary = 'x'\nsource = 'x'\nsubject = 'base-image'\n[[command]]\nrun = ['python', '-V']\n");
    fs::remove_dir_all(root.path().join("sample/app")).unwrap();
    assert_eq!(only(&root).subject, Subject::BaseImage);
}

#[test]
fn scenarios_come_sorted_by_name() {
    let root = suite(APPLICATION);
    add(root.path(), "a", APPLICATION);
    add(root.path(), "z-2", APPLICATION);
    let names: Vec<_> = load_here(root.path()).unwrap().into_iter().map(|scenario| scenario.name).collect();
    assert_eq!(names, ["a", "sample", "z-2"]);
}

#[test]
fn the_scenarios_of_this_repository_are_valid() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let variants: Vec<String> =
        Variant::all(&root.join("images")).unwrap().into_iter().map(|variant| variant.name).collect();
    let setting = Setting { cell: &cell(Dialect::Docker), variants: &variants };
    let scenarios = load(&root.join("scenarios"), &setting).unwrap_or_else(|faults| panic!("{faults}"));
    for scenario in scenarios.iter().filter(|scenario| scenario.app.is_some()) {
        build_context(scenario).unwrap();
    }
    assert!(scenarios.len() > 10, "{}", scenarios.len());
}
