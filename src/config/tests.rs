mod mail;
mod pace;
mod restore;
mod secrets;
mod selection;
mod serve;
mod watch;
mod write_options;

use proptest::prelude::*;

use super::*;
use crate::model::{ChecksumMode, FailureCause, OverwriteMode};

const SOURCE: &str = "[task.source]\n\
    endpoint = 'https://s3.example.com'\nbucket = 'photos'\n\
    access_key_id = { env = 'NIGHTFERRY_NO_SUCH_KEY' }\n\
    secret_access_key = { env = 'NIGHTFERRY_NO_SUCH_SECRET' }\n";
const DESTINATION: &str = "[task.destination]\n\
    endpoint = 'https://s3.example.net'\nbucket = 'copies'\nprofile = 'night'\n";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(text, Path::new("nightferry.toml"))
}

/// What is said about `text`, which is wrong.
fn mistakes(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

#[test]
fn the_example_parses_with_its_defaults() {
    let config = Config::parse(EXAMPLE, Path::new("/etc/nightferry/nightferry.toml")).unwrap();
    assert_eq!(config.data_dir, Path::new("/var/lib/nightferry"));
    assert_eq!((config.workers, config.memory_bytes), (64, 96 << 20));
    assert_eq!(config.group, None);
    let task = config.task("photos").unwrap();
    assert_eq!((task.zone, task.window), (Zone::UTC, None));
    assert_eq!(task.overwrite, OverwriteMode::SizeLastModified);
    assert_eq!(task.checksum, ChecksumMode::Auto);
    assert!(task.deliver_lists && !task.read_lists_from_destination);
    assert_eq!(task.object_lists_encoding, ListEncoding::Plain);
    assert_eq!(task.server_side_copy, ServerSideCopy::Auto);
    assert_eq!(task.carry_over_days, 7);
    assert_eq!(task.source.region, "us-east-1");
    assert!(task.source.path_style && !task.source.allow_http);
    assert_eq!(
        task.destination.credentials,
        CredentialsConfig::Profile("nightferry".into())
    );
    assert!(config.task("music").is_none());
}

#[test]
fn the_example_with_all_its_keys_taken_in_parses_too() {
    let taken_in = |line: &'static str| match line.strip_prefix('#') {
        Some(key) if !key.starts_with(' ') => key,
        _ => line,
    };
    let text: Vec<&str> = EXAMPLE.lines().map(taken_in).collect();
    let config = parse(&text.join("\n")).unwrap();
    assert_eq!(config.group.as_deref(), Some("ops"));
    let task = &config.tasks[0];
    assert_eq!(task.zone.name(), "Asia/Shanghai");
    assert_eq!(task.window.unwrap().to_string(), "01:00-06:00");
}

#[test]
fn a_relative_data_directory_begins_at_the_files_folder() {
    let text = format!("data_dir = 'data'\n[[task]]\nid = 'photos'\n{SOURCE}{DESTINATION}");
    let config = Config::parse(&text, Path::new("/etc/nightferry/nightferry.toml")).unwrap();
    assert_eq!(config.data_dir, Path::new("/etc/nightferry/data"));
    assert_eq!(parse(&text).unwrap().data_dir, Path::new("data"));
}

#[test]
fn six_mistakes_are_reported_at_once_each_with_its_line() {
    let text = "data_dir = '/var/lib/nightferry'\n\
        time_zone = 'Asia/Shangri-La'\n\
        wokers = 8\n\
        memory = '1MiB'\n\
        \n\
        [[task]]\n\
        id = 'photos'\n\
        overwrite = 'sometimes'\n\
        window = '06:00-06:00'\n\
        [task.source]\n\
        endpoint = 'https://s3.example.com'\n\
        bucket = 'a/b'\n\
        profile = 'night'\n\
        [task.destination]\n\
        endpoint = 'https://s3.example.net'\n\
        bucket = 'photos-copy'\n\
        profile = 'night'\n";
    assert_eq!(
        mistakes(text),
        "nightferry.toml:2: time_zone: `Asia/Shangri-La` is no time zone of the IANA database (such as Asia/Shanghai)\n\
         nightferry.toml:3: wokers: unknown key; did you mean `workers`?\n\
         nightferry.toml:4: memory: \"1MiB\" is too little; write \"16.0 MiB\" or more\n\
         nightferry.toml:8: task \"photos\", overwrite: `sometimes` is no overwrite mode; it is one of: size_last_modified, never, always, checksum\n\
         nightferry.toml:9: task \"photos\", window: \"06:00-06:00\" begins when it ends; write two different times, or leave the key out for no window\n\
         nightferry.toml:12: task \"photos\", source.bucket: \"a/b\" is no bucket name; write 3 to 63 letters, digits, `.`, `-` or `_`, the first a letter or digit"
    );
}

