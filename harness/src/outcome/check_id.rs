//! The checks that the suite makes, each with an id that files, reports and the contract name it by.

use std::fmt;

use serde::Deserialize;

use super::level::Level;

/// Defines the ids: variant, id, level, the words of its findings, and what it checks. In the words `{of}` stands for the
/// finding's subject, and `{detail}` for what else tells it from others.
macro_rules! checks {
    ($($variant:ident $id:literal $level:ident $words:literal, $says:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        pub(crate) enum CheckId {
            $(#[doc = $says] $variant,)+
        }

        impl CheckId {
            /// All of them, grouped by what they look at.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant,)+];

            /// Its id, as files and reports write it.
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $id,)+ }
            }

            /// How binding it is where nothing says otherwise.
            pub(crate) fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)+ }
            }

            /// What it checks, in one sentence.
            pub(crate) fn says(self) -> &'static str {
                match self { $(Self::$variant => $says,)+ }
            }

            /// The words of its findings, with their placeholders.
            fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)+ }
            }
        }
    };
}

checks! {
    BuildOutcome "build-outcome" Must "build outcome", "The build succeeds, fails with one of the exit codes, or with any but 0, as declared.";
    BuildFailurePhase "build-failure-phase" Must "build failure's phase", "A build that must fail fails in the declared phase, or in a later one where its clause leaves that open.";
    BuildFailureReason "build-failure-reason" Must "build failure's reason", "The log of the phase that fails says why, in words that match.";
    BuildFailureAnnounced "build-failure-announced" Should "build failure's phase announced", "A build that must fail announces the phase in which it fails.";
    BuildPhases "build-phases" Should "build phases", "The phases announce themselves, in the declared order.";
    BuildLog "build-log" Must "build log has {detail}", "A line of the build log matches, after the one that the pattern before it matched.";
    BuildLogAbsent "build-log-absent" Must "build log without {detail}", "No line of the build log matches.";
    BuildLogShould "build-log-should" Should "build log should have {detail}", "A line of the build log matches, where wording is a SHOULD.";
    RebuildOutcome "rebuild-outcome" Must "rebuild {of} outcome", "A build done again on the layer cache succeeds.";
    RebuildLog "rebuild-log" Must "log of rebuild {of} has {detail}", "A line of a rebuild's log matches.";
    RebuildLogAbsent "rebuild-log-absent" Must "log of rebuild {of} without {detail}", "No line of a rebuild's log matches.";

    ImageAvailable "image-available" Must "{of}", "An image that the scenario needs can be built.";
    ImageTriggers "image-triggers" Must "image triggers", "The image has exactly these ONBUILD triggers, in order.";
    ImageEntryPoint "image-entry-point" Must "image entry point", "The image has exactly this ENTRYPOINT.";
    ImageCommand "image-command" Must "image command", "The image has exactly this CMD.";
    ImageExposedPorts "image-exposed-ports" Must "image exposed ports", "The image exposes exactly these ports.";
    ImageWorkingDirectory "image-working-directory" Must "image working directory", "The image has this WORKDIR.";
    ImageUser "image-user" Must "image user", "The image has this USER.";
    ImageSize "image-size" Must "image size", "The image is no larger than its budget.";
    ImageEnvironment "image-environment" Must "image environment {of}", "A variable of the image has a value that matches.";
    ImageLabel "image-label" Must "image label {of}", "A label of the image has a value that matches.";

    FileExists "file-exists" Must "file {of} exists", "Something is at the path.";
    FileAbsent "file-absent" Must "file {of} is absent", "Nothing is at the path.";
    FileEmpty "file-empty" Must "file {of} is empty", "The path is a directory without entries, or is absent.";
    FileMode "file-mode" Must "file {of} mode", "The path has these permission bits.";
    FileOwner "file-owner" Must "file {of} owner", "The path belongs to this user and group.";
    FileContent "file-content" Must "file {of} content", "The file's content matches.";

    CommandExitCode "command-exit-code" Must "command `{of}` exit code", "A command in a container ends with this exit code.";
    CommandOutput "command-output" Must "command `{of}` output", "A command's output matches.";
    CommandOutputAbsent "command-output-absent" Must "command `{of}` output without {detail}", "A command's output does not match.";

    StructureTest "structure-test" Must "structure test {of}: {detail}", "What a test of a container-structure-test file asks for.";

    HttpStatus "http-status" Must "{of} status", "The answer to a request has this status.";
    HttpHeader "http-header" Must "{of} header {detail}", "A header of the answer matches.";
    HttpHeaderAbsent "http-header-absent" Must "{of} without header {detail}", "The answer does not have a header.";
    HttpBody "http-body" Must "{of} body", "The answer's body matches; an answer to HEAD has none.";
    HttpBodyAbsent "http-body-absent" Must "{of} body without {detail}", "The answer's body does not match.";
    HttpLength "http-length" Must "{of} length", "The answer's body has this many bytes.";
    HttpSha256 "http-sha256" Must "{of} sha256", "The answer's body has this SHA-256.";

    ContainerLog "container-log" Must "container log has {detail}", "A line of the container's log matches, after the one that the pattern before it matched.";
    ContainerLogAbsent "container-log-absent" Must "container log without {detail}", "No line of the container's log matches.";
    ContainerLogShould "container-log-should" Should "container log should have {detail}", "A line of the container's log matches, where wording is a SHOULD.";
    ContainerStarts "container-starts" Must "{of} starts", "The engine can make a container of the image and start it.";
    PathUnchanged "path-unchanged" Must "{of} unchanged", "The container changes nothing at or below the path.";
    StopTime "stop-time" Must "stop time", "The container runs until SIGTERM, and then ends by itself in time.";
    StopExitCode "stop-exit-code" Must "stop exit code", "The stopped container has this exit code.";
    EndTime "end-time" Must "end time", "A container that must end by itself does so in time.";
    EndExitCode "end-exit-code" Must "end exit code", "A container that must end by itself has this exit code.";

    LimitTime "limit-time" Must "limit of the {of}'s time", "A build ends within the time limit.";
    LimitLogSize "limit-log-size" Must "limit of the {of}'s log size", "A log stays within its size limit.";
    LimitDiskSpace "limit-disk-space" Must "limit of the {of}'s disk space", "What is written stays within the disk limit.";
    LimitFiles "limit-files" Must "limit of the {of}'s files", "The files that are left can be read: their number, depth and size are bounded.";

    RequirementInstalled "requirement-installed" Must "{of} installed", "Contract tier: pip is asked to install the requirement.";
    RequirementWhole "requirement-whole" Must "{of} whole", "Contract tier: a requirement is installed with what it depends on, and from sources where that is all there is.";
    RequirementUpgraded "requirement-upgraded" Must "{of} upgraded", "Contract tier: a newer release is installed over an older one.";
    RequirementReleased "requirement-released" Must "{of} released", "Contract tier: a requirement that does not ask for a pre-release does not get one.";
    SetupPyLeftAlone "setup-py-left-alone" Must "setup.py left alone", "Contract tier: the application itself is not installed where nothing asks for it.";
    VcsInstalled "vcs-installed" Must "{of} installed", "Contract tier: git or Mercurial is installed where a requirement needs it.";
    VcsNotInstalled "vcs-not-installed" Must "{of} not installed", "Contract tier: git or Mercurial is not installed where nothing needs it.";
    VcsBeforeRequirements "vcs-before-requirements" Must "{of} before the requirements", "Contract tier: git or Mercurial is installed before it is needed.";
    GitBeforeMercurial "git-before-mercurial" Must "git before Mercurial", "Contract tier: where both are needed git is installed before Mercurial.";
    GitAlone "git-alone" Should "git alone", "Contract tier: git is installed without recommended packages.";
    PackageListsLeft "package-lists-left" Must "no package lists left", "Contract tier: the build step leaves no package lists of apt.";
    ArchivesLeft "archives-left" Should "no fetched archives of packages left", "Contract tier: the build step leaves no archives that apt fetched.";
    CheckoutsKept "checkouts-kept" Must "checkouts kept", "Contract tier: checkouts of editable requirements stay.";
    ToolMessage "tool-message" Must "message of the tool that failed", "Contract tier: what a failing tool says is in the log.";
    NothingAfterTool "nothing-after-tool" Must "nothing called after the tool that failed", "Contract tier: the build step calls nothing after a tool that failed.";
    NothingAfterHook "nothing-after-hook" Must "nothing called after the hook that failed", "Contract tier: the build step calls nothing after a hook that failed.";
    BuildLeavesFiles "build-leaves-files" Must "application's files after the build", "Contract tier: the build step changes none of the application's files.";

    ServerStarted "server-started" Must "mod_wsgi-express started", "Contract tier: the start step runs mod_wsgi-express start-server, once.";
    ServerIsProcessOne "server-is-process-1" Must "mod_wsgi-express is process 1", "Contract tier: the start step becomes mod_wsgi-express.";
    ServerPort "server-port" Must "port 80", "Contract tier: the server gets port 80.";
    ServerTakes "server-takes" Must "requests that the server takes", "Contract tier: the server takes bodies as large, and requests as many at once, as the scenario sends.";
    ServerArguments "server-arguments" Must "arguments of CMD", "Contract tier: the server gets the arguments of CMD.";
    ServerFolder "server-folder" Must "working directory", "Contract tier: the server starts in /app.";
    ServerFolderOption "server-folder-option" Must "working directory by option", "Contract tier: the application works in the folder that CMD names, or in /app.";
    ServerUser "server-user" Must "application's user", "Contract tier: the application does not run as root.";
    ServerLocale "server-locale" Should "application's locale", "Contract tier: mod_wsgi-express gets no locale of the start step's own without UTF-8, and where the LANG that is given is empty or not in the image, it gets another one, in UTF-8.";
    ServerUserByName "server-user-by-name" Should "application's user by name", "Contract tier: the application's user and group are those that variables name.";
    ServerOption "server-option" Must "{of} given", "Contract tier: the server gets the option.";
    VariableSet "variable-set" Must "variable {of}", "Contract tier: the server has the variable, with its value.";
    VariableNotSet "variable-not-set" Must "variable {of} not set", "Contract tier: the server does not have the variable.";
    StartExitCode "start-exit-code" Must "exit code of the start step", "Contract tier: the start step ends as mod_wsgi-express does.";
    StartLeavesFiles "start-leaves-files" Must "application's files after the start", "Contract tier: the start step changes none of the application's files.";

    ControlListed "control-listed" Must "control {of}", "A control breaks the clauses that it lists, and no others.";
}

