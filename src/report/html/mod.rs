//! What everything that is made of HTML shares: the page of `serve`, mail and
//! reports look alike because they are made of the same pieces.

pub mod books;
pub mod chart;
pub mod days;
pub mod pieces;
pub mod scale;

/// The style sheet, light and dark; it names no host and no file.
pub const STYLE: &str = include_str!("style.css");
