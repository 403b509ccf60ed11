//! The messages of a batch. Each is a part: version (1 byte), number of the part and number of parts (2
//! bytes each), the offset of the batch's first event (8), then bytes of the payload; numbers are
//! little-endian. A batch is valid once its last part is there. Parts of a batch that a leader did not
//! finish are ignored.

use crate::log::encoding::decode_payload;
use crate::log::{Batch, LogError, Result};
use bytes::Bytes;

/// The version of a message.
const VERSION: u8 = 1;

/// Bytes of a message before its part of the payload.
const HEAD: usize = 1 + 2 + 2 + 8;

/// The header that names the batch.
pub(super) const BATCH_HEADER: &str = "Rechat-Batch";

/// The most bytes of a batch.
const MAX_BATCH_BYTES: usize = 1 << 30;

/// The messages of a batch, each with up to `part_bytes` bytes of its payload.
pub(super) fn parts_of(first: u64, payload: &[u8], part_bytes: usize) -> Result<Vec<Bytes>> {
    let count = payload.len().div_ceil(part_bytes).max(1);
    let parts = u16::try_from(count).map_err(|_| LogError("a batch is too large".into()))?;
    let part = |(number, bytes): (usize, &[u8])| {
        let mut message = Vec::with_capacity(HEAD + bytes.len());
        message.push(VERSION);
        message.extend((number as u16).to_le_bytes());
        message.extend(parts.to_le_bytes());
        message.extend(first.to_le_bytes());
        message.extend(bytes);
        Bytes::from(message)
    };
    Ok(payload.chunks(part_bytes).enumerate().map(part).collect())
}

/// The parts of a batch that is not complete yet.
#[derive(Debug, Default)]
pub(super) struct BatchParts {
    /// The offset of its first event, and how many parts there are.
    of: Option<(u64, u16)>,
    found: u16,
    bytes: Vec<u8>,
}

impl BatchParts {
    /// Adds the next message. Returns the batch that it completes, and the batch's size.
    pub(super) fn take(
        &mut self,
        message: &[u8],
    ) -> std::result::Result<Option<(Batch, usize)>, &'static str> {
        let another = "it was written by another version of rechat; update this one";
        let (head, bytes) = message.split_at_checked(HEAD).ok_or("it is too short")?;
        let &[VERSION, n0, n1, p0, p1, ref first @ ..] = head else { return Err(another) };
        let (number, parts) = (u16::from_le_bytes([n0, n1]), u16::from_le_bytes([p0, p1]));
        let first = first.try_into().map(u64::from_le_bytes).map_err(|_| "it is too short")?;
        if number == 0 {
            // An earlier batch was not finished, and is dropped.
            *self = Self { of: Some((first, parts)), ..Self::default() };
        }
        if self.of != Some((first, parts)) || self.found != number {
            return Err("a part of its batch is missing");
        }
        if self.bytes.len() + bytes.len() > MAX_BATCH_BYTES {
            return Err("its batch is too large");
        }
        self.bytes.extend(bytes);
        self.found += 1;
        if self.found < parts {
            return Ok(None);
        }
        let payload = std::mem::take(self).bytes;
        let batch = decode_payload(first, &payload).ok().flatten().ok_or(another)?;
        Ok(Some((batch, payload.len())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::LogRecord;
    use crate::log::encoding::tests::every_event;
    use crate::model::cursor::Epoch;
    use proptest::prelude::*;

    fn payload(events: usize) -> Vec<u8> {
        let mut record = LogRecord::new(Epoch::new(3), 9);
        for event in every_event().iter().cycle().take(events) {
            record.push(event, None).unwrap();
        }
        record.payload().to_vec()
    }

    #[test]
    fn a_large_batch_goes_in_parts_and_comes_back_whole() {
        let payload = payload(20_000);
        let messages = parts_of(7, &payload, 512 << 10).unwrap();
        assert!(messages.len() > 1 && messages.iter().all(|part| part.len() <= HEAD + (512 << 10)));
        let mut parts = BatchParts::default();
        let (last, before) = messages.split_last().unwrap();
        for part in before {
            assert_eq!(parts.take(part), Ok(None));
        }
        let (batch, bytes) = parts.take(last).unwrap().unwrap();
        assert_eq!((batch.first, batch.events.len(), bytes), (7, 20_000, payload.len()));
        assert_eq!(batch.epoch, Epoch::new(3));
    }

    #[test]
    fn parts_that_a_leader_left_behind_count_for_nothing() {
        let mut parts = BatchParts::default();
        let unfinished = parts_of(7, &payload(20_000), 512 << 10).unwrap();
        assert_eq!(parts.take(&unfinished[0]), Ok(None));
        let next = parts_of(7, &payload(2), 512 << 10).unwrap();
        let (batch, _) = parts.take(&next[0]).unwrap().unwrap();
        assert_eq!(batch.events, every_event()[..2]);
        assert!(parts.take(&unfinished[1]).is_err(), "the rest of it is no batch");
    }

    proptest! {
        #[test]
        fn no_message_makes_it_panic(messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..60), 0..5)) {
            let mut parts = BatchParts::default();
            for message in messages {
                let _ = parts.take(&message);
            }
        }
    }
}
