//! Media: the bytes of pictures, sounds, videos and files, kept beside the store.
//!
//! [`Blobs`] keeps them by their SHA-256; an [`Upload`] becomes one, and [`partial`] has uploads that
//! go on after a break. [`content`] puts there what messages carry, [`complete`]
//! what they have addresses of, [`fetch_incoming`] does that for what comes in. [`sweep`] removes what no
//! message has any more, and [`sniff`] tells by the bytes what they are.

mod address;
mod blobs;
mod bounds;
pub mod complete;
pub mod content;
pub mod copy;
mod decrypt;
mod duration;
pub mod failure;
pub mod fetch;
pub mod fetch_incoming;
mod hash;
pub mod list;
pub mod partial;
mod reading;
mod reservations;
pub mod sign;
pub mod sniff;
mod stored_file;
pub mod sweep;
pub mod thumbnail;
mod upload;
mod web;

pub use address::{Allowed, is_public};
pub use blobs::{Blobs, Stored, folder_beside};
pub use bounds::{BlobBounds, BlobRefused};
pub use hash::Hash;
pub use reading::AdapterMedia;
pub use upload::Upload;
