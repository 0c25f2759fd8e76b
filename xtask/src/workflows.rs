//! What the repository's workflows must keep, so that nobody outside decides what runs in them: actions by the hash of a commit, no
//! expression in a script, few permissions, and checkouts that leave no credentials and name what they check out.
//!
//! They are read as lines, in the one form in which they are written here; what is in another form is a fault.

/// How many hexadecimal digits a commit's hash has.
const HASH: usize = 40;
/// Events that run with the secrets of the repository on what anybody proposes.
const TRIGGERS: [&str; 2] = ["pull_request_target", "workflow_run"];

/// What a release may write: its files, its image, and the proof of where they were built.
const RELEASES: [&str; 4] = ["contents", "packages", "id-token", "attestations"];

/// The faults of a workflow, each with its line.
pub(crate) fn faults(text: &str) -> Vec<String> {
    let lines: Vec<Line<'_>> = text.lines().map(Line::of).collect();
    let mut faults = Vec::new();
    if !lines.iter().any(|line| line.key == Some("permissions") && line.column == 0) {
        faults.push("1: no `permissions:` for the whole workflow".to_owned());
    }
    for (index, line) in lines.iter().enumerate() {
        let mut fault = |what: String| faults.push(format!("{}: {what}", index + 1));
        match line.key {
            Some("uses") => {
                if let Some(what) = unpinned(line) {
                    fault(what);
                }
                if line.value.starts_with("actions/checkout@") {
                    let step = step(&lines, index);
                    let has = |key: &str| step.iter().any(|one| one.key == Some(key) && !one.value.is_empty());
                    if !step.iter().any(|one| one.key == Some("persist-credentials") && one.value == "false") {
                        fault("a checkout without `persist-credentials: false`".to_owned());
                    }
                    if has("repository") && !has("ref") {
                        fault("a checkout of another repository without `ref:`".to_owned());
                    }
                }
            }
            Some("run" | "script") if below(&lines, index).iter().any(|line| line.text.contains("${{")) => {
                fault("an expression in a script: give it by `env:`".to_owned());
            }
            // Whoever may set a tag may release.
            Some(key) if RELEASES.contains(&key) && line.value == "write" && is_of_tags(&lines) => {}
            Some(key) if line.value == "write" || line.value == "write-all" => fault(format!("{key}: {}", line.value)),
            Some(key) if TRIGGERS.contains(&key) => fault(format!("the event {key}")),
            _ if line.text.contains("uses:") || TRIGGERS.iter().any(|event| line.text.contains(event)) => {
                fault("`uses` or an event in a form that is not understood here".to_owned());
            }
            _ => {}
        }
    }
    faults
}

/// A line, without its comment.
struct Line<'a> {
    text: &'a str,
    /// Where its key begins.
    column: usize,
    key: Option<&'a str>,
    value: &'a str,
    comment: &'a str,
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        let indent = line.len() - line.trim_start().len();
        let comment = if line.trim_start().starts_with('#') { Some(indent) } else { line.find(" #") };
        let (text, comment) = line.split_at(comment.unwrap_or(line.len()));
        let bare = text.trim_start().trim_start_matches("- ").trim_start();
        let column = text.len() - bare.len();
        let is_key = |key: &str| key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let pair = bare
            .split_once(':')
            .filter(|(key, rest)| is_key(key) && !key.is_empty() && (rest.is_empty() || rest.starts_with(' ')));
        let (key, value) = pair.map_or((None, ""), |(key, value)| (Some(key), value.trim()));
        Self { text, column, key, value, comment: comment.trim() }
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start().len()
    }
}

/// Whether nothing but a tag starts a workflow.
fn is_of_tags(lines: &[Line<'_>]) -> bool {
    let on = lines.iter().position(|line| line.key == Some("on") && line.column == 0);
    let events = on.map_or(&[][..], |on| below(lines, on));
    let keys = events.iter().filter(|line| !line.is_blank()).map(|line| line.key);
    keys.eq([Some("on"), Some("push"), Some("tags")])
}

/// Why what is used is not pinned.
fn unpinned(line: &Line<'_>) -> Option<String> {
    let used = line.value;
    if used.starts_with("./") {
        return None;
    }
    let hash = used.split_once('@').map_or("", |(_, hash)| hash);
    let is_hash = hash.len() == HASH && hash.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if !is_hash {
        return Some(format!("{used} is not pinned by the hash of a commit"));
    }
    let version = line.comment.trim_start_matches('#').trim();
    (!version.starts_with('v')).then(|| format!("{used}: no comment says which version it is"))
}

/// A key's line and all that is its value.
fn below<'a, 'b>(lines: &'a [Line<'b>], index: usize) -> &'a [Line<'b>] {
    let column = lines[index].column;
    let more = lines[index + 1..].iter().take_while(|line| line.is_blank() || line.indent() > column).count();
    &lines[index..=index + more]
}

