//! What a candidate leaves behind, and what its folder has in it: the host neither follows it anywhere nor waits for it nor breaks over
//! it, and the next run is as ever. As whoever runs the tests, and as an ordinary user.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use rstest::rstest;

use crate::support::place::{Place, User};
use crate::support::{Slot, Suite, docker_host, text, volumes as volumes_of};

const SCENARIO: &str =
    "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\n";
const APPLICATION: &str =
    "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'x']\n";
/// What must not be found in any report.
const SECRET: &str = "b7e0secret9a5c";

fn place(user: User) -> Place {
    let place = Place::of(user);
    place.suite().hello("sample", SCENARIO).write("sample/app/requirements.txt", "six==1.0\n");
    place
}

/// Has a build step do this first, and then all that the images' own does.
fn and_then_builds(first: &str) -> String {
    let own = fs::read_to_string(crate::support::root().join("images/base/mod_wsgi-docker-build")).unwrap();
    own.replace("run_hook build", &format!("run_hook build\n{first}"))
}

/// Runs these steps, which fail for this reason; then the images' own, which nothing is in the way of. And nothing is left.
fn fails_and_leaves_nothing(place: &Place, build: &str, why: &str) -> Output {
    let _slot = Slot::take();
    let run = place.run(&place.steps(build));
    assert_eq!(run.status.code(), Some(1), "{}", shown(&run));
    assert!(text(&run).contains(why), "no {why}: {}", shown(&run));
    passes_and_leaves_nothing(place);
    run
}

