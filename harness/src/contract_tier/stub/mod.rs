//! Stubs of pip, apt-get, git, hg and mod_wsgi-express, for the contract tier: this very program under other names, in the
//! sandbox. They record their calls, do as little as lets the build go on, and fail when they have orders to.

pub(in crate::contract_tier) mod apt;
pub(crate) mod express;
mod pip;
pub(crate) mod record;
mod vcs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use procfs::process::{Process, Status};
use rustix::process::{Resource, Rlimit, getpid, kill_process, setrlimit};

use crate::suite::scenario::Signal;
use record::{Call, Effect, Failure, GIVEN, Orders, Tool};

/// The exit code of a stub that cannot do its work: the sandbox is not as it must be.
pub(crate) const BROKEN: i32 = 125;

/// The most that is read of an answer, in bytes.
const MAX_ANSWER: u64 = 1 << 10;

/// The name of the program that pip's own modules, as the sandbox has them, ask what requirement files say.
pub(crate) const PIP_READER: &str = "pip-reader";

/// What comes before the name of a module, or of an attribute, that the stub of pip does not have.
const UNKNOWN: &str = "--unknown";
const SIGTERM: u8 = 15;

/// The result of a stub.
struct Done {
    effect: Effect,
    exit_code: i32,
    /// The signal by which it ends instead.
    signal: Option<Signal>,
}

impl Done {
    fn nothing(exit_code: i32) -> Self {
        Self { effect: Effect::None, exit_code, signal: None }
    }

    /// It did something.
    fn with(effect: Effect) -> Self {
        Self { effect, ..Self::nothing(0) }
    }

    /// It fails as it was ordered to.
    fn failing(failure: &Failure) -> Self {
        let exit_code = failure.signal.map_or(failure.exit_code, |signal| 128 + i32::from(signal.number()));
        Self { signal: failure.signal, ..Self::nothing(exit_code) }
    }
}

/// Acts as the program that the process was started as, if that is one with a stub and this is the sandbox; the exit code.
pub fn main() -> Option<i32> {
    let mut arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned());
    let name = arguments.next()?;
    let program = Path::new(&name).file_name()?.to_str()?;
    if !Path::new(GIVEN).join(record::ORDERS_FILE).exists() {
        return None;
    }
    let arguments: Vec<String> = arguments.collect();
    let ended = if program == PIP_READER { read(&arguments) } else { act(tool(program)?, &arguments) };
    Some(ended.unwrap_or_else(|error| {
        complain(&format!("stub of {name}: {error}"));
        BROKEN
    }))
}

fn tool(name: &str) -> Option<Tool> {
    match name {
        "apt-get" | "apt" => Some(Tool::Apt),
        "pip" | "pip2" | "pip3" => Some(Tool::Pip),
        "git" => Some(Tool::Git),
        "hg" => Some(Tool::Hg),
        "mod_wsgi-express" => Some(Tool::ModWsgiExpress),
        _ => None,
    }
}

/// What pip's own modules read, which is no call of pip and leaves no record; or that a step asked for one that is not there.
fn read(arguments: &[String]) -> std::io::Result<i32> {
    match arguments {
        [file] => Ok(pip::modules::read(file, &environment(), &folder(), Orders::read()?.pip)),
        [word, name] if word == UNKNOWN => {
            let (environment, folder) = (environment(), folder());
            record(Tool::Pip, arguments, environment, folder, Effect::Unknown(name.clone()), 0)?;
            Ok(0)
        }
        _ => Ok(BROKEN),
    }
}

fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .map(|(name, value)| (name.to_string_lossy().into_owned(), value.to_string_lossy().into_owned()))
        .collect()
}

/// The working directory, by a name that can be written down.
fn folder() -> PathBuf {
    match std::env::current_dir() {
        Ok(folder) if folder.to_str().is_some() => folder,
        // Its name is no UTF-8, and this leads there, too.
        Ok(_) => PathBuf::from("/proc/self/cwd"),
        Err(_) => PathBuf::from("/"),
    }
}

