//! Colours and weights. Only those of the terminal's own palette that can be read on a light and
//! on a dark ground; what they say is said by words, marks or weight as well.

use crate::model::message::Status;
use crate::protocol::http::PlatformState;
use crate::tui::model::content::TextLook;
use ratatui::style::{Color, Modifier, Style};

/// How things look.
#[derive(Clone, Copy, Debug)]
pub struct Theme {
    has_colour: bool,
}

/// Colours of senders. The darker blue cannot be read on the black of xterm and of the console.
const SENDERS: [Color; 4] = [Color::LightBlue, Color::Green, Color::Magenta, Color::Cyan];

impl Theme {
    /// With or without colours.
    pub fn new(has_colour: bool) -> Self {
        Self { has_colour }
    }

    /// No colours where they are not wanted (<https://no-color.org>).
    pub fn of_environment() -> Self {
        Self::new(std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
    }

    fn coloured(self, colour: Color) -> Style {
        if self.has_colour { Style::new().fg(colour) } else { Style::new() }
    }

    /// Style of text of less weight.
    pub fn quiet() -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// Style of text that stands out.
    pub fn strong() -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// A heading, of the pane that has the keys or of another.
    pub fn title(self, has_focus: bool) -> Style {
        if has_focus {
            self.coloured(Color::Cyan).add_modifier(Modifier::BOLD | Modifier::REVERSED)
        } else {
            Self::strong()
        }
    }

    /// A heading inside an overlay.
    pub fn heading(self) -> Style {
        self.coloured(Color::Cyan).patch(Self::strong())
    }

    /// The look of a piece of a message.
    pub fn look(self, look: TextLook) -> Style {
        match look {
            TextLook::Plain => Style::new(),
            TextLook::Quiet => Self::quiet(),
            TextLook::Mention => self.coloured(Color::LightBlue).patch(Self::strong()),
            TextLook::Me => {
                self.coloured(Color::Magenta).add_modifier(Modifier::BOLD | Modifier::REVERSED)
            }
            TextLook::Media => self.coloured(Color::Cyan),
            TextLook::Link => Style::new().add_modifier(Modifier::UNDERLINED),
            TextLook::Recalled => Self::quiet().add_modifier(Modifier::CROSSED_OUT),
            TextLook::Waiting => self.coloured(Color::Magenta),
            TextLook::Wrong => self.wrong(),
            TextLook::Mine => self.own(),
        }
    }

    /// Style of the selection.
    pub fn chosen() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Style of unread messages.
    pub fn waiting(self) -> Style {
        self.coloured(Color::Magenta).patch(Self::strong())
    }

    /// Style of errors.
    pub fn wrong(self) -> Style {
        self.coloured(Color::Red).patch(Self::strong())
    }

    /// Style of success.
    pub fn well(self) -> Style {
        self.coloured(Color::Green)
    }

    /// Style of matches.
    pub fn found() -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// One's own name.
    pub fn own(self) -> Style {
        self.coloured(Color::Cyan).patch(Self::strong())
    }

    /// The name of somebody, always in the same colour.
    pub fn sender(self, id: &str) -> Style {
        let sum: usize = id.bytes().map(usize::from).sum();
        self.coloured(SENDERS[sum % SENDERS.len()])
    }

    /// A message's state.
    pub fn status(self, status: Status) -> Style {
        match status {
            Status::Pending | Status::Sending => self.coloured(Color::Magenta),
            Status::Sent => self.well(),
            Status::Failed => self.wrong(),
            Status::Canceled => Self::quiet(),
        }
    }

    /// An adapter's state.
    pub fn state(self, state: PlatformState) -> Style {
        match state {
            PlatformState::Connected => self.well(),
            PlatformState::Connecting => self.coloured(Color::Magenta),
            PlatformState::Disconnected => Self::quiet(),
            PlatformState::Error => self.wrong(),
        }
    }
}

/// The mark of a message's state, one column wide.
pub fn mark(status: Status) -> &'static str {
    match status {
        Status::Pending => "…",
        Status::Sending => "»",
        Status::Sent => "✓",
        Status::Failed => "✗",
        Status::Canceled => "⊘",
    }
}

/// The mark of an adapter's state, one column wide.
pub fn mark_of_state(state: PlatformState) -> &'static str {
    match state {
        PlatformState::Connected => "●",
        PlatformState::Connecting => "◌",
        PlatformState::Disconnected => "○",
        PlatformState::Error => "✗",
    }
}