fn passes_and_leaves_nothing(place: &Place) {
    let next = place.run(&place.steps(&and_then_builds("")));
    assert_eq!(next.status.code(), Some(0), "{}", shown(&next));
    if place.is_of_another_user() {
        let left = fs::read_dir(place.sandboxes()).into_iter().flatten().flatten();
        let left: Vec<_> = left.map(|entry| entry.file_name()).filter(|name| name != "lock").collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

/// The beginning of what was printed.
fn shown(output: &Output) -> String {
    format!("{:?}: {}", output.status, text(output).chars().take(4000).collect::<String>())
}

#[rstest]
fn an_application_folder_that_is_a_link_leads_nowhere(#[values(User::Own, User::Ordinary)] user: User) {
    let place = place(user);
    let outside = place.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join(SECRET), "x").unwrap();
    let build = and_then_builds(&format!("cd /; rm -rf /app; ln -s {} /app", outside.display()));
    let _slot = Slot::take();
    let run = place.run(&place.steps(&build));
    assert!(text(&run).contains("removed /app/wsgi.py"), "{}", shown(&run));
    assert!(!text(&run).contains(SECRET), "{}", shown(&run));
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    passes_and_leaves_nothing(&place);
}

#[rstest]
fn a_tree_of_twenty_thousand_levels_is_a_finding(#[values(User::Own, User::Ordinary)] user: User) {
    let build = and_then_builds("perl -e 'for (1 .. 20000) { mkdir \"d\"; chdir \"d\" }'");
    fails_and_leaves_nothing(&place(user), &build, "it left a folder tree deeper than 256 levels in /app");
}

#[rstest]
fn a_tree_beside_the_application_is_removed(#[values(User::Own, User::Ordinary)] user: User) {
    let place = place(user);
    let build = and_then_builds("cd /var; perl -e 'for (1 .. 20000) { mkdir \"d\"; chdir \"d\" }'");
    let _slot = Slot::take();
    let run = place.run(&place.steps(&build));
    assert_eq!(run.status.code(), Some(0), "{}", shown(&run));
    passes_and_leaves_nothing(&place);
}

/// A user may close a folder to himself, which stops him from removing what is in it.
#[rstest]
fn a_closed_folder_is_read_and_removed(#[values(User::Own, User::Ordinary)] user: User) {
    let build = and_then_builds("mkdir -p x/y; touch x/y/z; chmod 000 x/y x");
    fails_and_leaves_nothing(&place(user), &build, "added /app/x/y/z");
}

#[rstest]
#[case::pipe(
    "mkfifo requirements.txt",
    "it left a named pipe in the place of a file (`/app/requirements.txt`) in /app"
)]
#[case::socket(
    "perl -MSocket -e 'socket S, AF_UNIX, SOCK_STREAM, 0; bind S, sockaddr_un(\"requirements.txt\")'",
    "it left a socket in the place of a file"
)]
#[case::sparse(
    "truncate -s 100G requirements.txt",
    "it left a file of 107374182400 bytes, more than the 16777216 that"
)]
#[case::chain(
    "perl -e 'for (1 .. 20000) { open F, \">r$_\"; print F \"-r r\", $_ + 1, \"\\n\"; close F }'; echo '-r r1' > requirements.txt",
    "it left more requirement files than are read"
)]
#[case::wide(
    "perl -e 'for (1 .. 300) { print \"-r large\\n\" }' > requirements.txt; perl -e 'print \"# x\\n\" x 2000000' > large",
    "it left more requirement files than are read"
)]
#[case::variables(
    "A=$(printf '%0100000d') pip --version; perl -e 'print \"-f \", q(${A}) x 9, \"\n\" for 1 .. 50' > requirements.txt",
    "it left more requirement files than are read"
)]
#[case::many(
    "perl -e 'print \"n$_\n\" for 1 .. 60000' > requirements.txt",
    "it left more requirement files than are read"
)]
#[case::constraints(
    "perl -e 'print \"n$_\n\" for 1 .. 40000' > c; perl -e 'print \"-c c\n\"; print \"n$_\n\" for 1 .. 40000' > requirements.txt",
    "it left more requirement files than are read"
)]
#[case::marker(
    "perl -e 'print \"six; \"; printf q(\"z%06d\" in os_name and ), $_ for 1 .. 30000; print q(\"z\" in os_name)' > requirements.txt",
    "it left more requirement files than are read"
)]
#[case::marker_of_differences(
    "perl -e 'print \"six; \"; printf q(os_name != \"a%05d\" and ), $_ for 1 .. 1500; print q(os_name != \"z\")' > requirements.txt",
    "it left more requirement files than are read"
)]
#[case::marker_of_alternatives(
    "perl -e 'print \"six; \"; printf q(\"a%1$02d\" in os_name and \"a%1$02d\" in sys_platform or ), $_ for 1 .. 200; print q(os_name == \"nt\")' > requirements.txt",
    "changed /app/requirements.txt"
)]
#[case::marker_of_strings("echo \"six; 'posix' ~= os_name\" > requirements.txt", "changed /app/requirements.txt")]
#[case::marker_of_numbers(
    "echo \"six; python_version <= '3.18446744073709551615'\" > requirements.txt",
    "changed /app/requirements.txt"
)]
#[case::name("perl -e 'print \"n\" x 15000000' > requirements.txt", "it left more requirement files than are read")]
fn requirement_files_of_any_kind_are_a_finding(
    #[values(User::Own, User::Ordinary)] user: User,
    #[case] made: &str,
    #[case] why: &str,
) {
    let build = and_then_builds(&format!("rm -f requirements.txt; {made}"));
    fails_and_leaves_nothing(&place(user), &build, why);
}

/// Neither how many there are nor how long their names are is the candidate's to choose.
#[test]
fn what_is_missing_is_told_in_few_words() {
    let place = place(User::Own);
    let installed = "perl -e 'print \"m$_\n\" for 1 .. 19000' > /tmp/m; pip install -U -r /tmp/m > /dev/null";
    let wanted = "perl -e 'print \"n$_\n\" for 1 .. 18000; print \"n\" x 900000' > requirements.txt";
    let run = fails_and_leaves_nothing(&place, &and_then_builds(&format!("{installed}; {wanted}")), "more installed");
    assert!(run.stdout.len() + run.stderr.len() < 100_000, "{}", shown(&run));
}

