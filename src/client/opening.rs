//! Opening of a stream: where it begins, and why it was not opened.

use crate::error::Error;

/// Where a stream begins.
#[derive(Clone, Copy)]
pub enum Begin<'a> {
    /// After this message, given by its ID or `seq`; with what comes from now on without one.
    Since(Option<&'a str>),
    /// Where another stream broke off; a store that does not know the place begins with `reset`.
    After(&'a str),
}

impl<'a> Begin<'a> {
    pub(super) fn place(self) -> Option<&'a str> {
        match self {
            Self::Since(place) => place,
            Self::After(place) => Some(place),
        }
    }
}

/// Why a stream was not opened.
pub(super) enum NotOpened {
    /// The server does not give it, now and later.
    Refused(Error),
    /// It may be there again soon.
    Away(Error),
}

impl From<NotOpened> for Error {
    fn from(why: NotOpened) -> Self {
        match why {
            NotOpened::Refused(error) | NotOpened::Away(error) => error,
        }
    }
}
