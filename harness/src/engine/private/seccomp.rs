//! The system calls that containers and builds of the private engine have. The engine's own profile permits sockets of virtual machines
//! (`AF_VSOCK`), which no namespace separates, and the classic builder takes no other profile than the daemon's.
//!
//! What is not named is refused, by EPERM: namespaces and mounts, keys, modules and other parts of the kernel that all containers share,
//! the memory of other processes, clocks and disks of the machine. Capabilities keep containers from most of that as well. Calls of other
//! architectures than the machine's own end a process.

use serde_json::{Value, json};

/// Files: opening, reading, writing, names, owners, modes and attributes. The rights of the process decide.
const FILES: &str = "open openat openat2 creat close close_range read write readv writev pread64 pwrite64 preadv pwritev preadv2 pwritev2 \
    lseek _llseek stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64 access faccessat faccessat2 \
    readlink readlinkat getdents getdents64 getcwd chdir fchdir chroot mkdir mkdirat mknod mknodat rmdir unlink unlinkat link linkat symlink \
    symlinkat rename renameat renameat2 truncate ftruncate truncate64 ftruncate64 fallocate chmod fchmod fchmodat fchmodat2 chown chown32 fchown \
    fchown32 lchown lchown32 fchownat umask utime utimes utimensat utimensat_time64 futimesat getxattr lgetxattr fgetxattr setxattr lsetxattr fsetxattr \
    listxattr llistxattr flistxattr removexattr lremovexattr fremovexattr name_to_handle_at inotify_init inotify_init1 inotify_add_watch \
    inotify_rm_watch";
/// What is done with what is open: copies, locks, waiting, and writing to the disk.
const DESCRIPTORS: &str = "dup dup2 dup3 fcntl fcntl64 flock ioctl pipe pipe2 poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64 \
    epoll_create epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 eventfd eventfd2 signalfd signalfd4 timerfd_create timerfd_settime \
    timerfd_settime64 timerfd_gettime timerfd_gettime64 sendfile sendfile64 splice tee vmsplice copy_file_range fsync fdatasync sync syncfs \
    sync_file_range sync_file_range2 arm_sync_file_range readahead fadvise64 fadvise64_64 arm_fadvise64_64 memfd_create io_setup io_destroy io_submit \
    io_cancel io_getevents io_pgetevents io_pgetevents_time64 cachestat";
/// Sockets, but for making them, which depends on the family.
const SOCKETS: &str = "socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt send sendto sendmsg \
    sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64";
/// A process's own memory.
const MEMORY: &str = "brk mmap mmap2 munmap mremap mprotect msync madvise mincore mlock mlock2 mlockall munlock munlockall remap_file_pages membarrier \
    pkey_alloc pkey_free pkey_mprotect map_shadow_stack";
/// Processes and threads, but for `clone`, which can make namespaces.
const PROCESSES: &str = "fork vfork execve execveat exit exit_group wait4 waitid waitpid kill tkill tgkill pidfd_open pidfd_send_signal getpid getppid \
    gettid getpgid getpgrp setpgid getsid setsid sched_yield sched_getaffinity sched_setaffinity sched_getparam sched_setparam sched_getscheduler \
    sched_setscheduler sched_getattr sched_setattr sched_get_priority_max sched_get_priority_min sched_rr_get_interval sched_rr_get_interval_time64 \
    getpriority setpriority ioprio_get ioprio_set nice getrlimit ugetrlimit setrlimit prlimit64 getrusage times getcpu prctl arch_prctl modify_ldt \
    set_thread_area get_thread_area set_tid_address set_robust_list get_robust_list rseq restart_syscall futex futex_time64 futex_waitv futex_wake \
    futex_wait futex_requeue set_tls cacheflush breakpoint riscv_flush_icache riscv_hwprobe";
/// Signals and timers of a process.
const SIGNALS: &str = "rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 \
    rt_tgsigqueueinfo sigaltstack sigreturn sigaction sigprocmask sigsuspend sigpending pause alarm getitimer setitimer timer_create timer_delete \
    timer_settime timer_settime64 timer_gettime timer_gettime64 timer_getoverrun nanosleep clock_nanosleep clock_nanosleep_time64";
/// Who a process is. That it becomes nobody else is up to its capabilities.
const USERS: &str = "getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid getresgid32 getgroups \
    getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32 setresuid setresuid32 setresgid setresgid32 setgroups \
    setgroups32 setfsuid setfsuid32 setfsgid setfsgid32 capget capset seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self";
/// What the kernel tells of the time and of itself.
const FACTS: &str =
    "time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 uname sysinfo getrandom";
