//! `rechat import`

use super::media::files;
use super::progress::{lines, lines_of, progress};
use super::source::writer;
use crate::cli::{GlobalOptions, Import};
use crate::client::Client;
use crate::error::{Error, Result, tell};
use crate::protocol::http::{Imported, TransferRecord};
use crate::protocol::json;
use crate::text::error_of_line;
use std::borrow::Cow;

/// Lines, and bytes, that are stored together.
const LINES: usize = 1000;
const BYTES: usize = 512 << 10;

pub(super) async fn run(import: Import, globals: &GlobalOptions) -> Result<()> {
    let mut client = writer(&import.source, globals).await?;
    let files = files::import(&import.file, &mut client).await?;
    if files > 0 {
        tell(format!("{files} files imported"));
    }
    let (input, length) = lines_of(&import.file)?;
    let bar = progress(length, "bytes");
    let mut batch = ImportBatch::default();
    let file = import.file.display();
    for (number, line) in (1_u64..).zip(lines(input)) {
        let line = line.map_err(|error| Error::failed(format!("cannot read {file}: {error}")))?;
        bar.inc(line.len() as u64 + 1);
        if line.trim().is_empty() {
            continue;
        }
        match checked(&line) {
            Ok(line) => batch.add(&line),
            Err(why) => {
                batch.store(&mut client).await?;
                return Err(Error::failed(format!("{file}, line {number}: {why}")).hint(format!(
                    "the lines before it are stored ({}); correct it and import again: messages \
                     that are stored already stay as they are",
                    batch.summary()
                )));
            }
        }
        if batch.is_full() {
            batch.store(&mut client).await?;
        }
    }
    batch.store(&mut client).await?;
    bar.finish_and_clear();
    tell(batch.summary());
    Ok(())
}

/// The line as it is stored: repaired, where another program wrote JSON that is not quite right.
fn checked(line: &str) -> std::result::Result<Cow<'_, str>, String> {
    let read = |line: &str| {
        serde_json::from_str::<TransferRecord>(line).map_err(|error| error_of_line(&error))
    };
    let (record, line) = if let Ok(record) = read(line) {
        (record, Cow::Borrowed(line))
    } else {
        let repaired = json::repair(line);
        (read(&repaired)?, repaired)
    };
    record.into_message()?;
    Ok(line)
}

/// Lines that wait to be stored, and what came of those before.
#[derive(Default)]
struct ImportBatch {
    lines: usize,
    text: Vec<u8>,
    done: Imported,
}

impl ImportBatch {
    fn add(&mut self, line: &str) {
        self.lines += 1;
        self.text.extend_from_slice(line.as_bytes());
        self.text.push(b'\n');
    }

    fn is_full(&self) -> bool {
        self.lines >= LINES || self.text.len() >= BYTES
    }

    async fn store(&mut self, client: &mut Client) -> Result<()> {
        if self.lines == 0 {
            return Ok(());
        }
        let Imported { imported, known } = client.import(std::mem::take(&mut self.text)).await?;
        self.lines = 0;
        self.done.imported += imported;
        self.done.known += known;
        Ok(())
    }

    fn summary(&self) -> String {
        format!("{} messages imported, {} known already", self.done.imported, self.done.known)
    }
}
