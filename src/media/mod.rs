//! Media: the bytes of pictures, sounds, videos and files, stored next to the store.
//!
//! [`Blobs`] stores them by their SHA-256. An [`Upload`] makes a blob at once, and [`partial`] has uploads
//! that can be continued. [`content`] stores bytes inside messages, [`fetch_missing`] fetches the missing media of
//! a message, and [`fetch_incoming`] does that for incoming messages. [`sweep`] removes files that no message
//! has any more, [`removal`] those that somebody deletes. [`sniff`] finds the type of a file from its bytes.

mod address;
mod blobs;
mod bounds;
pub mod content;
pub mod copy;
mod decrypt;
mod duration;
pub mod failure;
pub mod fetch;
pub mod fetch_incoming;
pub mod fetch_missing;
mod hash;
pub mod list;
mod new_media;
pub mod partial;
mod reading;
pub mod removal;
mod reservations;
pub mod sign;
pub mod sniff;
mod stored_file;
pub mod sweep;
pub mod thumbnail;
mod upload;
mod web;

pub use address::{Allowed, is_public};
pub use blobs::{Blobs, MediaPeers, Stored, folder_beside};
pub use bounds::{BlobBounds, BlobRefused};
pub use hash::Hash;
pub use new_media::NewMedia;
pub use reading::AdapterMedia;
pub use upload::Upload;
