//! `rechat tui`: watch and answer from the terminal.
//!
//! Events (keys, the server, the clock) go to the model, which returns effects to carry out; the view
//! draws the model. All waiting is done here.

mod files;
mod keys;
mod language;
mod layout;
mod model;
mod pictures;
mod requests;
mod saved_file;
mod terminal;
mod view;

use crate::client::{Server, watch};
use crate::clock::now;
use crate::error::{Error, Result};
use crate::tui::language::say;
use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{Event as Typed, EventStream};
use crossterm::execute;
use futures_util::StreamExt;
use jiff::tz::TimeZone;
pub use language::Language;
pub use model::Level;
use model::{Effect, Model, NotSent, NumberedRequest, ServerReply, ServerRequest, TuiEvent};
pub use pictures::Graphics;
use pictures::picker;
use rustix::process::{Signal as Number, getpid, kill_current_process_group, kill_process};
use saved_file::SavedFile;
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use terminal::Terminal;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};
use view::Theme;

/// The least time between two drawings: 30 a second.
const FRAME: Duration = Duration::from_millis(33);

/// Events of the server that wait; with more, its connection waits.
const EVENTS: usize = 1024;

/// Events that are taken in before keys are looked at again.
const BATCH: usize = 256;

/// Requests that wait.
const REQUESTS: usize = 256;

/// The key of this host's server in the file of states.
const THIS_HOST: &str = "this host";

/// Runs until the user, or a signal, ends it; `language` is that of all its texts.
///
/// # Errors
///
/// The terminal cannot be used, or the connection to the server cannot be set up.
pub async fn run(
    server: Server,
    notify: Level,
    graphics: Graphics,
    language: Language,
    saved: Option<PathBuf>,
) -> Result<()> {
    language.choose();
    let mut terminal = Terminal::take()?;
    let (to_model, events) = mpsc::channel(EVENTS);
    let (asked, requests) = mpsc::channel(REQUESTS);
    let (answered, answers) = mpsc::channel(REQUESTS);
    let size = crossterm::terminal::size().map_err(broken)?;
    let remote = server.remote_name();
    let saved = saved.map(|path| SavedFile::at(path, remote.unwrap_or(THIS_HOST)));
    let shown = remote.unwrap_or(say!("this host")).to_owned();
    let mut model = Model::new(shown, size, TimeZone::system(), now(), notify);
    if let Some(saved) = &saved {
        model.restore(saved.state().clone());
    }
    let client = TerminalClient {
        model,
        saved,
        theme: Theme::of_environment(),
        asked,
        events,
        answers,
        signals: Signals::catch()?,
    };
    let watching = tokio::spawn(watch::watch(server.clone(), to_model));
    let asking = tokio::spawn(requests::answer(server, picker(graphics), requests, answered));
    let ended = client.run(&mut terminal).await;
    watching.abort();
    asking.abort();
    files::remove_opened();
    ended
}

fn broken(error: impl std::fmt::Display) -> Error {
    Error::failed(format!("cannot use the terminal: {error}"))
}

struct TerminalClient {
    model: Model,
    /// Where its state is kept; none for a user without a home folder.
    saved: Option<SavedFile>,
    theme: Theme,
    asked: mpsc::Sender<NumberedRequest>,
    events: mpsc::Receiver<watch::WatchEvent>,
    /// Answers, with the number that their request had.
    answers: mpsc::Receiver<(u64, ServerReply)>,
    signals: Signals,
}

/// Events of the system.
struct Signals {
    terminate: Signal,
    hang_up: Signal,
    interrupt: Signal,
    stop: Signal,
    go_on: Signal,
}

impl Signals {
    fn catch() -> Result<Self> {
        let catch = |kind| {
            signal(kind).map_err(|error| Error::failed(format!("cannot receive signals: {error}")))
        };
        Ok(Self {
            terminate: catch(SignalKind::terminate())?,
            hang_up: catch(SignalKind::hangup())?,
            interrupt: catch(SignalKind::interrupt())?,
            stop: catch(SignalKind::from_raw(Number::TSTP.as_raw()))?,
            go_on: catch(SignalKind::from_raw(Number::CONT.as_raw()))?,
        })
    }

