//! Where the configuration file is looked for.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::error::ConfigError;

/// The variable that names the configuration file.
pub(super) const VARIABLE: &str = "NIGHTFERRY_CONFIG";

/// Where it is looked for when nobody names it.
pub(super) const PLACES: [&str; 2] = ["./nightferry.toml", "/etc/nightferry/nightferry.toml"];

/// A file that was named is the only one that is tried: another one in its
/// place would be a surprise.
pub(super) fn locate(
    flag: Option<&Path>,
    variable: Option<OsString>,
    places: &[&str],
) -> Result<PathBuf, ConfigError> {
    let variable = variable.filter(|path| !path.is_empty());
    let tried = if let Some(path) = flag {
        vec![(path.to_owned(), " (named by --config)".to_owned())]
    } else if let Some(path) = variable {
        vec![(path.into(), format!(" (named by {VARIABLE})"))]
    } else {
        places
            .iter()
            .map(|place| (place.into(), String::new()))
            .collect()
    };
    if let Some((path, _)) = tried.iter().find(|(path, _)| path.exists()) {
        return Ok(path.clone());
    }
    let name = |(path, by): &(PathBuf, String)| format!("{}{by}", path.display());
    Err(ConfigError::NotFound {
        tried: tried.iter().map(name).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_goes_before_the_variable_and_the_variable_before_the_places() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, "").unwrap();
            path
        };
        let (flag, variable, place) = (file("flag"), file("variable"), file("place"));
        let places = ["/nowhere/a.toml", place.to_str().unwrap()];
        let named = Some(variable.clone().into_os_string());
        assert_eq!(locate(Some(&flag), named.clone(), &places).unwrap(), flag);
        assert_eq!(locate(None, named, &places).unwrap(), variable);
        assert_eq!(locate(None, Some("".into()), &places).unwrap(), place);
    }

    #[test]
    fn not_found_says_every_place_that_was_tried() {
        let error = locate(None, None, &["/nowhere/a.toml", "/nowhere/b.toml"]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "no configuration file; looked for /nowhere/a.toml, /nowhere/b.toml; \
             `nightferry init` prints one to begin with"
        );
        let error = locate(Some(Path::new("/nowhere/c.toml")), None, &PLACES).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("/nowhere/c.toml (named by --config);")
        );
    }
}
