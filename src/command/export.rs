//! `rechat export`

use super::conversation::filter_of;
use super::media::files::MediaFiles;
use super::progress::progress;
use super::source::reader;
use super::target;
use crate::cli::{ExportArgs, GlobalOptions};
use crate::client::Client;
use crate::error::{Error, Result, tell};
use crate::store::MessageFilter;
use crate::text::json_for_terminal;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

pub(super) async fn run(export: ExportArgs, globals: &GlobalOptions) -> Result<()> {
    if let Some(file) = export.file.as_deref().filter(|file| file.as_os_str() != "-") {
        target::check(file, export.force)?;
        target::check_no_store(file)?;
    }
    let mut client = reader(&export.source, globals).await?;
    let filter = filter_of(&mut client, export.status, &export.filter).await?;
    match export.file {
        Some(file) if file.as_os_str() != "-" => {
            to_file(&mut client, &filter, &file, export.media).await
        }
        _ if export.media => {
            Err(Error::usage("--media needs a file, beside which the folder of media goes"))
        }
        _ if io::stdout().is_terminal() => {
            write(&mut client, &filter, ToTerminal(io::stdout().lock()), |_, _| {}).await.map(drop)
        }
        _ => {
            let out = BufWriter::new(io::stdout().lock());
            write(&mut client, &filter, out, |_, _| {}).await.map(drop)
        }
    }
}

/// Whole lines of JSON, shown at a terminal without anything that it would act on.
struct ToTerminal<W>(W);

impl<W: Write> Write for ToTerminal<W> {
    fn write(&mut self, lines: &[u8]) -> io::Result<usize> {
        for line in String::from_utf8_lossy(lines).lines() {
            writeln!(self.0, "{}", json_for_terminal(line))?;
        }
        Ok(lines.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Writes beside the file, and puts it in its place only once it is whole.
async fn to_file(
    client: &mut Client,
    filter: &MessageFilter,
    file: &Path,
    with_media: bool,
) -> Result<()> {
    let part = file.with_added_extension("part");
    let cannot = |error| Error::failed(format!("cannot write {}: {error}", part.display()));
    // Only its owner can read it, as with the store.
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let out = options.open(&part).map_err(cannot)?;
    let total = client.stats(&MessageFilter::default(), None).await?.total;
    let is_all = *filter == MessageFilter::default();
    let bar = progress(is_all.then_some(total), "messages");
    let mut media = with_media.then(|| MediaFiles::next_to(file)).transpose()?;
    let tell_of = |count, lines: &[u8]| {
        bar.inc(count);
        if let Some(media) = &mut media {
            media.see(lines);
        }
    };
    let mut written = write(client, filter, BufWriter::new(&out), tell_of).await;
    bar.finish_and_clear();
    // The lines appear only once their media are there.
    if let (Ok(_), Some(media)) = (&written, media) {
        match media.copy(client).await {
            Ok(done) => tell(format!("{} files copied, {} missing", done.copied, done.missing)),
            Err(error) => written = Err(error),
        }
    }
    let written = written.and_then(|written| {
        out.sync_all().and_then(|()| std::fs::rename(&part, file)).map_err(cannot)?;
        Ok(written)
    });
    if written.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    tell(format!("{} messages exported to {}", written?, file.display()));
    Ok(())
}

/// Writes all lines; gives how many, and tells of them as they go.
async fn write(
    client: &mut Client,
    filter: &MessageFilter,
    mut out: impl Write,
    mut tell: impl FnMut(u64, &[u8]),
) -> Result<u64> {
    let mut export = client.export(filter).await?;
    let mut written = 0;
    while let Some(lines) = export.next().await? {
        out.write_all(&lines).map_err(|error| Error::of_output(&error))?;
        let count = lines.split(|&byte| byte == b'\n').skip(1).count() as u64;
        written += count;
        tell(count, &lines);
    }
    out.flush().map_err(|error| Error::of_output(&error))?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_shown_no_control_characters() {
        let mut shown = Vec::new();
        let line = "{\"content\":\"\u{9b}31m\u{202e}abc\u{200f}\"}\n";
        ToTerminal(&mut shown).write_all(line.as_bytes()).unwrap();
        let shown = String::from_utf8(shown).unwrap();
        assert!(shown.ends_with("}\n") && shown.contains("abc"), "{shown:?}");
        assert!(!shown.contains(['\u{9b}', '\u{202e}', '\u{200f}']), "{shown:?}");
    }
}
