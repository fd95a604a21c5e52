use std::path::Path;

use super::{DESTINATION, SOURCE, parse};
use crate::config::{Config, ConfigError};

fn with(section: &str) -> Result<Config, ConfigError> {
    let task = format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{SOURCE}{DESTINATION}");
    parse(&(task + section))
}

#[test]
fn figures_go_to_a_file_that_is_read() {
    let config = with("[metrics]\ntextfile = 'figures/nightferry.prom'\n").unwrap();
    let textfile = config.metrics.unwrap().textfile;
    assert_eq!(textfile, Path::new("figures/nightferry.prom"));
    for (section, message) in [
        ("[metrics]\n", "metrics.textfile: is missing"),
        (
            "[metrics]\ntextfile = '/x/nightferry.txt'\n",
            "does not end in .prom; node_exporter reads no other file",
        ),
        ("[metrics]\ntextfile = '~/n.prom'\n", "begins with `~`"),
        (
            "[metrics]\ntextfile = 'n.prom'\nevery = 5\n",
            "metrics.every: unknown key",
        ),
    ] {
        let mistakes = with(section).unwrap_err().to_string();
        assert!(mistakes.contains(message), "{mistakes}");
    }
}

#[test]
fn a_ping_goes_over_tls_or_stays_on_this_machine_and_its_url_is_never_shown() {
    for good in [
        "url = 'https://hc.example/hush'",
        "url = 'http://127.0.0.1:8000/hush'",
        "url = 'http://hc.example/hush'\nallow_http = true",
        "url = 'https://hc.example/hush?create=1'",
    ] {
        let config = with(&format!("[ping]\n{good}\n")).unwrap();
        assert!(!format!("{config:?}").contains("hush"), "{config:?}");
        let url = config.ping.unwrap().resolve().unwrap();
        assert!(url.path().ends_with("/hush"), "{good}");
    }
    for (bad, message) in [
        ("", "ping.url: is missing"),
        (
            "url = 'hc.example/hush'",
            "ping.url: is no http or https URL",
        ),
        ("url = 'mailto:hush@example.com'", "is no http or https URL"),
        (
            "url = 'http://hc.example/hush'",
            "is plain HTTP to another machine",
        ),
        (
            "url = 'https://me:hush@hc.example/x'",
            "has credentials in it",
        ),
        ("url = 'https://hc.example/hush#top'", "has a fragment"),
        (
            "url = { vault = 'hush' }",
            "ping.url: says no place of a key",
        ),
        (
            "url = 'https://hc.example/hush'\nmethod = 'PUT'",
            "ping.method: unknown key",
        ),
    ] {
        let mistakes = with(&format!("[ping]\n{bad}\n")).unwrap_err().to_string();
        assert!(mistakes.contains(message), "{mistakes}");
        assert!(!mistakes.contains("hush"), "{mistakes}");
    }
}

#[test]
fn a_url_in_a_file_is_looked_at_when_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    let config = with(&format!(
        "[ping]\nurl = {{ file = '{}' }}\n",
        file.display()
    ));
    let ping = config.unwrap().ping.unwrap();
    let missing = ping.resolve().unwrap_err().to_string();
    assert!(missing.starts_with("url: failed to read "), "{missing}");
    std::fs::write(&file, "http://hc.example/hush\n").unwrap();
    let wrong = ping.resolve().unwrap_err().to_string();
    assert!(
        wrong.starts_with("url: what stands there is plain HTTP to another machine"),
        "{wrong}"
    );
    assert!(!wrong.contains("hush"), "{wrong}");
    std::fs::write(&file, "https://hc.example/hush\n").unwrap();
    assert_eq!(ping.resolve().unwrap().as_str(), "https://hc.example/hush");
}
