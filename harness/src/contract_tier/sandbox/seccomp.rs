//! System calls that programs in a sandbox do not have: those that reach what namespaces do not part, or undo what ends a sandbox.

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
};

/// Address families that a program may have sockets of. Others, such as that of virtual machines (`AF_VSOCK`), are not parted by
/// network namespaces, or are code of the kernel that nothing here uses.
const FAMILIES: [i32; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// Calls that fail with EPERM whatever their arguments: namespaces and mounts, keys and kernel interfaces that are shared with the host,
/// and the memory of other processes, so of stubs.
const REFUSED: [i64; 31] = [
    libc::SYS_acct,
    libc::SYS_add_key,
    libc::SYS_bpf,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_init_module,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_io_uring_setup,
    libc::SYS_kexec_load,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_move_mount,
    libc::SYS_open_by_handle_at,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_request_key,
    libc::SYS_setns,
    libc::SYS_swapon,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

/// The flags of `clone(2)` that make namespaces.
const NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
];

/// Calls that do nothing, and say that they did: a sandbox has one user alone, and a step may well give files to another.
const OWNERS: [i64; 4] = [libc::SYS_chown, libc::SYS_fchown, libc::SYS_fchownat, libc::SYS_lchown];

/// A call that is not there: its flags are in memory, where no filter looks, and whoever is told so takes `clone(2)`.
const MISSING: i64 = libc::SYS_clone3;

/// The filter of what is refused, as bubblewrap reads it.
///
/// # Errors
/// On a machine whose system calls the library does not know.
pub(super) fn filter() -> io::Result<Vec<u8>> {
    words(program())
}

/// The filter of what changes owners.
///
/// # Errors
/// As with [`filter`].
pub(super) fn owners() -> io::Result<Vec<u8>> {
    let rules = OWNERS.into_iter().map(|call| (call, Vec::new())).collect();
    words(filtered(rules, SeccompAction::Errno(0)))
}

/// The filter of what is not there.
///
/// # Errors
/// As with [`filter`].
pub(super) fn missing() -> io::Result<Vec<u8>> {
    let action = SeccompAction::Errno(u32::try_from(libc::ENOSYS).unwrap_or_default());
    words(filtered(BTreeMap::from([(MISSING, Vec::new())]), action))
}

fn words(program: Result<BpfProgram, seccompiler::BackendError>) -> io::Result<Vec<u8>> {
    let program = program.map_err(|error| io::Error::other(format!("filter of system calls: {error}")))?;
    let words = program.iter().flat_map(|word| {
        let [low, high] = word.code.to_ne_bytes();
        let [a, b, c, d] = word.k.to_ne_bytes();
        [low, high, word.jt, word.jf, a, b, c, d]
    });
    Ok(words.collect())
}

fn program() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.into_iter().map(|call| (call, Vec::new())).collect();
    let other_family = FAMILIES.map(|family| argument(0, SeccompCmpOp::Ne, number(family)));
    rules.insert(libc::SYS_socket, vec![SeccompRule::new(other_family.into_iter().collect::<Result<_, _>>()?)?]);
    // A process that takes this off would outlive the program; to set it to what it is does no harm (prctl(2)).
    let of_death = argument(0, SeccompCmpOp::Eq, number(libc::PR_SET_PDEATHSIG))?;
    let another = argument(1, SeccompCmpOp::Ne, number(libc::SIGKILL))?;
    rules.insert(libc::SYS_prctl, vec![SeccompRule::new(vec![of_death, another])?]);
    let makes = NAMESPACES.map(|flag| rule(argument(0, SeccompCmpOp::MaskedEq(number(flag)), number(flag))));
    rules.insert(libc::SYS_clone, makes.into_iter().collect::<Result<_, _>>()?);
    // What a terminal has been typed, said by a program (ioctl_tty(2)).
    rules.insert(libc::SYS_ioctl, vec![rule(argument(1, SeccompCmpOp::Eq, libc::TIOCSTI))?]);
    // A lease on a file that sandboxes share holds up whoever opens it (F_SETLEASE in fcntl(2)).
    rules.insert(libc::SYS_fcntl, vec![rule(argument(1, SeccompCmpOp::Eq, number(libc::F_SETLEASE)))?]);
    filtered(rules, SeccompAction::Errno(u32::try_from(libc::EPERM).unwrap_or_default()))
}

fn filtered(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    action: SeccompAction,
) -> Result<BpfProgram, seccompiler::BackendError> {
    SeccompFilter::new(rules, SeccompAction::Allow, action, std::env::consts::ARCH.try_into()?)?.try_into()
}

fn rule(
    condition: Result<SeccompCondition, seccompiler::BackendError>,
) -> Result<SeccompRule, seccompiler::BackendError> {
    SeccompRule::new(vec![condition?])
}

fn argument(index: u8, comparison: SeccompCmpOp, value: u64) -> Result<SeccompCondition, seccompiler::BackendError> {
    SeccompCondition::new(index, SeccompCmpArgLen::Dword, comparison, value)
}

fn number(value: i32) -> u64 {
    u64::from(value.cast_unsigned())
}
