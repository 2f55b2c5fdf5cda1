//! Where the frames of a WebSocket end, so that a word of ours can stand between two (RFC 6455 5.2).
//!
//! Reads lengths alone: what the frames say is no business of ours.

/// `Close` with 1001, "going away" (RFC 6455 7.4.1), as a server sends it.
pub(super) const TO_CLIENT: &[u8] = &[0x88, 0x02, 0x03, 0xe9];
/// The same as a client sends it: masked, here with zeros (RFC 6455 5.3).
pub(super) const TO_APP: &[u8] = &[0x88, 0x82, 0, 0, 0, 0, 0x03, 0xe9];

const MASKED: u8 = 0x80;
const MASK_SIZE: usize = 4;

/// How far one direction has come.
#[derive(Debug, Default)]
pub(super) struct Frames {
    /// The beginning of a head that has not come whole; at most 14 bytes.
    head: Vec<u8>,
    /// What is still to come of the frame's payload, bytes.
    payload: u64,
}

impl Frames {
    /// These bytes have passed.
    pub(super) fn pass(&mut self, mut bytes: &[u8]) {
        while let Some((first, rest)) = bytes.split_first() {
            if self.payload > 0 {
                let whole = usize::try_from(self.payload).unwrap_or(usize::MAX);
                let here = bytes.len().min(whole);
                let passed = u64::try_from(here).unwrap_or(u64::MAX);
                self.payload = self.payload.saturating_sub(passed);
                bytes = bytes.get(here..).unwrap_or_default();
                continue;
            }
            self.head.push(*first);
            bytes = rest;
            if let Some(payload) = payload_of(&self.head) {
                self.payload = payload;
                self.head.clear();
            }
        }
    }

    /// Whether a frame has just ended, or none has begun.
    pub(super) const fn between(&self) -> bool {
        self.head.is_empty() && self.payload == 0
    }
}

/// Length of the payload behind a whole head.
fn payload_of(head: &[u8]) -> Option<u64> {
    let (second, rest) = head.get(1..)?.split_first()?;
    let mask = if second & MASKED == 0 { 0 } else { MASK_SIZE };
    let short = second & !MASKED;
    let further = match short {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    let length = rest.get(..further)?;
    rest.get(further..)?.get(..mask)?;
    if length.is_empty() {
        return Some(short.into());
    }
    let number = length.iter().fold(0, |number: u64, byte| {
        number.wrapping_shl(8) | u64::from(*byte)
    });
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_of_a_frame_is_between() {
        let frame = |head: &[u8], payload: usize| [head, &vec![0x81; payload]].concat();
        for (name, whole) in [
            ("empty", frame(&[0x81, 0], 0)),
            ("short", frame(&[0x81, 125], 125)),
            ("masked", frame(&[0x81, 0x83, 1, 2, 3, 4], 3)),
            ("two bytes of length", frame(&[0x82, 126, 1, 4], 260)),
            (
                "eight, masked",
                frame(&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 0, 9, 9, 9, 9], 65_536),
            ),
            ("our own words", [TO_CLIENT, TO_APP].concat()),
        ] {
            for size in [1, 7, usize::MAX] {
                let mut frames = Frames::default();
                assert!(frames.between(), "{name}");
                let (most, last) = whole.split_at(whole.len() - 1);
                for bytes in most.chunks(size.min(whole.len())) {
                    frames.pass(bytes);
                }
                assert!(!frames.between(), "{name} in {size}: one byte is missing");
                frames.pass(last);
                assert!(frames.between(), "{name} in {size}");
            }
        }
    }
}