#[test]
fn only_a_server_that_has_both_buckets_may_copy_by_itself() {
    let may = |lines: &str, source: &str, destination: &str| {
        let text = format!(
            "data_dir = 'd'\n[[task]]\nid = 'photos'\n{lines}\n\
             [task.source]\nbucket = 'one'\nprofile = 'a'\n{source}\n\
             [task.destination]\nbucket = 'two'\nprofile = 'b'\n{destination}\n"
        );
        parse(&text).unwrap().tasks[0].may_copy_server_side()
    };
    let here = "endpoint = 'https://s3.example.com'";
    let never = "server_side_copy = 'never'";
    for (lines, destination, expected) in [
        ("", here, true),
        ("server_side_copy = 'auto'", here, true),
        (never, here, false),
        ("", "endpoint = 'https://S3.example.com:443/'", true),
        ("", "endpoint = 'https://s3.example.com:9000'", false),
        ("", "endpoint = 'https://s3.example.net'", false),
        (
            "",
            "endpoint = 'https://s3.example.com'\npath_style = false",
            true,
        ),
        (
            "",
            "endpoint = 'https://s3.example.com'\nregion = 'eu-west-1'",
            false,
        ),
    ] {
        assert_eq!(may(lines, here, destination), expected, "{destination}");
    }
    let text = format!(
        "data_dir = 'd'\n[[task]]\nid = 'photos'\nserver_side_copy = true\n{SOURCE}{DESTINATION}"
    );
    assert!(mistakes(&text).contains("task \"photos\", server_side_copy: "));
    let text = text.replace("true", "'always'");
    assert_eq!(
        mistakes(&text),
        "nightferry.toml:4: task \"photos\", server_side_copy: `always` is no way of copying at one \
         server; it is one of: auto, never"
    );
}

#[test]
fn a_kind_of_checksum_is_one_of_the_known() {
    let with =
        |word: &str| EXAMPLE.replacen("#checksum = \"auto\"", &format!("checksum = \"{word}\""), 1);
    for &mode in ChecksumMode::ALL {
        let config = parse(&with(mode.as_str())).unwrap();
        assert_eq!(config.tasks[0].checksum, mode);
    }
    let said = mistakes(&with("crc16"));
    assert!(
        said.ends_with(
            "task \"photos\", checksum: `crc16` is no kind of checksum; it is one of: \
             auto, md5, crc64nvme, crc32c, sha256"
        ),
        "{said}"
    );
}

#[test]
fn missing_keys_are_reported_on_the_line_of_their_section() {
    assert_eq!(
        mistakes("# nothing yet\n"),
        "nightferry.toml:1: data_dir: is missing; write data_dir = \"/var/lib/nightferry\"\n\
         nightferry.toml:1: task: is missing; write at least one [[task]] section"
    );
    assert_eq!(
        mistakes("data_dir = 'd'\n\n[[task]]\n\n[task.source]\n"),
        "nightferry.toml:3: task 1, id: is missing; write id = \"…\"\n\
         nightferry.toml:3: task 1, destination: is missing; write a section [task.destination]\n\
         nightferry.toml:5: task 1, source.endpoint: is missing; write endpoint = \"https://…\"\n\
         nightferry.toml:5: task 1, source.bucket: is missing; write bucket = \"…\"\n\
         nightferry.toml:5: task 1, source.access_key_id: is missing; write access_key_id and secret_access_key, profile = \"…\" or credential_process = \"…\""
    );
}

#[test]
fn credentials_are_told_in_one_way() {
    let with = |lines: &str| {
        let source = format!(
            "[task.source]\nendpoint = 'https://s3.example.com'\nbucket = 'photos'\n{lines}\n"
        );
        parse(&format!(
            "data_dir = 'd'\n[[task]]\nid = 'photos'\n{source}{DESTINATION}"
        ))
    };
    let process = with("credential_process = '/opt/creds --for \"a b\"'\nrequester_pays = true");
    let source = process.unwrap().tasks.remove(0).source;
    let words = ["/opt/creds", "--for", "a b"].map(str::to_owned).to_vec();
    assert_eq!(source.credentials, CredentialsConfig::Process(words));
    assert!(source.requester_pays);
    for (lines, said) in [
        (
            "profile = 'a'\ncredential_process = 'b'",
            "8: task \"photos\", source.credential_process: stands beside profile; write one of them",
        ),
        (
            "access_key_id = 'hush'\ncredential_process = 'b'",
            "8: task \"photos\", source.credential_process: stands beside keys; write either credential_process, or access_key_id and secret_access_key",
        ),
        (
            "credential_process = 'a \"hush'",
            "7: task \"photos\", source.credential_process: has a quote that is not closed; close it",
        ),
        (
            "credential_process = 7",
            "7: task \"photos\", source.credential_process: is of type integer; write a string in quotes",
        ),
    ] {
        let error = with(lines).unwrap_err().to_string();
        assert_eq!(error, format!("nightferry.toml:{said}"));
    }
}

