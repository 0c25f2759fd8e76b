//! The start step in the sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::start::{self, Awaited};
use super::{APP, Examination, TierError, aside, files, snapshot};
use crate::beneath::{BeneathError, Bound};
use crate::check;
use crate::check::captured::Captured;
use crate::check::evidence::EndEvidence;
use crate::contract_tier::sandbox::{SandboxError, Start, unpack};
use crate::contract_tier::stub::express;
use crate::contract_tier::stub::record::{Call, Effect, Orders};
use crate::outcome::{ClauseId, NotRun, Stage};
use crate::suite::scenario::{ServeExpectation, volume_context};

/// The start step's program.
const STEP: &str = "/usr/local/bin/mod_wsgi-docker-start";
/// How much variables may have together, in bytes. The kernel gives no program as much (`execve(2)`).
const MAX_VARIABLES: usize = 2 << 20;
/// How long reading variables may take. Honest ones take milliseconds.
const READING: Duration = Duration::from_secs(5);
/// What a variable takes beside its name and value: a sign, an end, an address.
const OVERHEAD: usize = 10;
/// Variables that some shells do not let be set.
const READ_ONLY: [&str; 7] = ["BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID", "_"];

impl Examination<'_> {
    /// Runs the start step with these arguments, or with those of the scenario, and checks the result.
    pub(super) async fn serve(&mut self, command: &[String]) -> Result<(), TierError> {
        let scenario = self.scenario;
        let Some(serve) = &scenario.serve else { return Ok(()) };
        let Some(user) = user_of(serve) else {
            self.examined.not_run.push(NotRun::UserByName);
            return Ok(());
        };
        let begun = Instant::now();
        let scope = self.scope.at(Stage::Probe);
        let volume = self.volume(serve).await?;
        let root = match &volume {
            Some(folder) => files::Root::of_volume(folder, self.workspace.user())?,
            None => self.root.clone(),
        };
        let arguments = serve.start.arguments.clone().unwrap_or_else(|| command.to_vec());
        let folder = self.folder(&root);
        let there_before = read_variables(&root, folder).await?;
        let hooks = root.in_app(folder).join("action_hooks");
        let has_hooks = ["deploy-env", "deploy"].iter().any(|name| root.is_there(&hooks.join(name)));
        let before = match self.built.take().filter(|_| volume.is_none()) {
            // What hooks change is theirs, unless it is said.
            _ if has_hooks && serve.unchanged.is_empty() => None,
            Some(built) => Some(built),
            None => Some(snapshot(&root).await?),
        };

        let mut log = Captured::default();
        let mut exit_code = None;
        for _ in 0..if serve.restart.is_some() { 2 } else { 1 } {
            self.workspace.order(&Orders::of(self.pip))?;
            let mut words = vec![STEP.to_owned()];
            words.extend(arguments.iter().cloned());
            let mut start = Start {
                user,
                read_only: serve.start.read_only,
                keeps_tmp: serve.restart.is_some(),
                tmpfs: serve.start.tmpfs.keys().cloned().collect(),
                volume: volume.as_ref().map(|folder| {
                    (folder.as_path(), serve.start.volume.as_ref().is_some_and(|volume| volume.writable))
                }),
                ..self.start(words, self.limits.ready())
            };
            start.environment.extend(serve.start.environment.clone());
            let end = self.run(&start).await?;
            exit_code = end.exit_code;
            log = log.then(end.log);
        }
        let now = read_variables(&root, folder).await?;
        let calls = self.workspace.calls();
        let serving: Vec<&Call> = calls.iter().filter(|call| call.effect == Effect::Serves).collect();
        let at = scenario.summary.at.clone();
        if let Some(end) = &serve.end {
            let evidence = EndEvidence { exit_code, waited: begun.elapsed() };
            self.add(check::end::check(&scope, end, &evidence));
        } else {
            let gone: BTreeSet<String> = there_before.keys().filter(|name| !now.contains_key(*name)).cloned().collect();
            let given = serve.start.environment.clone();
            let by_name = |name: &str| given.get(name).cloned().unwrap_or_else(|| "www-data".to_owned());
            let identity = (by_name("MOD_WSGI_USER"), by_name("MOD_WSGI_GROUP"));
            let mut environment = given;
            environment.extend(now);
            // The SHOULDs count in the scenarios that cover them.
            let serves = [1, 17, 21, 24].map(ClauseId::start).to_vec();
            // Of a log that was cut the rest is not known.
            let told = |what| log.all().map_or(true, |lines| lines.iter().any(|line| line.contains(what)));
            let awaited = Awaited {
                at: at.clone(),
                serves,
                arguments,
                requests: serve.http.clone(),
                user: user.0,
                environment,
                unset: gone,
                identity,
                error_log: told(express::READY),
                access_log: told(express::URL),
                python: self.pip.python,
            };
            self.add(start::check(&scope, &awaited, &serving));
            self.add(start::ended(&scope, &at, exit_code).into_iter().collect());
        }
        if let Some(before) = before {
            let changes = aside(move || Ok(before.changes(&root.snapshot(Some(&before))?, APP))).await?;
            self.add(start::untouched(&scope, &at, &changes).into_iter().collect());
        }
        let expected = ServeExpectation { tool_log: Vec::new(), ..serve.clone() };
        self.add(check::serve::log(&scope, &expected, &log));
        self.log("container log", log);
        self.examined.stages.push((Stage::Probe, begun.elapsed()));
        Ok(())
    }

    /// The folder with the files of the scenario's volume.
    async fn volume(&self, serve: &ServeExpectation) -> Result<Option<PathBuf>, TierError> {
        let Some(volume) = &serve.start.volume else { return Ok(None) };
        let (archive, folder, user) = (volume_context(volume)?, self.workspace.volume(), self.workspace.user());
        aside(move || {
            std::fs::create_dir(&folder).map_err(SandboxError::io(&folder))?;
            unpack(&archive, &folder, user)?;
            Ok(Some(folder))
        })
        .await
    }
}

