//! Media: the bytes of pictures, sounds, videos and files, kept beside the store.
//!
//! [`Blobs`] keeps them by their SHA-256. [`content`] puts there what messages carry, [`complete`]
//! what they have addresses of, [`arrivals`] does that for what comes in. [`sweep`] removes what no
//! message has any more, and [`sniff`] tells by the bytes what they are.

mod address;
pub mod arrivals;
mod blobs;
pub mod complete;
pub mod content;
mod decrypt;
pub mod fetch;
mod hash;
pub mod list;
mod reading;
pub mod sign;
pub mod sniff;
pub mod sweep;
pub mod thumbnail;

pub use address::{Allowed, is_public};
pub use blobs::{BlobBounds, BlobRefused, Blobs, Stored, Upload, folder_beside};
pub use hash::Hash;
pub use reading::AdapterMedia;
