//! Endpoints with TLS: whom a run trusts, and what it says when it cannot.

use std::fs;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use tempfile::TempDir;

use super::{DESTINATION_KEY, DESTINATION_SECRET, SOURCE_KEY, SOURCE_SECRET, World};
use crate::s3_server::{Rights, S3Server};

/// An authority that no system knows.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self {
            issuer: Issuer::new(params, key),
            pem,
        }
    }

    /// A world whose server shows a certificate for `host`, valid from 2020 until
    /// `last_year`; the configuration does not know the authority.
    fn world(&self, host: &str, last_year: i32) -> World {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(last_year, 1, 1);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let server = S3Server::builder()
            .credentials(SOURCE_KEY, SOURCE_SECRET, Rights::READ_ONLY)
            .credentials(DESTINATION_KEY, DESTINATION_SECRET, Rights::FULL)
            .tls(certificate.der().to_vec(), key.serialize_der())
            .start();
        server.create_bucket("src");
        server.create_bucket("dst");
        let folder: TempDir = tempfile::tempdir().unwrap();
        let world = World { server, folder };
        world.configure(&world.setup());
        fs::write(world.folder.path().join("ca.pem"), &self.pem).unwrap();
        world.put(&["a"]);
        world.ask("list", &["a"]);
        world
    }
}

/// Has the given ends of the configuration name `file` as their authority.
fn trust(world: &World, ends: &[&str], file: &str) {
    let mut text = world.setup().text();
    for end in ends {
        let section = format!("[task.{end}]\n");
        text = text.replace(&section, &format!("{section}ca_file = \"{file}\"\n"));
    }
    fs::write(world.config(), text).unwrap();
}

const BOTH: &[&str] = &["source", "destination"];

/// That neither `doctor` nor a run gets through, and both say that it is the certificate.
fn cannot_begin(world: &World, why: &str) {
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(9), "{doctor:?}");
    assert!(
        doctor.stdout.contains("endpoint_unreachable: "),
        "{doctor:?}"
    );
    let night = world.night(9);
    for said in [
        "the run could not begin (endpoint_unreachable): ",
        "invalid peer certificate",
        why,
        "ca_file",
    ] {
        assert!(night.stderr.contains(said), "{said}: {night:?}");
    }
    assert!(!night.stderr.contains("panicked"), "{night:?}");
    assert_eq!(world.copies(), [""; 0]);
    assert_eq!(world.server.requests().len(), 0, "nothing was sent");
    world.check_books();
}

#[test]
fn a_night_over_tls_with_an_authority_of_ones_own() {
    let world = Authority::new().world("127.0.0.1", 2100);
    trust(&world, BOTH, "ca.pem");
    world.night(0);
    assert_eq!(world.copies(), ["a"]);
    world.check_delivered();
    world.check_books();
}

#[test]
fn an_unknown_authority_is_not_trusted() {
    let world = Authority::new().world("127.0.0.1", 2100);
    cannot_begin(&world, "UnknownIssuer");
    // Neither is another one than the server's.
    fs::write(world.folder.path().join("ca.pem"), Authority::new().pem).unwrap();
    trust(&world, BOTH, "ca.pem");
    let night = world.night(9);
    assert!(
        night.stderr.contains("invalid peer certificate"),
        "{night:?}"
    );
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let world = Authority::new().world("s3.example.com", 2100);
    trust(&world, BOTH, "ca.pem");
    cannot_begin(&world, "not valid for");
}

#[test]
fn a_certificate_that_has_expired_is_refused() {
    let world = Authority::new().world("127.0.0.1", 2021);
    trust(&world, BOTH, "ca.pem");
    cannot_begin(&world, "expired");
}

#[test]
fn an_authority_is_trusted_at_the_end_that_names_it_and_nowhere_else() {
    let world = Authority::new().world("127.0.0.1", 2100);
    trust(&world, &["destination"], "ca.pem");
    let doctor = world.does(&["doctor"]);
    assert_eq!(doctor.code, Some(9), "{doctor:?}");
    let line = |subject: &str| {
        let found = doctor.stdout.lines().find(|line| line.contains(subject));
        found
            .unwrap_or_else(|| panic!("{subject}: {doctor:?}"))
            .to_owned()
    };
    assert!(line("source list").starts_with("PROBLEM"), "{doctor:?}");
    assert!(
        !line("destination list").starts_with("PROBLEM"),
        "{doctor:?}"
    );
}

#[test]
fn a_backup_bucket_may_have_an_authority_of_its_own() {
    let world = Authority::new().world("127.0.0.1", 2100);
    world.server.create_bucket("bak");
    trust(&world, BOTH, "ca.pem");
    let text = fs::read_to_string(world.config()).unwrap();
    for (ca_file, code, copies) in [("", 7, 0), ("ca_file = \"ca.pem\"\n", 0, 1)] {
        let section = format!(
            "[backup.bucket]\nendpoint = \"{}\"\nbucket = \"bak\"\n{ca_file}\
             access_key_id = \"{DESTINATION_KEY}\"\n\
             secret_access_key = \"{DESTINATION_SECRET}\"\n",
            world.server.endpoint()
        );
        fs::write(world.config(), format!("{text}{section}")).unwrap();
        world.night(code);
        assert_eq!(world.server.keys("bak").len(), copies);
    }
}

#[test]
fn a_file_that_is_no_certificate_is_a_mistake_of_the_configuration() {
    let world = Authority::new().world("127.0.0.1", 2100);
    let garbled = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (file, content, said) in [
        ("missing.pem", None, "cannot be read: No such file"),
        ("empty.pem", Some(""), "holds no certificate"),
        (
            "garbled.pem",
            Some(garbled),
            "holds no certificate, or a broken one",
        ),
    ] {
        if let Some(content) = content {
            fs::write(world.folder.path().join(file), content).unwrap();
        }
        trust(&world, &["source"], file);
        let night = world.night(3);
        assert!(
            night.stderr.contains("task \"photos\", source: ca_file: "),
            "{night:?}"
        );
        assert!(
            night.stderr.contains(file) && night.stderr.contains(said),
            "{night:?}"
        );
    }
    assert_eq!(world.server.requests().len(), 0, "nothing was sent");
}

#[test]
fn a_ping_trusts_no_unknown_authority_either() {
    let world = Authority::new().world("127.0.0.1", 2100);
    trust(&world, BOTH, "ca.pem");
    let text = fs::read_to_string(world.config()).unwrap();
    let ping = format!("[ping]\nurl = \"{}/hush\"\n", world.server.endpoint());
    fs::write(world.config(), text + &ping).unwrap();
    let night = world.night(0);
    let refused = "ping: the end was not told: the server is not reached: invalid peer certificate";
    assert!(night.stderr.contains(refused), "{night:?}");
    assert!(!night.stderr.contains("hush"), "{night:?}");
    let mut requests = world.server.requests();
    requests.retain(|request| request.bucket == "hush");
    assert_eq!(requests.len(), 0);
}
