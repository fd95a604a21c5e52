//! Nightferry carries queued objects between S3 buckets by night and keeps
//! exact books on it. This page is the map of the house.
//!
//! # Data flows one way
//!
//! ```text
//! object_lists/*.txt ─▶ intake ─▶ ledger.request
//!                                    │ pending, name by name
//!                                    ▼
//!   run::conveyor ─▶ plan: what is at both ends? (listing, HEAD) ─▶ decide: copy | ignore
//!        │ flat tasks on the pool, small objects without   │
//!        └──────────▶ transfer: GET ▶ hash ▶ PUT, or parts ◀┘
//!                                    │ Attempt, over a bounded channel
//!                                    ▼
//!                     recorder (the one writer) ─▶ one transaction a batch
//!                                    ▼
//!   report, from the ledger alone ─▶ lists + manifest ─▶ run::deliver ─▶ destination bucket
//!                                └▶ summary, views ─▶ terminal; charts ─▶ one HTML file;
//!                                   run::post ─▶ mail; run::watch ─▶ textfile, URL
//!
//! check: ledger, listings of both ends ─▶ run::check ─▶ findings ─▶ terminal, list
//!                                                     └▶ asked for again: the same intake
//!
//! serve: events, notifications ─▶ object_lists/*.url.txt (fsync, then 200) ─▶ the same intake
//!        page ◀─ report, ledger: read only
//! ```
//!
//! Nothing flows back. What an operator changes of a run at work (`tune`) goes
//! into the ledger too, where the conveyor looks for it. Reports read only the ledger, so any list or table can
//! be made again. Only when the ledger is lost is it made from them, by
//! `run::rebuild`.
//!
//! # Layers
//!
//! | layer | modules | may use |
//! |--|--|--|
//! | 0 nouns | [`model`], [`clock`], [`secret`], [`exit`] | the standard library, chrono, serde; `ignore` for patterns |
//! | 1 outside worlds and the rule | [`ledger`] (all SQL), [`s3`] (all S3), [`config`], [`credential_process`], [`data_dir`], [`decide`], [`forecast`], [`mail`] (all SMTP), [`ping`], [`recognise`], [`select`] | layer 0, never each other |
//! | 2 steps | [`intake`], [`plan`], [`transfer`], [`recorder`], [`report`], [`preflight`], [`backup`], [`serve`] | 0 and 1, never each other; `serve` calls `intake`, its page and its metrics `report` |
//! | 3 the night | [`run`], [`pool`] (all of rayon) | 0 to 2 |
//! | 4 shell | [`cli`] | 3, and 2 for single commands |
//!
//! # What keeps the books right
//!
//! - A request is settled in the transaction that writes its attempt and
//!   changes every tally; none of the three can be without the others.
//! - One thread records; workers only send. A batch that is not committed leaves
//!   its requests pending.
//! - A run takes what is pending at one instant, by request number. What
//!   arrives later belongs to the next run, so taken = settled + deferred can be
//!   counted, and is, at every end ([`run`]).
//! - What a run gives up stays pending, and its task stays locked until the last
//!   request about it has been answered.
//! - Outcomes are recorded after the copy was proven, never before.

pub mod backup;
pub mod cli;
pub mod clock;
pub mod config;
pub mod credential_process;
pub mod data_dir;
pub mod decide;
pub mod exit;
pub mod forecast;
pub mod intake;
pub mod ledger;
pub mod mail;
pub mod model;
pub mod ping;
pub mod plan;
pub mod pool;
pub mod preflight;
pub mod recognise;
pub mod recorder;
pub mod report;
pub mod run;
pub mod s3;
pub mod secret;
pub mod select;
pub mod serve;
pub mod transfer;