fn act(tool: Tool, arguments: &[String]) -> std::io::Result<i32> {
    let orders = Orders::read()?;
    let (environment, folder) = (environment(), folder());
    let Done { effect, exit_code, signal } = match tool {
        Tool::Apt => apt::act(arguments, &environment, &orders)?,
        Tool::Pip => pip::act(arguments, &environment, &folder, &orders)?,
        Tool::Git | Tool::Hg => vcs::act(tool, arguments),
        Tool::ModWsgiExpress => express::act(arguments, &folder),
    };
    record(tool, arguments, environment, folder, effect, exit_code)?;
    if let Some(signal) = signal {
        end_by(signal)?;
    }
    Ok(exit_code)
}

/// Says a call to the outside.
fn record(
    tool: Tool,
    arguments: &[String],
    environment: BTreeMap<String, String>,
    folder: PathBuf,
    effect: Effect,
    exit_code: i32,
) -> std::io::Result<()> {
    let (user, process) = (rustix::process::geteuid().as_raw(), std::process::id());
    let status = status()?;
    let (hides, deaf) = (hides(&status), (status.sigblk >> (SIGTERM - 1)) & 1 == 1);
    let arguments = arguments.to_vec();
    Call { tool, arguments, folder, user, process, environment, effect, exit_code, hides, deaf }.say()
}

/// What the kernel knows of this process.
fn status() -> std::io::Result<Status> {
    Process::myself().and_then(|own| own.status()).map_err(std::io::Error::other)
}

/// The umask, where it has others than root not read what is made.
fn hides(status: &Status) -> Option<u32> {
    status.umask.filter(|umask| umask & 0o005 != 0)
}

/// Ends the process by a signal. Process 1 of the sandbox, whom the kernel spares, goes on to its exit code.
fn end_by(signal: Signal) -> std::io::Result<()> {
    // What is left of a large program has no place in the application's folder.
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    let signal = match signal {
        Signal::Kill => rustix::process::Signal::KILL,
        Signal::Term => rustix::process::Signal::TERM,
        Signal::Segv => rustix::process::Signal::SEGV,
    };
    // The runtime lets go of its own handler of faults with the first.
    for _ in 0..2 {
        kill_process(getpid(), signal)?;
    }
    Ok(())
}

/// Says on the terminal what the real program would say. A reader that has gone is no fault of the stub's.
fn say(line: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stdout(), "{line}"));
}

/// As [`say`], on standard error.
fn complain(line: &str) {
    use std::io::Write;
    drop(writeln!(std::io::stderr(), "{line}"));
}

/// Has one of the programs appear that are not there before they are installed.
fn appear(program: &str) -> std::io::Result<()> {
    let path = Path::new(record::PROGRAMS).join(program);
    std::fs::create_dir_all(record::PROGRAMS)?;
    match std::os::unix::fs::symlink(std::env::current_exe()?, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Takes away a program that has appeared.
fn disappear(program: &str) -> std::io::Result<()> {
    match std::fs::remove_file(Path::new(record::PROGRAMS).join(program)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Asks, and reads the answer from standard input; `usual` is what an empty line says. There may be nobody who answers.
fn agreed(question: &str, usual: bool) -> std::io::Result<Option<bool>> {
    use std::io::{BufRead, Read};
    say(question);
    let mut line = Vec::new();
    std::io::stdin().lock().take(MAX_ANSWER).read_until(b'\n', &mut line)?;
    Ok(answer(&line, usual))
}

/// What an answer says.
fn answer(line: &[u8], usual: bool) -> Option<bool> {
    match line.trim_ascii_start().first() {
        None if line.is_empty() => None,
        None => Some(usual),
        Some(first) => Some(first.eq_ignore_ascii_case(&b'y')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_answers_an_empty_line_or_a_word() {
        assert_eq!(answer(b"", true), None);
        assert_eq!((answer(b"\n", true), answer(b"\n", false)), (Some(true), Some(false)));
        assert_eq!(
            (answer(b"y\n", false), answer(b"Yes", false), answer(b"no\n", true)),
            (Some(true), Some(true), Some(false))
        );
    }
}