#[rstest]
#[case::variables(
    "mkdir -p .docker/user_vars; for i in 1 2 3; do truncate -s 900000 .docker/user_vars/V$i; done",
    "it left variables of more than 2097152 bytes together in /app"
)]
#[case::paths(
    "perl -e 'for (1 .. 15) { mkdir \"d\" x 255; chdir \"d\" x 255 } for (1 .. 9000) { open F, \">\", \"f\" x 200 . $_ }'",
    "it left files and folders whose paths have more than 33554432 bytes together in /app"
)]
#[case::pipe("rm -rf .docker; mkfifo .docker", "added /app/.docker")]
#[case::socket(
    "rm -rf .docker; perl -MSocket -e 'socket S, AF_UNIX, SOCK_STREAM, 0; bind S, sockaddr_un(\".docker\")'",
    "added /app/.docker"
)]
fn what_is_made_beside_requirements_is_a_finding(#[case] made: &str, #[case] why: &str) {
    fails_and_leaves_nothing(&place(User::Own), &and_then_builds(made), why);
}

/// What a hook leaves in a volume, and what is said of it.
const VOLUMES: [(&str, &str, &str); 3] = [
    ("deep", "perl -e 'for (1 .. 2000) { mkdir \"d\"; chdir \"d\" }'", "a folder tree deeper than 256 levels in /app"),
    ("sparse", "truncate -s 100G large", "files of more than 268435456 bytes together in /app"),
    (
        "long",
        "perl -e 'for (1 .. 18) { mkdir \"d\" x 255; chdir \"d\" x 255 } open F, \">x\"'",
        "a path longer than 4095 bytes in /app",
    ),
];

/// A suite in which hooks leave what is hostile in a volume, among it what would be waited for, or lead elsewhere.
fn volumes(suite: &Suite) {
    for (name, left, _) in VOLUMES {
        mounted(suite, name, "/app/none", &format!("mkfifo pipe; ln -s /etc/hostname link; ln -s / root\n{left}"));
    }
}

/// A scenario in which a hook does this in a volume, and what it may not change.
fn mounted(suite: &Suite, name: &str, unchanged: &str, hook: &str) {
    let scenario = format!(
        "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[serve]\nvolume = \"read-write\"\nunchanged = [\"{unchanged}\"]\n\
         [serve.volume_modes]\n\".docker/action_hooks/deploy\" = \"0755\"\n[[serve.http]]\npath = \"/\"\n"
    );
    suite.hello(name, &scenario);
    suite.write(&format!("{name}/volume/.docker/action_hooks/deploy"), &format!("#!/bin/sh\n{hook}\n"));
    suite.write(&format!("{name}/volume/wsgi.py"), APPLICATION);
}

/// What hooks leave of every kind, and how each is told.
const KINDS: [(&str, &str); 9] = [
    ("mkfifo pipe", "added /app/pipe"),
    ("mknod device c 1 3", "added /app/device"),
    ("perl -MSocket -e 'socket S, AF_UNIX, SOCK_STREAM, 0; bind S, sockaddr_un(\"socket\")'", "added /app/socket"),
    ("ln wsgi.py hard", "added /app/hard"),
    ("ln -s ../../../etc/shadow link", "added /app/link"),
    ("mkdir closed; echo x > closed/file; chmod 000 closed", "added /app/closed/file"),
    ("perl -e 'open F, \">\", \"any\\xff\\nbyte\" . \"s\" x 120'", "added /app/any\u{fffd}\nbytesss"),
    ("chown 4294967294 wsgi.py", "changed /app/wsgi.py"),
    ("chmod 1777 .", "changed /app,"),
];

