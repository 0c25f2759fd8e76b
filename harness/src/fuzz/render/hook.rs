//! A hook of a generated application, as a script.

use super::{REQUIREMENTS, SETUP_PY, requirement_files};
use crate::fuzz::application::{Action, Application, End, Hook, Interpreter, Name, Output, Text, Tool};
use crate::fuzz::model::GREETING;

/// What a tool says that a hook has broken.
pub(super) const BROKEN_TOOL: &str = "fuzz: this tool is broken";
/// What a process that a hook has left behind says where the step waits for it.
pub(super) const WAITED_FOR: &str = "fuzz: the step waits for a process that a hook left behind";
/// How long such a process waits at most for the build to end, or for Apache to run, in seconds.
const BUILD_ENDS: u32 = 3;
const APACHE_RUNS: u32 = 8;
/// Has pip, as a program and as a module, end so where it is to install something: Mercurial, or (`not in`) anything else.
const BREAK_PIP: &str = "\
import os, sys
how, end = sys.argv[1:]
import pip
for path in (os.popen('command -v pip').read().strip(), os.path.join(os.path.dirname(pip.__file__), '__main__.py')):
    with open(path) as program:
        text = program.read()
    first = text.split('\\n')[0] + '\\n' if text.startswith('#!') else ''
    broken = \"import os, sys\\nif 'install' in sys.argv and 'mercurial' %s sys.argv:\\n    os.write(2, b'%s\\\\n')\\n    %s\\n\" % (how, 'MESSAGE', end)
    with open(path, 'w') as program:
        program.write(first + broken + 'exec(compile(%r, __file__, \"exec\"))\\n' % text)
";

/// A hook: it says that it runs, and where; does what it does; and ends. One that runs twice fails.
pub(super) fn script(application: &Application, name: Name, hook: &Hook) -> String {
    let name = name.text();
    let greeting = match name {
        "deploy-env" | "deploy" => format!(", {GREETING} is ${{{GREETING}-unset}}"),
        _ => String::new(),
    };
    // The hook before it may have left its last line without an end.
    let begin = if name == "deploy" { "echo\n" } else { "" };
    let mut script = format!(
        "{begin}echo \"fuzz: {name} in $(pwd) as $(id -u){greeting}\"\nmkdir \"/tmp/{name}-has-run\" || exit 99\n"
    );
    for action in &hook.actions {
        script.push_str(&match action {
            Action::LeaveProcess => leave_process(name == "build"),
            action => act(application, action),
        });
    }
    script.push_str(&match hook.end {
        End::Exit(code) => format!("exit {code}\n"),
        End::Signal(signal) => format!("kill -{} $$\n", signal.name()),
    });
    match hook.interpreter {
        Interpreter::Sh => format!("#!/bin/sh\n{script}"),
        Interpreter::Bash => format!("#!/usr/bin/env bash\n{script}"),
        Interpreter::Python => {
            let quoted = script.replace('\\', "\\\\").replace('\'', "\\'").replace('\r', "\\r");
            format!(
                "#!/usr/bin/env python\n# -*- coding: utf-8 -*-\nimport os\nos.execvp('sh', ['sh', '-c', '''\n{quoted}'''])\n"
            )
        }
    }
}

