//! Reads the records of a log, and finds damaged ones.

use super::FileLog;
use crate::log::disk::StoreFileKind;
use crate::log::encoding::{HEAD, decode_payload};
use crate::log::{Batch, Contents, LogError, Result};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// The most events that a damaged part of the file is taken to have had.
const MAX_GAP: u64 = 1 << 24;

/// A valid record: the offset of its first event, and its payload.
type Whole<'a> = (u64, &'a [u8]);

/// Parts of the file, between records, that cannot be read.
#[derive(Default)]
struct Gaps {
    /// A text for each.
    told: Vec<String>,
    /// One of them is before the first record, and may have had all events that are missing there.
    begin: bool,
}

/// The payload of a record, and its number.
type NumberedPayload = (u64, Vec<u8>);

impl FileLog {
    pub(super) fn bytes(&self) -> Result<Vec<u8>> {
        StoreFileKind::read_log(self.storage.as_ref(), &self.path).map_err(|error| {
            LogError(format!(
                "{} cannot be read: {error}\n  it holds the newest messages; make it readable, or move it away to go on without them",
                self.path.display()
            ))
        })
    }

    /// The payloads of records from a number on, in the format of version 0.2; and the parts that cannot be
    /// read, as text.
    pub(crate) fn payloads(&self, from: u64) -> Result<(Vec<NumberedPayload>, Vec<String>)> {
        let (bytes, mut found) = (self.bytes()?, Vec::new());
        let gaps = self.each_record(from, &bytes, "batches", |number, payload| {
            if number >= from {
                found.push((number, payload.to_vec()));
            }
            Ok(number.checked_add(1))
        })?;
        Ok((found, gaps.told))
    }

    pub(super) fn contents(&self, from: u64, bytes: &[u8]) -> Result<Contents> {
        let mut contents = Contents::default();
        let mut has_any = false;
        let gaps = self.each_record(from, bytes, "events", |first, payload| {
            let Some(batch) = self.batch(first, payload)? else { return Ok(None) };
            has_any = true;
            let end = batch.end();
            if end > from {
                contents.batches.push(batch);
            }
            Ok(Some(end))
        })?;
        (contents.damage, contents.begins_damaged) = (gaps.told, gaps.begin);
        contents.is_foreign = !has_any && self.is_foreign(from, bytes);
        Ok(contents)
    }

    /// Calls `take` with each valid record from the beginning on; it returns the number of the next record,
    /// or `None` to stop. Returns the gaps between the records.
    fn each_record<'b>(
        &self,
        from: u64,
        bytes: &'b [u8],
        what: &str,
        mut take: impl FnMut(u64, &'b [u8]) -> Result<Option<u64>>,
    ) -> Result<Gaps> {
        let mut gaps = Gaps::default();
        let (mut at, mut next) = (0, None);
        loop {
            let record = self.record(bytes, at);
            let here = record.filter(|((first, _), _)| next.is_none_or(|next| *first == next));
            if let Some(((first, payload), behind)) = here {
                let Some(end) = take(first, payload)? else { break };
                (at, next) = (behind, Some(end));
                continue;
            }
            // The end of the log: an interrupted write, a record of an earlier round, or damage.
            let expected = next.unwrap_or(from).max(from);
            let Some((found, first)) = self.find_later(bytes, at, expected) else { break };
            if first > expected {
                gaps.told.push(format!(
                    "{}: bytes {at} to {found} cannot be read, which held the {what} {expected} to {}",
                    self.path.display(),
                    first - 1
                ));
                // An event has at least one byte.
                let can_hold_all = first - expected <= (found - at) as u64;
                gaps.begin |= next.is_none_or(|next| next <= from) && can_hold_all;
            }
            (at, next) = (found, Some(first));
        }
        Ok(gaps)
    }

    /// Whether the file has content, but no record of this store, not even of an earlier round.
    fn is_foreign(&self, from: u64, bytes: &[u8]) -> bool {
        self.record(bytes, 0).is_none()
            && bytes.iter().any(|byte| *byte != 0)
            && self.find_later(bytes, 0, from.saturating_sub(MAX_GAP)).is_none()
    }

    /// The first valid record after position `at` whose offset is `expected` or not much higher: its
    /// position and its offset.
    fn find_later(&self, bytes: &[u8], at: usize, expected: u64) -> Option<(usize, u64)> {
        // After the written part the file is mostly zeros.
        let mut written = bytes;
        while let Some(rest) = written.strip_suffix(&[0; 4096]) {
            written = rest;
        }
        let end = bytes.len().saturating_sub(HEAD).min(written.len());
        (at + 1..end).find_map(|place| {
            let number = bytes[place + 12..place + HEAD].try_into().map(u64::from_le_bytes).ok()?;
            // Checked before the checksum, because it is cheap and seldom right by chance.
            if !(expected..=expected.saturating_add(MAX_GAP)).contains(&number) {
                return None;
            }
            self.record(bytes, place).map(|_| (place, number))
        })
    }

    /// The batch of a valid record. `Err` if this version cannot decode it; the record is kept then.
    fn batch(&self, first: u64, payload: &[u8]) -> Result<Option<Batch>> {
        decode_payload(first, payload).map_err(|()| {
            LogError(format!(
                "{} was written by another version of rechat\n  start and stop that version once, and then this one",
                self.path.display()
            ))
        })
    }

    /// The valid record at a position, and the position after it.
    fn record<'a>(&self, bytes: &'a [u8], at: usize) -> Option<(Whole<'a>, usize)> {
        let rest = bytes.get(at..)?;
        let (len, _) = rest.split_first_chunk()?;
        let len = u32::from_le_bytes(*len) as usize;
        let (checksum, sealed) = rest.get(4..len)?.split_first_chunk()?;
        if u64::from_le_bytes(*checksum) != self.checksum(sealed) {
            return None;
        }
        let (number, payload) = sealed.split_first_chunk()?;
        Some(((u64::from_le_bytes(*number), payload), at + len))
    }

    pub(super) fn checksum(&self, sealed: &[u8]) -> u64 {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(sealed);
        hasher.finish()
    }
}