#[test]
fn wrong_types_and_ranges_say_what_to_write() {
    let rest = format!("[[task]]\nid = 'photos'\ndeliver_lists = 1\n{SOURCE}{DESTINATION}");
    assert_eq!(
        mistakes(&format!(
            "data_dir = 7\nworkers = 0\ngroup = ''\nmemory = 'much'\n{rest}"
        )),
        "nightferry.toml:1: data_dir: is of type integer; write a string in quotes\n\
         nightferry.toml:2: workers: is out of range; write a whole number from 1 to 1024\n\
         nightferry.toml:3: group: is empty; write a value or leave the key out\n\
         nightferry.toml:4: memory: \"much\" is no size; write one such as \"96.0 MiB\"\n\
         nightferry.toml:7: task \"photos\", deliver_lists: is of type integer; write true or false"
    );
}

#[test]
fn whole_numbers_may_be_written_in_every_way_of_toml() {
    for (written, workers) in [("0x40", 64), ("1_000", 1000), ("+7", 7)] {
        let text = format!(
            "data_dir = 'd'\nworkers = {written}\n[[task]]\nid = 'photos'\n{SOURCE}{DESTINATION}"
        );
        assert_eq!(parse(&text).unwrap().workers, workers);
    }
    assert!(mistakes("workers = -1").contains("workers: is out of range"));
}

#[test]
fn an_unknown_key_is_told_its_likely_meaning_or_the_known_keys() {
    let text = format!(
        "data_dir = 'd'\npost = 1\n[[task]]\nid = 'photos'\ntimezone = 'UTC'\n{SOURCE}{DESTINATION}"
    );
    assert_eq!(
        mistakes(&text),
        "nightferry.toml:2: post: unknown key; known here: data_dir, group, time_zone, workers, memory, retry, task, backup, mail, metrics, ping, serve\n\
         nightferry.toml:5: task \"photos\", timezone: unknown key; did you mean `time_zone`?"
    );
}

#[test]
fn two_tasks_with_the_same_id_are_reported_with_both_lines() {
    let task = format!("[[task]]\nid = 'photos'\n{SOURCE}{DESTINATION}");
    assert_eq!(
        mistakes(&format!("data_dir = 'd'\n{task}{task}")),
        "nightferry.toml:14: task \"photos\", id: is the id of the task on line 3 too; \
         write another on one of the lines 3 and 14"
    );
}

#[test]
fn tasks_that_are_no_sections_are_mistakes() {
    for task in ["[task]\nid = 'photos'", "task = 1", "task = []"] {
        assert_eq!(
            mistakes(&format!("data_dir = 'd'\n{task}"))
                .split_once(": task: ")
                .unwrap()
                .1,
            "is no list of sections; write [[task]] before each task",
            "{task}"
        );
    }
    assert!(mistakes("data_dir = 'd'\ntask = [1]").contains(": task 1: is no section"));
}

#[test]
fn source_and_destination_must_not_be_the_same_bucket() {
    let destination = SOURCE.replace("task.source", "task.destination");
    let same = destination.replace("https://s3.example.com", "https://S3.Example.com:443/");
    assert_eq!(
        mistakes(&format!(
            "data_dir = 'd'\n[[task]]\nid = 'photos'\n{SOURCE}{same}"
        )),
        "nightferry.toml:9: task \"photos\", destination: is the same bucket as the source; \
         write another bucket or endpoint"
    );
    for (from, to) in [("photos", "copies"), ("example.com", "example.com:9000")] {
        let other = destination.replace(from, to);
        let text = format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{SOURCE}{other}");
        assert!(parse(&text).is_ok(), "{other}");
    }
}

#[test]
fn plain_http_is_for_this_machine_or_for_those_who_ask_for_it() {
    let with = |endpoint: &str| {
        let source = SOURCE.replace("'https://s3.example.com'", endpoint);
        parse(&format!(
            "data_dir = 'd'\n[[task]]\nid = 'photos'\n{source}{DESTINATION}"
        ))
    };
    assert!(with("'http://localhost:9000'").is_ok());
    assert!(with("'http://10.0.0.1'\nallow_http = true").is_ok());
    let far = with("'http://10.0.0.1'").unwrap_err().to_string();
    assert!(far.starts_with(
        "nightferry.toml:5: task \"photos\", source.endpoint: is plain HTTP to another machine; write https://"
    ), "{far}");
    let in_host = with("'https://10.0.0.1'\npath_style = false")
        .unwrap_err()
        .to_string();
    assert!(
        in_host.contains(":6: task \"photos\", source.path_style: is false, but"),
        "{in_host}"
    );
}

