//! The start step.

use std::ffi::OsStr;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio, exit};

use compiled_alternative::{Environment, folder, give, hook, say, target, variables};

/// Has Python say by its exit code whether it finds a module.
const FINDS: &str = "
import sys
try:
    from importlib.machinery import PathFinder
    found = PathFinder.find_spec(sys.argv[1])
except ImportError:
    import imp
    found = imp.find_module(sys.argv[1])
sys.exit(0 if found else 1)
";

fn main() {
    let arguments: Vec<String> =
        std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect();
    if is_shell_form(&arguments) {
        eprintln!("CMD is in shell form: only a list with double quotes is taken as arguments");
        exit(1);
    }
    let folder = folder();
    let mut environment: Environment = set(variables::read(&folder));
    // This hook may write further variables, and take some away.
    hook(&folder, "deploy-env", &environment);
    for value in environment.values_mut() {
        *value = None;
    }
    environment.extend(set(variables::read(&folder)));
    for path in variables::passed_over(&folder) {
        say(format!("WARNING: {} is passed over: no variable can have this name", path.display()));
    }
    hook(&folder, "deploy", &environment);

    // mod_wsgi-express would serve errors for ever instead of saying so.
    if let Some(what) = target::missing(&arguments, &python_finds) {
        eprintln!("there is no {what}");
        exit(1);
    }
    let variable = |name: &str, otherwise: &str| {
        let own = environment.get(OsStr::new(name)).cloned().unwrap_or_else(|| std::env::var_os(name));
        own.unwrap_or_else(|| otherwise.into())
    };
    let mut express = Command::new("mod_wsgi-express");
    give(&mut express, &environment);
    express.args(["start-server", "--port", "80", "--log-to-terminal", "--startup-log", "--access-log"]);
    let mut locale = variable("LANG", "C.UTF-8");
    if !is_known(&locale) {
        locale = "C.UTF-8".into();
    }
    express.env("LANG", &locale).arg("--locale").arg(&locale);
    // Apache starts as root, for the port, and runs the application as this user. Started as another user it stays that.
    if is_root() {
        express.arg("--user").arg(variable("MOD_WSGI_USER", "www-data"));
        express.arg("--group").arg(variable("MOD_WSGI_GROUP", "www-data"));
    }
    // Apache becomes process 1, so that the engine's SIGTERM reaches it.
    let error = express.args(std::env::args_os().skip(1)).exec();
    eprintln!("mod_wsgi-express: {error}");
    exit(127);
}

fn set(variables: Vec<variables::Variable>) -> Environment {
    variables.into_iter().map(|(name, value)| (name, Some(value))).collect()
}

/// Whether these are what the builder makes of a CMD that is not a list.
fn is_shell_form(arguments: &[String]) -> bool {
    matches!(arguments, [shell, option, ..] if shell.contains("/bin/") && shell.ends_with("sh") && option.starts_with('-'))
}

/// Whether the image has this locale; of one that it does not have `locale` complains.
fn is_known(locale: &OsStr) -> bool {
    let output = Command::new("locale").env("LC_ALL", locale).output();
    !locale.is_empty() && output.is_ok_and(|output| output.stderr.is_empty())
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

fn python_finds(module: &str) -> bool {
    let mut python = Command::new("python");
    python.args(["-c", FINDS, module]).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}
