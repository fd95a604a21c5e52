//! What everything that is made of HTML shares: the page of `serve`, mail and
//! reports look alike because they are made of the same pieces.

pub mod chart;
pub mod pieces;

/// The style sheet, light and dark; it names no host and no file.
pub const STYLE: &str = include_str!("style.css");
