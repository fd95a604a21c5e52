//! What is at each end, for many names at once.
//!
//! ```text
//! names in byte order ─▶ page of the listing from just before the first name on
//!        ▲                      │ says of all names up to its last key: there, or not there
//!        └── jump to the next ──┘ worth it? else leave the rest to be asked one by one
//! ```
//!
//! A page costs about as much as twenty HEADs, whatever it says, so a listing is
//! followed only where it says enough. Nothing is taken from it that another
//! server's way of listing could make wrong: names whose listed form is not
//! certain, and all names of a server that does not list in byte order, are left
//! to be asked one by one.

mod before;
mod contradiction;
mod listings;
mod side_by_side;
mod walk;
mod want;

pub use contradiction::contradicts;
pub use listings::Listings;
pub use side_by_side::{EitherOrBoth, Stream, WalkError, side_by_side};
pub use walk::survey;
pub use want::{Want, want};

use crate::model::ObjectFacts;

/// What a listing says of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sight {
    /// Nothing: it is to be asked about.
    Unknown,
    /// It is not there.
    Absent,
    /// It is there. A listing knows neither MD5 nor checksums.
    Present(ObjectFacts),
}
