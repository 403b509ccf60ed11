//! Reading messages by `seq`.

use super::CHUNK;
use super::{Chunk, MessageReplay};
use crate::hub::frame::{Frame, FrameContent};
use crate::hub::resume::{OlderMessages, ResumePoint};
use crate::model::cursor::Cursor;
use crate::store::Result;

impl MessageReplay {
    pub(super) fn step(&mut self, mut chunk: Chunk, cursor: Cursor) -> Result<Vec<Frame>> {
        let Self { replay, through } = self;
        let mut messages = chunk.view.readable_after(replay.position())?;
        for _ in 0..CHUNK {
            let next = messages.next().transpose()?;
            let Some(message) = next.filter(|message| message.seq <= *through) else {
                replay.advance(chunk.view.head().min(*through));
                break;
            };
            let (platform, seq) = (message.platform_or_local(), message.seq);
            let is_due = replay.is_due(seq, chunk.interest, |interest| {
                interest.wants_message(seq, platform, &message.recipient)
            });
            replay.advance(seq);
            if is_due {
                let older = Some(OlderMessages { after: seq, through: *through });
                chunk.put(&FrameContent::New(&message), ResumePoint { cursor, older });
            }
            if chunk.is_full() {
                break;
            }
        }
        Ok(chunk.frames)
    }
}