/// Shared memory, semaphores and queues, which are in a namespace of the container's own.
const QUEUES: &str = "shmget shmat shmctl shmdt semget semop semctl semtimedop semtimedop_time64 msgget msgsnd msgrcv msgctl ipc mq_open mq_unlink mq_notify \
    mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64 mq_getsetattr";

const PERMITTED: [&str; 9] = [FILES, DESCRIPTORS, SOCKETS, MEMORY, PROCESSES, SIGNALS, USERS, FACTS, QUEUES];

/// The families of sockets: unix, IPv4, IPv6, netlink. Network namespaces separate all of them.
const FAMILIES: [libc::c_int; 4] = [libc::AF_UNIX, libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK];

/// The flags of `clone` that make namespaces.
const NAMESPACES: libc::c_int = libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWUTS;

/// Which system a program may ask to be run as (`personality(2)`): Linux, of 32 bits or not, with `uname` of old or not; and to be told.
const PERSONALITIES: [u32; 5] = [0, 0x8, 0x2_0000, 0x2_0008, u32::MAX];

/// Architectures whose `clone` has its flags first, as the profile names them.
const ARCHITECTURES: [&str; 5] =
    ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64"];

/// The profile, as `dockerd --seccomp-profile` takes it.
pub(super) fn profile() -> Value {
    let names: Vec<&str> = PERMITTED.iter().flat_map(|names| names.split_whitespace()).collect();
    // By its first argument, which is equal to the value; or, of which no bit is set that is set in the value.
    let one = |name: &str, value: Value, operator: &str| {
        let argument = json!({ "index": 0, "value": value, "valueTwo": 0, "op": operator });
        json!({ "names": [name], "action": "SCMP_ACT_ALLOW", "args": [argument] })
    };
    let mut calls = vec![json!({ "names": names, "action": "SCMP_ACT_ALLOW" })];
    calls.extend(FAMILIES.map(|family| one("socket", json!(family), "SCMP_CMP_EQ")));
    calls.extend(PERSONALITIES.map(|personality| one("personality", json!(personality), "SCMP_CMP_EQ")));
    calls.push(one("clone", json!(NAMESPACES), "SCMP_CMP_MASKED_EQ"));
    // Its flags are in memory, where a filter cannot see them. Libraries take `clone` where it is not implemented.
    calls.push(json!({ "names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": libc::ENOSYS }));
    let architectures: Vec<Value> =
        ARCHITECTURES.iter().map(|name| json!({ "architecture": name, "subArchitectures": [] })).collect();
    json!({ "defaultAction": "SCMP_ACT_ERRNO", "archMap": architectures, "syscalls": calls })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn permitted() -> HashSet<&'static str> {
        PERMITTED.iter().flat_map(|names| names.split_whitespace()).collect()
    }

    /// What the engine's own profile refuses to containers without further capabilities, as far as it can do harm.
    #[test]
    fn what_reaches_the_machine_is_not_permitted() {
        let permitted = permitted();
        for name in "acct add_key bpf clone3 delete_module fanotify_init finit_module fsmount fsopen init_module io_uring_enter io_uring_setup \
            ioperm iopl kcmp kexec_file_load kexec_load keyctl mount mount_setattr move_mount move_pages open_by_handle_at open_tree \
            perf_event_open pidfd_getfd pivot_root process_vm_readv process_vm_writev ptrace quotactl reboot request_key setns settimeofday \
            clock_settime sethostname socketcall swapon swapoff syslog umount umount2 unshare userfaultfd"
            .split_whitespace()
        {
            assert!(!permitted.contains(name), "{name}");
        }
    }

    #[test]
    fn each_call_is_named_once() {
        let count = PERMITTED.iter().flat_map(|names| names.split_whitespace()).count();
        assert_eq!(permitted().len(), count);
        for name in ["socket", "clone", "personality"] {
            assert!(!permitted().contains(name), "{name} is permitted whatever its arguments");
        }
    }

    /// Sockets of virtual machines are none of those that are permitted.
    #[test]
    fn sockets_are_permitted_by_family() {
        let profile = profile();
        let of_sockets = |call: &&Value| call["names"][0] == "socket";
        let families: Vec<&Value> = profile["syscalls"].as_array().into_iter().flatten().filter(of_sockets).collect();
        assert_eq!(families.len(), 4);
        assert!(families.iter().all(|call| call["args"][0]["value"] != 40 && call["args"][0]["op"] == "SCMP_CMP_EQ"));
        assert_eq!(profile["defaultAction"], "SCMP_ACT_ERRNO");
    }
}