#[test]
fn a_syntax_error_is_one_mistake_with_its_line() {
    let said = mistakes("data_dir = 'd'\nworkers = = 3\n[[task]]\n");
    assert!(
        said.starts_with("nightferry.toml:2: is not TOML: "),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Config::load(Path::new("/nowhere/nightferry.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("failed to read the configuration /nowhere/nightferry.toml: "),
        "{error}"
    );
}

proptest! {
    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        prop_assert!(parse(&text).is_err());
    }

    #[test]
    fn the_example_with_lines_changed_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), "[\\[\\]{}='\"#a-z0-9é\n. ]{0,20}"), 1..5)
    ) {
        let mut lines: Vec<String> = EXAMPLE.lines().map(str::to_owned).collect();
        for (index, line) in changes {
            let index = index.index(lines.len());
            lines[index] = line;
        }
        if let Err(ConfigError::Mistakes(mistakes)) = parse(&lines.join("\n")) {
            prop_assert!(!mistakes.is_empty());
        }
    }
}

#[test]
fn a_backup_needs_a_place_of_its_own() {
    let with = |section: &str| {
        let task = format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{SOURCE}{DESTINATION}");
        parse(&(task + section))
    };
    let config = with("[backup]\npath = 'copies'\n").unwrap();
    let backup = config.backup.unwrap();
    assert_eq!((backup.path.unwrap(), backup.keep), ("copies".into(), 14));
    let bucket = |name: &str, prefix: &str| {
        format!(
            "[backup]\n[backup.bucket]\nendpoint = 'https://s3.example.com'\nbucket = '{name}'\n\
             prefix = '{prefix}'\nprofile = 'night'\n"
        )
    };
    let bucket_of = |config: Config| config.backup.unwrap().bucket.unwrap();
    assert_eq!(
        bucket_of(with(&bucket("bak", "a/b")).unwrap()).prefix,
        "a/b/"
    );
    for (section, message) in [
        (
            "[backup]\nkeep = 3\n".to_owned(),
            "write one of them, or both",
        ),
        (
            "[backup]\npath = 'x'\nkeep = 0\n".to_owned(),
            "from 1 to 1000",
        ),
        (bucket("photos", "a"), "is a bucket of a task"),
        (bucket("bak", "../a"), "is no prefix"),
        (bucket("bak", "a//b"), "is no prefix"),
    ] {
        let mistakes = with(&section).unwrap_err().to_string();
        assert!(mistakes.contains(message), "{mistakes}");
    }
}

#[test]
fn a_spot_check_is_a_number_and_none_if_nothing_is_said() {
    let with = |line: &str| {
        let text =
            format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{line}\n{SOURCE}{DESTINATION}");
        parse(&text).map(|config| config.tasks[0].spot_check)
    };
    assert_eq!(with("").unwrap(), 0);
    assert_eq!(with("spot_check = 20").unwrap(), 20);
    for wrong in [
        "spot_check = 10_001",
        "spot_check = -1",
        "spot_check = 'all'",
    ] {
        let error = with(wrong).unwrap_err().to_string();
        assert!(error.contains("spot_check"), "{error}");
    }
}

#[test]
fn what_is_expected_and_tolerated_is_read_and_unknown_causes_name_the_list() {
    let with = |lines: &str| {
        let text =
            format!("data_dir = 'd'\n[[task]]\nid = 'photos'\n{lines}\n{SOURCE}{DESTINATION}");
        parse(&text).map(|config| config.tasks[0].clone())
    };
    let task = with("expect_list_within = '26h'\ntolerate = ['throttled', 'throttled', 'timeout']");
    let task = task.unwrap();
    assert_eq!(task.expect_list_within.unwrap().as_secs(), 26 * 3600);
    let expected = [FailureCause::Throttled, FailureCause::Timeout];
    assert_eq!(task.tolerate, expected);
    let task = with("tolerate = []").unwrap();
    assert_eq!((task.expect_list_within, task.tolerate.len()), (None, 0));
    for (lines, message) in [
        (
            "expect_list_within = '26'",
            "task \"photos\", expect_list_within: \"26\" is no duration; write one with its unit, such as \"26h\"",
        ),
        ("expect_list_within = '59s'", "write \"1m\" to \"366d\""),
        (
            "tolerate = 'throttled'",
            "is no list of failure causes; write one such as [\"source_missing\"]",
        ),
        (
            "tolerate = ['throttled', 7]",
            "is no list of failure causes",
        ),
        (
            "tolerate = ['gone', 'lost']",
            "task \"photos\", tolerate: `gone` is no failure cause; it is one of: source_missing, source_denied,",
        ),
        (
            "tolerate = ['gone', 'lost']",
            "tolerate: `lost` is no failure cause",
        ),
    ] {
        let mistakes = with(lines).unwrap_err().to_string();
        assert!(mistakes.contains(message), "{mistakes}");
    }
}
