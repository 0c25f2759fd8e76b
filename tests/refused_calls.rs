//! What the private engine's builds and containers may not ask of the kernel.

use crate::support::{PrivateEngine, Suite, text};

/// Tries calls that reach beyond a container; each must be refused by EPERM, but for `clone3`, which must look as if it were missing.
/// Their numbers are those of x86-64.
const TRIES: &str = r#"use Errno qw(EPERM ENOSYS);
my $zero = "\0" x 128;
my %calls = (
    'socket(AF_VSOCK)' => [41, 40, 1, 0], 'socket(AF_PACKET)' => [41, 17, 3, 0], 'socket(AF_ALG)' => [41, 38, 5, 0],
    keyctl => [250, 0, -3, 1], add_key => [248, $zero, $zero, 0, 0, -3], request_key => [249, $zero, $zero, 0, 0],
    bpf => [321, 0, $zero, 48], ptrace => [101, 0, 0, 0, 0], process_vm_readv => [310, $$, 0, 0, 0, 0, 0], kcmp => [312, $$, $$, 2, 0, 0],
    mount => [165, 'x', '/tmp', 'tmpfs', 0, 0], umount => [166, '/proc', 0], pivot_root => [155, '/', '/'], fsopen => [430, 'tmpfs', 0],
    'unshare(user)' => [272, 0x10000000], 'unshare(mount)' => [272, 0x20000], 'clone(user)' => [56, 0x10000011, 0, 0, 0, 0], setns => [308, 0, 0],
    perf_event_open => [298, $zero, 0, -1, -1, 0], userfaultfd => [323, 1], io_uring_setup => [425, 1, $zero],
    open_by_handle_at => [304, 0, $zero, 0], kexec_load => [246, 0, 0, 0, 0], init_module => [175, $zero, 0, ''], 'personality(others)' => [135, 0x40000],
    settimeofday => [164, 0, $zero], swapon => [167, '/x', 0], reboot => [169, 0, 0, 0, 0], syslog => [103, 3, $zero, 1], clone3 => [435, $zero, 88],
);
my $wrong = 0;
for my $name (sort keys %calls) {
    my @call = @{ $calls{$name} };
    my $answer = syscall(shift @call, @call);
    exit 0 if $name eq 'clone(user)' && $answer == 0;
    my $is_refused = $answer == -1 && $! == ($name eq 'clone3' ? ENOSYS : EPERM);
    print "$name: ", $is_refused ? 'refused' : "PERMITTED ($answer, $!)", "\n";
    $wrong = 1 if !$is_refused;
}
exit $wrong;
"#;

#[test]
fn calls_that_reach_beyond_a_container_are_refused() {
    if !cfg!(target_arch = "x86_64") {
        return;
    }
    let engine = PrivateEngine::start();
    let suite = Suite::new();
    let run = "run = [\"perl\", \"/app/tries.pl\"]\noutput = '(?m)^socket\\(AF_VSOCK\\): refused$'\n";
    suite.hello(
        "tries",
        &format!(
            "summary = \"x\"\nsource = \"x\"\n[modes]\n\".docker/action_hooks/build\" = \"0755\"\n[build]\noutcome = \"success\"\nlog = ['^socket\\(AF_VSOCK\\): refused$']\n[[command]]\n{run}[serve]\n[[serve.http]]\npath = \"/\"\n[[serve.command]]\n{run}"
        ),
    );
    suite.write("tries/app/.docker/action_hooks/build", "#!/bin/sh\nexec perl /app/tries.pl\n");
    suite.write("tries/app/tries.pl", TRIES);
    let run = engine.command(&["run", "--suite", suite.path().to_str().unwrap()]).output().unwrap();
    let told = text(&run);
    assert!(run.status.success(), "{told}");
    // The probes have tried it as well.
    assert!(told.contains("and none got out") && !told.contains("isolation weakened"), "{told}");
}
