//! Handles, given to another process over a socket (`SCM_RIGHTS` in unix(7)).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, recvmsg, sendmsg,
};

/// How many go at once, at the most.
const MOST: usize = 16;

/// Handles that were sent at once.
pub(super) struct Handed {
    pub handles: Vec<OwnedFd>,
    /// Whether these are all: a process gets no more than it may have open (`MSG_CTRUNC` in recvmsg(2)).
    pub is_whole: bool,
}

/// Sends handles, with a byte, since none go alone.
///
/// # Errors
/// When there are too many, or nobody is there to take them.
pub(super) fn send(socket: impl AsFd, handles: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut handed = SendAncillaryBuffer::new(&mut space);
    // Of more the other end may have no space for some.
    if handles.len() > MOST || !handed.push(SendAncillaryMessage::ScmRights(handles)) {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    sendmsg(socket, &[IoSlice::new(b"1")], &mut handed, SendFlags::NOSIGNAL)?;
    Ok(())
}

/// Takes what was sent at once; nothing when the other end is closed.
///
/// # Errors
/// When the socket cannot be read.
pub(super) fn receive(socket: impl AsFd) -> io::Result<Option<Handed>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut handed = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    let message = loop {
        match recvmsg(&socket, &mut [IoSliceMut::new(&mut byte)], &mut handed, RecvFlags::CMSG_CLOEXEC) {
            Err(rustix::io::Errno::INTR) => {}
            received => break received?,
        }
    };
    if message.bytes == 0 {
        return Ok(None);
    }
    let mut handles = Vec::new();
    for part in handed.drain() {
        if let RecvAncillaryMessage::ScmRights(taken) = part {
            handles.extend(taken);
        }
    }
    Ok(Some(Handed { handles, is_whole: !message.flags.contains(ReturnFlags::CTRUNC) }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn what_is_sent_at_once_is_taken_at_once() {
        let (own, other) = UnixStream::pair().unwrap();
        let given = [own.as_fd(); MOST];
        send(&own, &given[..3]).unwrap();
        send(&own, &given).unwrap();
        assert_eq!(receive(&other).unwrap().unwrap().handles.len(), 3);
        let (taken, is_whole) = receive(&other).unwrap().map(|most| (most.handles.len(), most.is_whole)).unwrap();
        assert_eq!((taken, is_whole), (MOST, true));
        send(&own, &[own.as_fd(); MOST + 1]).unwrap_err();
        drop(own);
        assert!(receive(&other).unwrap().is_none());
    }
}