    /// Waits for one that ends the program.
    async fn end(terminate: &mut Signal, hang_up: &mut Signal, interrupt: &mut Signal) {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = hang_up.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum NextEvent {
    GoOn,
    End,
}

impl TerminalClient {
    /// Runs to the end, and keeps the state for the next start.
    async fn run(mut self, terminal: &mut Terminal) -> Result<()> {
        let ended = self.go_on(terminal).await;
        self.save();
        ended
    }

    /// Keeps what is open and unfinished.
    fn save(&mut self) {
        let Some(saved) = &mut self.saved else { return };
        if let Err(error) = saved.save(self.model.saved()) {
            self.model.update(TuiEvent::NotSaved(error.to_string()));
        }
    }

    async fn go_on(&mut self, terminal: &mut Terminal) -> Result<()> {
        let mut typed = EventStream::new();
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut told = Vec::with_capacity(BATCH);
        let mut drawn = Instant::now() - FRAME;
        let mut is_drawn = false;
        loop {
            let Signals { terminate, hang_up, interrupt, stop, go_on } = &mut self.signals;
            // Keys and signals come before a flood of messages.
            tokio::select! {
                biased;
                () = Signals::end(terminate, hang_up, interrupt) => return Ok(()),
                _ = stop.recv() => suspend()?,
                _ = go_on.recv() => terminal.come_back().map_err(broken)?,
                event = typed.next() => match event {
                    Some(Ok(event)) => self.type_in(event),
                    Some(Err(error)) => return Err(broken(error)),
                    None => return Ok(()),
                },
                () = sleep_until(drawn + FRAME), if !is_drawn => {
                    if self.apply_effects(terminal)? == NextEvent::End {
                        return Ok(());
                    }
                    terminal.draw(|frame| view::draw(frame, &self.model, self.theme)).map_err(broken)?;
                    drawn = Instant::now();
                    is_drawn = true;
                    continue;
                }
                _ = seconds.tick() => {
                    self.model.update(TuiEvent::Tick(now()));
                    self.save();
                }
                Some((asked, answer)) = self.answers.recv() => {
                    self.model.update(TuiEvent::Reply { asked, answer });
                }
                count = self.events.recv_many(&mut told, BATCH) => {
                    if count == 0 {
                        return Err(Error::failed("the connection task ended"));
                    }
                    for event in told.drain(..) {
                        self.model.update(TuiEvent::Watch(event));
                    }
                }
            }
            is_drawn = false;
        }
    }

    fn type_in(&mut self, typed: Typed) {
        match typed {
            Typed::Key(key) => self.model.update(TuiEvent::Key(key)),
            Typed::Mouse(mouse) => self.model.update(TuiEvent::Mouse(mouse)),
            Typed::Paste(text) => self.model.update(TuiEvent::Paste(text)),
            Typed::Resize(width, height) => self.model.update(TuiEvent::Resize(width, height)),
            Typed::FocusGained => self.model.update(TuiEvent::Focus(true)),
            Typed::FocusLost => self.model.update(TuiEvent::Focus(false)),
        }
    }

    /// Carries out the effects of the model.
    fn apply_effects(&mut self, terminal: &mut Terminal) -> Result<NextEvent> {
        let asked = self.model.told_last();
        for effect in self.model.take_effects() {
            match effect {
                Effect::Ask(request) => {
                    let request = NumberedRequest { asked, request };
                    if let Err(error) = self.asked.try_send(request) {
                        let answer = match error.into_inner().request {
                            ServerRequest::Page { ticket, .. } => {
                                ServerReply::NoPage { ticket, why: busy() }
                            }
                            ServerRequest::Send(message) => {
                                let why = busy();
                                ServerReply::NotSent(Box::new(NotSent { message, file: None, why }))
                            }
                            ServerRequest::SendFile(message, path) => {
                                let (file, why) = (Some(path), busy());
                                ServerReply::NotSent(Box::new(NotSent { message, file, why }))
                            }
                            ServerRequest::Read(..) => ServerReply::NotRead,
                            _ => ServerReply::Failed(busy()),
                        };
                        self.model.update(TuiEvent::Reply { asked, answer });
                    }
                }
                Effect::Copy(text) => {
                    execute!(io::stdout(), CopyToClipboard::to_clipboard_from(text))
                        .map_err(broken)?;
                }
                Effect::Open(what) => {
                    if !files::open(&what) {
                        execute!(io::stdout(), CopyToClipboard::to_clipboard_from(&what))
                            .map_err(broken)?;
                        let text = say!("there is no desktop here to open it; copied: {}", what);
                        let answer = ServerReply::Failed(text);
                        self.model.update(TuiEvent::Reply { asked, answer });
                    }
                }
                Effect::Notify(notification) => Terminal::notify(&notification).map_err(broken)?,
                Effect::Redraw => terminal.redraw().map_err(broken)?,
                // It comes back as a signal, to everybody who runs with us.
                Effect::Suspend => {
                    kill_current_process_group(Number::TSTP).map_err(broken)?;
                }
                Effect::Quit => return Ok(NextEvent::End),
            }
        }
        Ok(NextEvent::GoOn)
    }
}

/// Notice where too many requests wait.
fn busy() -> String {
    say!("the server is slow to answer; try again").into()
}

/// Stops the process as the user asked, with the terminal as it was.
fn suspend() -> Result<()> {
    Terminal::leave();
    // The signal that cannot be caught; when it goes on, the system tells it.
    kill_process(getpid(), Number::STOP).map_err(broken)
}