/// The user and group that the container is started as; `None` for names.
fn user_of(serve: &ServeExpectation) -> Option<(u32, u32)> {
    let Some(user) = &serve.start.user else { return Some((0, 0)) };
    let (user, group) = user.split_once(':').unwrap_or((user, "0"));
    Some((user.parse().ok()?, group.parse().ok()?))
}

/// As [`variables`], beside all else.
async fn read_variables(root: &files::Root, folder: &'static str) -> Result<BTreeMap<String, String>, TierError> {
    let root = root.clone();
    aside(move || variables(&root, folder)).await
}

/// The variables that the files of `user_vars` stand for: the whole content, but for the last line end.
fn variables(root: &files::Root, folder: &str) -> Result<BTreeMap<String, String>, TierError> {
    let user_vars = root.in_app(folder).join("user_vars");
    let usable = |name: &String| {
        !READ_ONLY.contains(&name.as_str())
            && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
            && name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
            && !root.is_folder(&user_vars.join(name))
    };
    let more = || TierError::Left { what: format!("variables of more than {MAX_VARIABLES} bytes together") };
    let mut variables = BTreeMap::new();
    let mut left = MAX_VARIABLES;
    let begun = Instant::now();
    for name in root.entries(&user_vars)? {
        // Each name may lead through many links.
        if begun.elapsed() > READING {
            return Err(TierError::Left { what: "variables that take too long to read".to_owned() });
        }
        if !usable(&name) {
            continue;
        }
        let text = match root.small(&user_vars.join(&name), left as u64) {
            Ok(content) => String::from_utf8_lossy(&content).into_owned(),
            Err(error) if error.is_absent() => continue,
            Err(BeneathError::Bound(Bound::Large { .. })) => return Err(more()),
            Err(error) => return Err(error.into()),
        };
        left = left.checked_sub(name.len() + text.len() + OVERHEAD).ok_or_else(more)?;
        let text = text.strip_suffix('\n').map_or(text.clone(), str::to_owned);
        variables.insert(name, text);
    }
    Ok(variables)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;
    use crate::contract_tier::sandbox::HostUser;

    #[test]
    fn variables_are_read_up_to_what_a_program_can_be_given() {
        let folder = tempfile::tempdir().unwrap();
        let files = folder.path().join("app/.docker/user_vars");
        fs::create_dir_all(&files).unwrap();
        let root = files::Root::of_sandbox(folder.path(), HostUser::Same).unwrap();
        fs::write(files.join("A"), "a\n\n").unwrap();
        assert_eq!(variables(&root, ".docker").unwrap(), BTreeMap::from([("A".to_owned(), "a\n".to_owned())]));
        for (number, size) in [(2, 1_100_000), (1, 1 << 40)] {
            for index in 0..number {
                fs::File::create(files.join(format!("V{index}"))).unwrap().set_len(size).unwrap();
            }
            let error = variables(&root, ".docker").unwrap_err();
            assert_eq!(error.to_string(), "the candidate left variables of more than 2097152 bytes together in /app");
        }
    }
}
