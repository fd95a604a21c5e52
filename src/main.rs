//! The `nightferry` binary.

fn main() {}