/// The step that a line is in.
fn step<'a, 'b>(lines: &'a [Line<'b>], index: usize) -> &'a [Line<'b>] {
    let column = lines[index].column;
    let of_step = |line: &&Line<'_>| line.is_blank() || line.column >= column;
    let begins = |line: &Line<'_>| line.column == column && line.text.trim_start().starts_with("- ");
    let start = (0..=index).rev().find(|at| begins(&lines[*at])).unwrap_or(index);
    let rest = lines[start + 1..].iter().take_while(|line| of_step(line) && !begins(line)).count();
    &lines[start..=start + rest]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::root;

    #[test]
    fn the_repositorys_workflows_have_no_faults() {
        let mut read = 0;
        for entry in root().join(".github/workflows").read_dir().unwrap() {
            let path = entry.unwrap().path();
            let found = faults(&std::fs::read_to_string(&path).unwrap());
            assert!(found.is_empty(), "{}:\n{}", path.display(), found.join("\n"));
            read += 1;
        }
        assert!(read >= 5, "{read}");
    }

    /// Actions have steps as workflows have, and permissions only from the workflow that uses them.
    #[test]
    fn the_repositorys_action_has_no_faults() {
        let text = std::fs::read_to_string(root().join("action.yml")).unwrap();
        assert_eq!(faults(&text), ["1: no `permissions:` for the whole workflow"]);
        assert!(!root().join(".github/actions").exists());
    }

    const HASH: &str = "3d3c42e5aac5ba805825da76410c181273ba90b1";

    fn workflow(steps: &str) -> String {
        format!("on: push\npermissions: {{}}\njobs:\n  one:\n    steps:\n{steps}\n")
    }

    #[test]
    fn what_is_pinned_and_has_no_expressions_is_accepted() {
        let steps = format!(
            "      # uses: some/action@main\n      - name: one\n        uses: actions/checkout@{HASH} # v7.0.1\n        with:\n          repository: a/b\n          ref: x\n          persist-credentials: false\n      - uses: ./own\n      - env:\n          X: ${{{{ inputs.x }}}}\n        run: |\n          echo \"$X\"\n      - if: ${{{{ inputs.y }}}}\n        run: x\n"
        );
        assert_eq!(faults(&workflow(&steps)), Vec::<String>::new());
    }

    #[test]
    fn what_others_could_change_is_refused() {
        let checkout = format!("      - uses: actions/checkout@{HASH} # v7\n");
        let leave = "        with:\n          persist-credentials: false\n";
        let other = format!(
            "{checkout}{leave}          repository: a/b\n      - uses: ./own\n        with:\n          ref: x\n"
        );
        for (steps, fault) in [
            ("      - uses: actions/cache@v5\n", "actions/cache@v5 is not pinned"),
            ("      - uses: actions/cache@main # v5\n", "not pinned"),
            ("      - uses: actions/cache\n", "not pinned"),
            ("      - uses: actions/cache@3d3c42e # v5\n", "not pinned"),
            ("      - uses: docker://alpine:3\n", "not pinned"),
            ("      - {uses: actions/cache@v5}\n", "not understood"),
            ("      - \"uses\": actions/cache@v5\n      - x: [uses: y]\n", "not understood"),
            (&format!("      - uses: actions/cache@{HASH}\n"), "which version"),
            (&checkout, "persist-credentials"),
            (&format!("{checkout}      - x: y\n{leave}"), "persist-credentials"),
            (&other, "without `ref:`"),
            ("      - run: echo ${{ github.head_ref }}\n", "an expression in a script"),
            ("      - run: |\n          x\n\n          echo ${{ inputs.x }}\n", "an expression in a script"),
            ("      - name: x\n        run: >-\n          echo ${{ inputs.x }}\n        env: {}\n", "an expression"),
            ("      - with:\n          script: return ${{ inputs.x }}\n", "an expression in a script"),
        ] {
            let found = faults(&workflow(steps));
            assert!(found.iter().any(|one| one.contains(fault)), "{steps}\n{found:?}");
        }
    }

    #[test]
    fn what_a_tag_alone_starts_may_release() {
        let release =
            "on:\n  push:\n    tags: ['v*']\npermissions: {}\njobs:\n  one:\n    permissions:\n      contents: write\n";
        assert_eq!(faults(release), Vec::<String>::new());
    }

    #[test]
    fn permissions_and_events_that_give_too_much_are_refused() {
        for (text, fault) in [
            ("on: push\njobs: {}\n", "no `permissions:`"),
            ("on: push\npermissions: write-all\n", "permissions: write-all"),
            ("on: push\npermissions:\n  contents: write\n", "contents: write"),
            ("on:\n  push:\n    branches: [main]\npermissions:\n  contents: write\n", "contents: write"),
            ("on:\n  push:\n    tags: [v]\n  pull_request:\npermissions:\n  contents: write\n", "contents: write"),
            ("on:\n  push:\n    tags: [v]\npermissions:\n  actions: write\n", "actions: write"),
            ("on:\n  pull_request_target:\npermissions: {}\n", "the event pull_request_target"),
            ("on: [workflow_run]\npermissions: {}\n", "not understood"),
        ] {
            let found = faults(text);
            assert!(found.iter().any(|one| one.contains(fault)), "{text}\n{found:?}");
        }
    }
}
