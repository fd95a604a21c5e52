//! What is drawn at random: objects, requests, troubles and ends of nights.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::s3_server::{Fault, FaultAction};

pub const NAMES: [&str; 6] = ["a", "b/ü", "c d", "e+f", "g", "h%20"];

const MIB: u64 = 1024 * 1024;

/// The rule's modes that need no checksums.
pub const MODES: [&str; 3] = [
    "overwrite = \"size_last_modified\"",
    "overwrite = \"never\"",
    "overwrite = \"always\"",
];

/// What lies under a name before the first night.
#[derive(Clone, Debug)]
pub struct Start {
    /// The source object's size in bytes.
    pub source: Option<u64>,
    pub destination: Option<Foreign>,
}

/// What somebody else put at the destination, compared with the source's object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Foreign {
    Older,
    Newer,
    NewerOfAnotherSize,
}

/// What one name meets for a night.
#[derive(Clone, Copy, Debug)]
pub enum Trouble {
    /// It cannot be read.
    SourceDenied,
    /// It cannot be written.
    DestinationDenied,
    /// The first request of a kind fails, and a further one does not.
    Passing(usize),
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Whole,
    /// By `--limit`.
    Limit(u64),
    /// It is asked to stop at its n-th request.
    Stop(usize),
    /// Its process dies at its n-th request.
    Crash(usize),
}

#[derive(Clone, Debug)]
pub struct Night {
    /// How many days after the one before.
    pub days: i64,
    /// New lists, by the places of their names in [`NAMES`].
    pub lists: Vec<Vec<usize>>,
    /// Names that are added to the task's first list.
    pub growth: Vec<usize>,
    /// A source object that becomes another, later by nothing.
    pub change: Option<usize>,
    pub troubles: Vec<(usize, Trouble)>,
    pub end: End,
}

#[derive(Clone, Debug)]
pub struct Scene {
    pub mode: &'static str,
    pub objects: Vec<Start>,
    pub nights: Vec<Night>,
}

pub fn scene() -> impl Strategy<Value = Scene> {
    (
        select(&MODES),
        vec(start(), NAMES.len()),
        vec(night(), 1..5),
    )
        .prop_map(|(mode, objects, nights)| Scene {
            mode,
            objects,
            nights,
        })
}

fn start() -> impl Strategy<Value = Start> {
    let size = prop_oneof![
        8 => select(&[1, 5, 3_000][..]),
        1 => Just(0),
        // In one piece, and in two parts.
        1 => select(&[5 * MIB, 5 * MIB + 1][..]),
    ];
    let foreign = select(&[Foreign::Older, Foreign::Newer, Foreign::NewerOfAnotherSize][..]);
    (option::weighted(0.85, size), option::weighted(0.4, foreign)).prop_map(
        |(source, destination)| Start {
            source,
            destination,
        },
    )
}

fn night() -> impl Strategy<Value = Night> {
    let name = || 0..NAMES.len();
    let trouble = prop_oneof![
        Just(Trouble::SourceDenied),
        Just(Trouble::DestinationDenied),
        (0..PASSING).prop_map(Trouble::Passing),
        (0..PASSING).prop_map(Trouble::Passing),
    ];
    let end = prop_oneof![
        2 => Just(End::Whole),
        1 => (0_u64..5).prop_map(End::Limit),
        1 => (0_usize..30).prop_map(End::Stop),
        2 => (0_usize..30).prop_map(End::Crash),
    ];
    (
        0..=1_i64,
        vec(vec(name(), 1..6), 0..3),
        vec(name(), 0..3),
        option::weighted(0.3, name()),
        vec((name(), trouble), 0..3),
        end,
    )
        .prop_map(|(days, lists, growth, change, troubles, end)| Night {
            days,
            lists,
            growth,
            change,
            troubles,
            end,
        })
}

const PASSING: usize = 11;

/// The faults of a trouble that `name` meets.
pub fn faults(name: &str, trouble: Trouble) -> Vec<Fault> {
    let denied = |operation| Fault::answer(403, "AccessDenied").operation(operation);
    let faults = match trouble {
        Trouble::SourceDenied => vec![denied("GetObject").bucket("src")],
        Trouble::DestinationDenied => vec![denied("PutObject"), denied("CreateMultipartUpload")],
        Trouble::Passing(kind) => vec![passing(kind).times(1)],
    };
    faults.into_iter().map(|fault| fault.key(name)).collect()
}

fn passing(kind: usize) -> Fault {
    let (get, put) = ("GetObject", "PutObject");
    match kind {
        0 => Fault::new(FaultAction::DropConnection).operation(get),
        1 => Fault::answer(503, "SlowDown").operation(get),
        2 => Fault::answer(500, "InternalError").operation(get),
        3 => Fault::new(FaultAction::FlipByte { at: 0 }).operation(get),
        4 => Fault::new(FaultAction::TruncateBody { after_bytes: 0 }).operation(get),
        5 => Fault::new(FaultAction::DropConnection).operation(put),
        6 => Fault::answer(503, "SlowDown").operation(put),
        7 => Fault::new(FaultAction::DropAnswer).operation(put),
        8 => Fault::new(FaultAction::WrongEtag).operation(put),
        9 => Fault::new(FaultAction::DropConnection).operation("UploadPart"),
        _ => Fault::answer(503, "SlowDown").operation("HeadObject"),
    }
}
