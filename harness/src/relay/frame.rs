//! The frames between this program and its relay: a kind, a connection's number, and a length before what follows.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// A kind, and two numbers of 32 bits.
const HEAD: usize = 9;
/// The most that follows, in bytes: several times what either side sends at once.
const MOST: usize = 1 << 17;

/// What a frame is for. `relay.pl` says which side sends it, and what it carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Connect,
    Connected,
    Ready,
    Accepted,
    /// A connection found no room.
    Full,
    Data,
    /// No more data comes from this side.
    End,
    /// So many bytes were taken.
    Window,
    /// The connection has ended.
    Closed,
}

const KINDS: [(u8, Kind); 9] = [
    (b'c', Kind::Connect),
    (b'o', Kind::Connected),
    (b'r', Kind::Ready),
    (b'a', Kind::Accepted),
    (b'f', Kind::Full),
    (b'd', Kind::Data),
    (b'e', Kind::End),
    (b'w', Kind::Window),
    (b'x', Kind::Closed),
];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub kind: Kind,
    pub number: u32,
    pub payload: Bytes,
}

/// Something came that is no frame.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the relay sent something that is not a frame")]
pub(super) struct NoFrame;

impl Frame {
    pub(super) fn new(kind: Kind, number: u32, payload: impl Into<Bytes>) -> Self {
        Self { kind, number, payload: payload.into() }
    }

    pub(super) fn write(&self, to: &mut BytesMut) {
        let byte = KINDS.iter().find(|(_, kind)| *kind == self.kind).map_or(0, |(byte, _)| *byte);
        to.put_u8(byte);
        to.put_u32(self.number);
        to.put_u32(u32::try_from(self.payload.len()).unwrap_or(u32::MAX));
        to.put_slice(&self.payload);
    }

    /// Takes the first frame off what has come; `None` when not all of it has.
    pub(super) fn take(from: &mut BytesMut) -> Result<Option<Self>, NoFrame> {
        let Some(mut head) = from.get(..HEAD) else { return Ok(None) };
        let byte = head.get_u8();
        let kind = KINDS.iter().find(|(known, _)| *known == byte).map(|(_, kind)| *kind).ok_or(NoFrame)?;
        let number = head.get_u32();
        let length = usize::try_from(head.get_u32()).map_err(|_| NoFrame)?;
        if length > MOST {
            return Err(NoFrame);
        }
        if from.len() < HEAD + length {
            return Ok(None);
        }
        from.advance(HEAD);
        Ok(Some(Self { kind, number, payload: from.split_to(length).freeze() }))
    }

    /// What it carries, as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.payload).into_owned()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_they_are_cut() {
        let frames = [
            Frame::new(Kind::Data, 7, "some text"),
            Frame::new(Kind::End, u32::MAX, ""),
            Frame::new(Kind::Ready, 0, "x"),
        ];
        let mut bytes = BytesMut::new();
        for frame in &frames {
            frame.write(&mut bytes);
        }
        let mut received = BytesMut::new();
        let mut taken = Vec::new();
        for byte in bytes {
            received.put_u8(byte);
            taken.extend(Frame::take(&mut received).unwrap());
        }
        assert_eq!(taken, frames);
        assert!(received.is_empty());
    }

    #[test]
    fn what_is_no_frame_is_told() {
        assert_eq!(Frame::take(&mut BytesMut::from(&b"?________"[..])), Err(NoFrame));
        // Longer than anything that is sent.
        assert_eq!(Frame::take(&mut BytesMut::from(&b"d\0\0\0\x01\xff\0\0\0"[..])), Err(NoFrame));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_bytes_are_frames_or_told(bytes in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..60)) {
            let mut bytes = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = Frame::take(&mut bytes) {}
        }
    }
}
