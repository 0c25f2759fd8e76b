//! Tests of container-structure-test files, on the image of a scenario.

use std::collections::BTreeMap;

use super::Setup;
use super::refusal::Refusal;
use super::step::{Step, StepError, gone};
use crate::check;
use crate::check::scope::Scope;
use crate::engine::Invocation;
use crate::outcome::{Finding, Stage};
use crate::suite::structure::{CommandTest, StructureTest, expand};

/// What a command test is tried with.
struct Tried<'a> {
    image: &'a str,
    /// Variables of the image, with those that the file gives every test.
    variables: &'a BTreeMap<String, String>,
    /// The latter, as `NAME=VALUE`.
    given: &'a [String],
    user: Option<&'a str>,
    scope: &'a Scope,
}

impl Step<'_> {
    /// Tries the tests on an image: its configuration and files as `shipped`, commands in containers of `runnable`.
    pub(super) async fn structure(
        &mut self,
        test: &StructureTest,
        shipped: &str,
        runnable: &str,
    ) -> Result<(), StepError> {
        let engine = &self.setup.engine;
        let Some(image) = engine.inspect_image(shipped).await? else { return Err(gone(shipped)) };
        let mut variables = image.environment.clone();
        let mut given = Vec::new();
        for (name, value) in &test.environment {
            let value = expand(value, &image.environment);
            given.push(format!("{name}={value}"));
            variables.insert(name.clone(), value);
        }
        // A file that a command line names is not of the contract.
        let scope = if test.speaks_for_clauses { self.scope.clone() } else { Scope::default().at(Stage::Examine) };
        let user = test.user.as_deref();
        let tried = Tried { image: runnable, variables: &variables, given: &given, user, scope: &scope };
        for command in &test.commands {
            let mut made = Vec::new();
            let tried = self.structure_command(command, &tried, &mut made).await;
            let mut removed = Ok(());
            // Each is built on the one before it.
            for image in made.iter().rev() {
                removed = removed.and(self.setup.engine.remove_image(image).await);
            }
            // The test's own error comes first.
            self.part.findings.extend(tried?);
            removed?;
        }
        if !test.contents.is_empty() || !test.files.is_empty() {
            let (engine, run) = (&self.setup.engine, &self.setup.run);
            let container = engine.create_at_rest(shipped, "look", run).await?;
            let found = self.structure_files(test, &container, &variables, &scope).await;
            let removed = self.setup.engine.remove_container(&container).await;
            self.part.findings.extend(found?);
            removed?;
        }
        self.part.findings.extend(check::structure::metadata(&scope, &test.metadata, &image));
        Ok(())
    }

    /// Looks at files, one after the other: none is kept.
    async fn structure_files(
        &self,
        test: &StructureTest,
        container: &str,
        variables: &BTreeMap<String, String>,
        scope: &Scope,
    ) -> Result<Vec<Finding>, StepError> {
        let engine = &self.setup.engine;
        let mut findings = Vec::new();
        for test in &test.contents {
            let evidence = engine.content(container, &test.path).await?;
            findings.extend(check::structure::content(scope, test, &evidence));
        }
        for test in &test.files {
            let evidence = engine.entry(container, &expand(&test.path, variables)).await?;
            findings.extend(check::structure::existence(scope, test, evidence));
        }
        Ok(findings)
    }

    /// Tries a command; `made` gets the images that its set-up leaves.
    async fn structure_command(
        &self,
        test: &CommandTest,
        tried: &Tried<'_>,
        made: &mut Vec<String>,
    ) -> Result<Vec<Finding>, StepError> {
        let Setup { engine, network, run, .. } = self.setup;
        let limits = self.limits();
        let mut variables = tried.variables.clone();
        let own = test.environment.iter().map(|(name, value)| format!("{name}={value}"));
        let of_command: Vec<String> = tried.given.iter().cloned().chain(own).collect();
        let mut of_setup = tried.given.to_vec();
        if !test.setup.is_empty() {
            // The image that a set-up leaves has them, with what they name.
            for (name, value) in &test.environment {
                let value = expand(value, tried.variables);
                of_setup.push(format!("{name}={value}"));
                variables.insert(name.clone(), value);
            }
        }
        let of = |argv, environment| Invocation { argv, environment, user: tried.user, network, limits, run };
        for command in &test.setup {
            let image = made.last().map_or(tried.image, String::as_str);
            let invocation = of(command, &of_setup);
            match Refusal::of(engine.run_and_commit(image, invocation).await)? {
                Ok(Ok(left)) => made.push(left),
                Ok(Err(evidence)) => {
                    return Ok(check::structure::setup_failed(tried.scope, test, command, &evidence));
                }
                Err(refusal) => return self.structure_refused(refusal, test, tried, image, invocation).await,
            }
        }
        let image = made.last().map_or(tried.image, String::as_str);
        let argv: Vec<String> = test.run.iter().map(|word| expand(word, &variables)).collect();
        let invocation = of(&argv, &of_command);
        match Refusal::of(engine.run_apart(image, invocation).await)? {
            Ok(evidence) => Ok(check::structure::command(tried.scope, test, &evidence)),
            Err(refusal) => self.structure_refused(refusal, test, tried, image, invocation).await,
        }
    }

    /// Whose doing it is that the engine refuses a container.
    async fn structure_refused(
        &self,
        refusal: Refusal,
        test: &CommandTest,
        tried: &Tried<'_>,
        image: &str,
        invocation: Invocation<'_>,
    ) -> Result<Vec<Finding>, StepError> {
        let known = self.runs_known_good().await?;
        let again = self.setup.engine.run_apart(image, invocation).await;
        let message = refusal.words(known, again)?;
        Ok(vec![check::structure::refused(tried.scope, test, &message)])
    }
}
