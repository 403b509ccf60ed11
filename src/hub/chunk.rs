//! Several batches in one write: each write is a system call, which costs more than to copy a few frames.

use super::frame::FrameBatch;
use bytes::{Bytes, BytesMut};
use smallvec::SmallVec;
use std::sync::Arc;

/// Batches that wait for a session; a session that keeps up needs no extra memory for them.
pub type Batches = SmallVec<[Arc<FrameBatch>; 2]>;

/// The most bytes of one write, unless a single batch has more.
const WRITE_BYTES: usize = 64 << 10;

/// The number of batches at the front that one write takes; at least one if there are any.
pub fn batches_in_chunk(batches: &[Arc<FrameBatch>]) -> usize {
    let mut bytes = 0;
    let fits = |batch: &&Arc<FrameBatch>| {
        bytes += batch.wire().len();
        bytes <= WRITE_BYTES
    };
    batches.iter().take_while(fits).count().max(1).min(batches.len())
}

/// Makes the bytes of a write. Sessions that get the same batches one after the other share them.
#[derive(Default)]
pub struct ChunkMaker {
    batches: Batches,
    bytes: Bytes,
}

impl ChunkMaker {
    /// The frames of these batches. A single batch is not copied.
    pub fn chunk(&mut self, batches: &[Arc<FrameBatch>]) -> Bytes {
        if let [batch] = batches {
            return batch.wire().clone();
        }
        let is_known = self.batches.len() == batches.len()
            && self.batches.iter().zip(batches).all(|(known, batch)| Arc::ptr_eq(known, batch));
        if !is_known {
            self.bytes = join(batches);
            self.batches = batches.iter().cloned().collect();
        }
        self.bytes.clone()
    }
}

fn join(batches: &[Arc<FrameBatch>]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(batches.iter().map(|batch| batch.wire().len()).sum());
    for batch in batches {
        bytes.extend_from_slice(batch.wire());
    }
    bytes.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::frame::Frame;
    use crate::model::cursor::Cursor;

    fn batch(text: &str) -> Arc<FrameBatch> {
        let resume = Cursor::default().into();
        FrameBatch::of(None, vec![Frame { resume, is_adapter: false, text: text.into() }])
    }

    #[test]
    fn a_write_has_as_many_batches_as_fit_and_never_none() {
        let (small, half) = (batch("x"), batch(&"x".repeat(WRITE_BYTES / 2)));
        let large = batch(&"x".repeat(WRITE_BYTES));
        assert_eq!(batches_in_chunk(&[]), 0);
        assert_eq!(batches_in_chunk(&[small.clone(), small.clone()]), 2);
        assert_eq!(batches_in_chunk(&[half.clone(), small.clone(), half]), 2);
        assert_eq!(batches_in_chunk(&[large.clone(), small.clone()]), 1);
        assert_eq!(batches_in_chunk(&[small, large]), 1);
    }

    #[test]
    fn other_batches_are_never_taken_for_the_last_ones() {
        let [a, b, c] = ["a", "b", "c"].map(batch);
        let mut maker = ChunkMaker::default();
        let wire = |batches: &[&Arc<FrameBatch>]| {
            batches.iter().flat_map(|batch| batch.wire().to_vec()).collect::<Vec<_>>()
        };
        for batches in [[&a, &b], [&a, &b], [&a, &c], [&b, &a]] {
            assert_eq!(maker.chunk(&batches.map(Clone::clone)), wire(&batches));
        }
        assert_eq!(maker.chunk(&[a.clone(), b.clone(), c.clone()]), wire(&[&a, &b, &c]));
        assert_eq!(maker.chunk(std::slice::from_ref(&c)), wire(&[&c]));
    }
}
