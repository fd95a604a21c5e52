//! The machine on which the program runs.

/// The name by which it is known in its network, as far as it knows.
pub fn name() -> String {
    let name = nix::unistd::gethostname().ok();
    let name = name.and_then(|name| name.into_string().ok());
    name.unwrap_or_else(|| "localhost".to_owned())
}