#[test]
fn every_kind_of_change_on_a_volume_is_seen() {
    let suite = Suite::new();
    for (number, (hook, _)) in KINDS.iter().enumerate() {
        mounted(&suite, &format!("kind-{number}"), "/app", hook);
    }
    mounted(&suite, "nothing", "/app", "touch file; rm file");
    let run = suite.run();
    for (number, (hook, told)) in KINDS.iter().enumerate() {
        let name = format!("kind-{number}");
        assert_eq!(run.broken(&name), ["/app unchanged"], "{hook}: {}", run.output());
        let findings = run.reported(&name).unwrap()["findings"].as_array().unwrap();
        let got = findings.iter().find_map(|finding| finding["outcome"]["broken"]["got"].as_str()).unwrap();
        assert!(format!("{got},").contains(told), "{hook}: {got:?}");
    }
    assert_eq!(run.verdict("nothing"), "pass", "{}", run.output());
}

#[test]
fn volumes_of_any_content_are_findings() {
    let suite = Suite::new();
    volumes(&suite);
    let run = suite.run();
    for (name, _, why) in VOLUMES {
        assert_eq!(run.verdict(name), "fail", "{}", run.output());
        assert_eq!(run.broken(name), ["limit of the container's files"], "{}", run.output());
        assert!(run.scenario(name).contains(why), "no {why}: {}", run.scenario(name));
    }
    run.assert().code(1);
    let left = volumes_of(&docker_host());
    let run = run.report["run"]["run"].as_str().expect("the id of the run").to_owned();
    assert!(!left.iter().any(|name| name.contains(&run)), "{left:?}");
}

/// In a sandbox sizes are compared, and not contents.
#[rstest]
fn volumes_of_sandboxes_of_any_content_are_findings(#[values(User::Own, User::Ordinary)] user: User) {
    let place = Place::of(user);
    volumes(place.suite());
    let _slot = Slot::take();
    let run = place.call(&["run", "--tier", "contract", "=deep"]).output().unwrap();
    assert_eq!(run.status.code(), Some(1), "{}", shown(&run));
    assert!(text(&run).contains(VOLUMES[0].2), "{}", shown(&run));
}

/// What a run left that cannot be removed stops no later one: it is put aside once, and told.
#[test]
fn what_cannot_be_removed_is_put_aside_and_stops_nobody() {
    let place = place(User::Ordinary);
    if !place.is_of_another_user() {
        return;
    }
    let _slot = Slot::take();
    passes_and_leaves_nothing(&place);
    // The folder of a run that was killed, with a file in it that the user may not remove.
    let stale = place.sandboxes().join("run-Stale0");
    fs::create_dir_all(stale.join("inner")).unwrap();
    fs::write(stale.join("inner/file"), "").unwrap();
    let owner = fs::metadata(place.sandboxes()).map(|folder| std::os::unix::fs::MetadataExt::uid(&folder)).unwrap();
    std::os::unix::fs::chown(&stale, Some(owner), Some(owner)).unwrap();
    let steps = place.steps(&and_then_builds(""));
    let run = place.run(&steps);
    assert_eq!(run.status.code(), Some(0), "{}", shown(&run));
    let told = "run-Stale0 cannot be removed";
    assert!(text(&run).contains(told) && text(&run).contains("was put aside: "), "{}", shown(&run));
    let next = place.run(&steps);
    assert_eq!(next.status.code(), Some(0), "{}", shown(&next));
    assert!(!text(&next).contains(told), "{}", shown(&next));
    let pruned = place.call(&["prune"]).output().unwrap();
    // The engine that is named does not answer, which is told, too.
    assert_eq!(pruned.status.code(), Some(3), "{}", shown(&pruned));
    assert!(text(&pruned).contains(told), "{}", shown(&pruned));
}

/// A folder of steps in which one file is something else.
fn steps_with(place: &Place, name: &str, make: impl Fn(&Path)) -> String {
    let folder = place.steps(&and_then_builds(""));
    make(&folder.join(name));
    folder.to_str().unwrap().to_owned()
}

fn refused(run: &Output, words: &[&str]) {
    assert_eq!(run.status.code(), Some(2), "{}", shown(run));
    for word in words {
        assert!(text(run).contains(word), "no {word}: {}", shown(run));
    }
    assert!(!text(run).contains(SECRET), "{}", shown(run));
}