fn act(application: &Application, action: &Action) -> String {
    let hooks = format!("{}/action_hooks", application.folder());
    let variables = format!("{}/user_vars", application.folder());
    match action {
        Action::WriteRequirements(requirements) => {
            let mut lines = String::new();
            for (path, text) in requirement_files(requirements) {
                if path.contains('/') {
                    lines.push_str("mkdir -p requirements\n");
                }
                if path == REQUIREMENTS {
                    lines.push_str("rm -rf requirements.txt\n");
                }
                lines.push_str(&format!("printf %s {} > {path}\n", quoted(&text)));
            }
            lines
        }
        Action::RemoveRequirements => "rm -rf requirements.txt\n".to_owned(),
        Action::WriteSetupPy => format!("rm -rf setup.py\nprintf %s {} > setup.py\n", quoted(SETUP_PY)),
        Action::ForbidGit => "mkdir -p /etc/apt/preferences.d\nprintf 'Package: git\\nPin: release *\\nPin-Priority: -1\\n' > /etc/apt/preferences.d/no-git\n".to_owned(),
        Action::ForbidMercurial => "echo 'mercurial<0' > /constraints.txt\nmkdir -p ~/.config/pip\nprintf '[install]\\nconstraint = /constraints.txt\\n' > ~/.config/pip/pip.conf\nmkdir -p /etc/apt/preferences.d\nprintf 'Package: mercurial\\nPin: release *\\nPin-Priority: -1\\n' > /etc/apt/preferences.d/no-mercurial\n".to_owned(),
        Action::SetExecutable(name, executable) => {
            let sign = if *executable { '+' } else { '-' };
            format!("if [ -f {hooks}/{0} ]; then chmod {sign}x {hooks}/{0}; fi\n", name.text())
        }
        Action::RemoveHook(name) => format!("rm -rf {hooks}/{}\n", name.text()),
        Action::SetVariable(name, value) => {
            format!(
                "mkdir -p {variables}\nrm -rf {variables}/{name}\nprintf %s {} > {variables}/{name}\n",
                quoted(value)
            )
        }
        Action::UnsetVariable(name) => format!("rm -rf {variables}/{name}\n"),
        Action::Break(tool, end) => break_tool(*tool, *end),
        Action::Print(output) => print(*output),
        Action::LeaveProcess => String::new(),
    }
}

/// Puts another program in a tool's place. A sandbox has stubs there that cannot be changed; they have their orders to end so.
fn break_tool(tool: Tool, end: End) -> String {
    let how = match tool {
        Tool::Apt => {
            let end = match end {
                End::Exit(code) => format!("exit {code}"),
                End::Signal(signal) => format!("kill -{} $$", signal.name()),
            };
            let program = quoted(&format!("#!/bin/sh\necho '{BROKEN_TOOL}' >&2\n{end}\n"));
            return format!(
                "for tool in /usr/bin/apt-get /usr/bin/apt; do\n    [ ! -w $tool ] || {{ rm $tool; printf %s {program} > $tool; chmod 755 $tool; }}\ndone\n"
            );
        }
        Tool::PipForMercurial => "in",
        Tool::Pip => "not in",
    };
    let end = match end {
        End::Exit(code) => format!("os._exit({code})"),
        End::Signal(signal) => format!("os.kill(os.getpid(), {})", signal.number()),
    };
    let program = quoted(&BREAK_PIP.replace("MESSAGE", BROKEN_TOOL));
    format!("[ ! -w \"$(command -v pip)\" ] || python -c {program} '{how}' '{end}'\n")
}

fn print(output: Output) -> String {
    let command = match output.text {
        Text::NotUtf8 => "printf '\\377\\376caf\\351 \\200\\n'".to_owned(),
        Text::Nul => "printf 'a\\000b\\n'".to_owned(),
        Text::CarriageReturns => "printf 'one\\rtwo\\r\\n'".to_owned(),
        Text::Escapes => "printf '\\033[31mred\\033[0m \\033]0;title\\007\\n'".to_owned(),
        Text::Unended => "printf 'no line end'".to_owned(),
        Text::Large { bytes, in_one_line } => {
            let lines = if in_one_line { "cat; echo" } else { "fold -w 99; echo" };
            format!("head -c {bytes} /dev/zero | tr '\\000' x | {{ {lines}; }}")
        }
    };
    let to = if output.to_errors { " >&2" } else { "" };
    format!("{command}{to}\n")
}

/// Leaves a process behind, which says so if the step waits for it: a build ends at once with its last hook, and Apache runs soon
/// after the hooks of the start.
fn leave_process(is_last_of_build: bool) -> String {
    if is_last_of_build {
        format!("(sleep {BUILD_ENDS}; echo '{WAITED_FOR}') &\n")
    } else {
        format!("(sleep {APACHE_RUNS}; grep -qs apache2 /proc/[0-9]*/comm || echo '{WAITED_FOR}') &\n")
    }
}

/// A word of a shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