impl CheckId {
    /// The words of a finding: its words with the placeholders filled.
    pub(super) fn name(self, of: &str, detail: &str) -> String {
        // The subject comes from outside and may hold braces, so it goes in last.
        match self.words().split_once("{of}") {
            Some((before, after)) => format!("{before}{of}{}", after.replace("{detail}", detail)),
            None => self.words().replace("{detail}", detail),
        }
    }
}

impl TryFrom<String> for CheckId {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let known = Self::ALL.iter().copied().find(|check| check.as_str() == text);
        known.ok_or_else(|| format!("no check has the ID `{text}`; `wsgi-proof checks` lists them"))
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl serde::Serialize for CheckId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn ids_are_unique_and_in_kebab_case() {
        let ids: BTreeSet<&str> = CheckId::ALL.iter().map(|check| check.as_str()).collect();
        assert_eq!(ids.len(), CheckId::ALL.len());
        let fits = |id: &&&str| id.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == '-');
        assert_eq!(ids.iter().filter(fits).count(), ids.len());
    }

    #[test]
    fn words_name_subject_and_detail() {
        assert_eq!(CheckId::HttpHeader.name("GET /{detail}", "Location"), "GET /{detail} header Location");
        assert_eq!(CheckId::BuildLog.name("", "/x/"), "build log has /x/");
    }
}