#[rstest]
fn links_in_a_candidates_folder_are_refused(#[values(User::Own, User::Ordinary)] user: User) {
    let place = place(user);
    let secret = place.path().join("secret");
    fs::write(&secret, SECRET).unwrap();
    let _slot = Slot::take();
    for target in ["/proc/self/environ", secret.to_str().unwrap(), "nowhere"] {
        let steps = steps_with(&place, "mod_wsgi-docker-environment", |path| {
            drop(fs::remove_file(path));
            symlink(target, path).unwrap();
        });
        let whole = place.whole_suite();
        let verify = ["verify", "--tier", "contract", "--suite", whole.to_str().unwrap()];
        for words in [["run", "--tier", "contract", "--steps"].as_slice(), &verify] {
            let run = place.call(&[words, &[&steps]].concat()).env("A_PASSWORD", SECRET).output().unwrap();
            let link = format!("steps/mod_wsgi-docker-environment` is a symbolic link to `{target}`");
            refused(&run, &[&link, "hint: put a copy of the file in the place of the link"]);
        }
    }
}

#[rstest]
#[case::pipe("mkfifo \"$0\"", "is a named pipe, not a regular file")]
#[case::sparse("truncate -s 100G \"$0\"", "a file of 107374182400 bytes, more than the 67108864 that are read")]
fn what_is_no_file_of_a_step_is_refused(#[case] make: &str, #[case] why: &str) {
    let place = place(User::Own);
    let _slot = Slot::take();
    let steps = steps_with(&place, "mod_wsgi-docker-folder", |path| {
        assert!(Command::new("sh").args(["-c", make]).arg(path).status().unwrap().success());
    });
    let run = place.call(&["run", "--tier", "contract", "--steps", &steps]).output().unwrap();
    refused(&run, &[why, "mod_wsgi-docker-folder"]);
    // The step itself: it is looked at before.
    let step = Path::new(&steps).join("mod_wsgi-docker-build");
    fs::remove_file(&step).unwrap();
    assert!(Command::new("sh").args(["-c", make]).arg(&step).status().unwrap().success());
    fs::set_permissions(&step, fs::Permissions::from_mode(0o755)).unwrap();
    fs::remove_file(Path::new(&steps).join("mod_wsgi-docker-folder")).unwrap();
    let whole = place.whole_suite();
    let run =
        place.call(&["verify", "--tier", "contract", "--suite", whole.to_str().unwrap(), &steps]).output().unwrap();
    refused(&run, &[why, "mod_wsgi-docker-build"]);
}

#[test]
fn links_of_folders_that_images_are_built_from_are_refused() {
    let place = place(User::Own);
    let (folder, outside) = (place.path().join("dockerfiles"), place.path().join("outside"));
    fs::create_dir_all(&outside).unwrap();
    fs::create_dir_all(&folder).unwrap();
    fs::write(outside.join("Dockerfile"), format!("FROM {SECRET}\nCOPY . /\n")).unwrap();
    symlink(&outside, folder.join("base")).unwrap();
    let run = place.call(&["run", "--dockerfile", folder.to_str().unwrap()]).output().unwrap();
    refused(&run, &["dockerfiles/base` is a symbolic link to `"]);
}

#[rstest]
#[case::scenario(
    "sample/scenario.toml",
    "sample/scenario.toml: the file cannot be read: `sample/scenario.toml` is a symbolic link"
)]
#[case::ignore_file("sample/app/.dockerignore", "the symbolic link `.dockerignore` leads out")]
#[case::contract("contract.toml", "contract.toml")]
fn links_out_of_a_suite_are_refused(#[case] link: &str, #[case] why: &str) {
    let place = place(User::Own);
    let secret = place.path().join("secret");
    fs::write(&secret, format!("[{SECRET}\n")).unwrap();
    let path = place.suite().path().join("scenarios").join(link);
    drop(fs::remove_file(&path));
    symlink(&secret, &path).unwrap();
    let run = place.call(&["run", "--tier", "contract"]).output().unwrap();
    refused(&run, &[why]);
}
