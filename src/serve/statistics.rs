//! Series of figures as OMS shows them, by five minutes or by hours.

use serde::Serialize;

use super::Receiver;
use super::answer::Refusal;
use super::query::{Query, wrong};
use crate::config::TaskConfig;
use crate::ledger::{Counted, SLOT_MS, SeriesPlace};
use crate::model::{RequestState, Timestamp};

const HOUR_MS: i64 = 60 * 60 * 1000;

/// The most places that a series has, as OMS documents it.
const MOST_PLACES: i64 = 1_000;

/// What a series is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
enum DataType {
    Request,
    Success,
    Failure,
    Skip,
    Size,
}

/// How long the places of a series are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
enum TimeType {
    #[serde(rename = "FIVE_MINUTES")]
    FiveMinutes,
    #[serde(rename = "ONE_HOUR")]
    OneHour,
}

/// `ListSyncTaskStatisticResponse`.
#[derive(Debug, Serialize)]
pub(super) struct Statistics {
    sync_task_id: String,
    statistic_time_type: TimeType,
    statistic_datas: Vec<Series>,
}

#[derive(Debug, Serialize)]
struct Series {
    data_type: DataType,
    data: Vec<Place>,
}

#[derive(Debug, Serialize)]
struct Place {
    time_stamp: i64,
    statistic_num: u64,
}

impl Receiver {
    /// The series that the query asks for.
    pub(super) async fn statistics(
        &self,
        task: &TaskConfig,
        query: &Query,
    ) -> Result<Statistics, Refusal> {
        let types = data_types(query.required("data_type")?)?;
        let range = (query.time("start_time")?, query.time("end_time")?);
        let time_type = time_type(range)?;
        let id = task.id.clone();
        let series = self
            .books
            .read(move |ledger| {
                let one = |data_type: DataType| {
                    let kind = data_type.counted();
                    let places = ledger.series(&id, kind, range, time_type.step_ms())?;
                    let data = places.iter().map(|place| data_type.shown(place)).collect();
                    Ok(Series { data_type, data })
                };
                types.into_iter().map(one).collect::<Result<_, Refusal>>()
            })
            .await?;
        Ok(Statistics {
            sync_task_id: task.id.to_string(),
            statistic_time_type: time_type,
            statistic_datas: series,
        })
    }
}

impl DataType {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "REQUEST" => Self::Request,
            "SUCCESS" => Self::Success,
            "FAILURE" => Self::Failure,
            "SKIP" => Self::Skip,
            "SIZE" => Self::Size,
            _ => return None,
        })
    }

    const fn counted(self) -> Counted {
        match self {
            Self::Request => Counted::Requested,
            Self::Success | Self::Size => Counted::Settled(RequestState::Synced),
            Self::Failure => Counted::Settled(RequestState::Failed),
            Self::Skip => Counted::Settled(RequestState::Ignored),
        }
    }

    const fn shown(self, place: &SeriesPlace) -> Place {
        Place {
            time_stamp: place.at.ms(),
            statistic_num: match self {
                Self::Size => place.bytes,
                _ => place.requests,
            },
        }
    }
}

impl TimeType {
    const fn step_ms(self) -> i64 {
        match self {
            Self::FiveMinutes => SLOT_MS,
            Self::OneHour => HOUR_MS,
        }
    }
}

/// The types of a list, each once, in its order.
fn data_types(list: &str) -> Result<Vec<DataType>, Refusal> {
    let mut types = Vec::new();
    for word in list.split(',') {
        let known = DataType::parse(word).ok_or_else(|| {
            wrong(
                "data_type",
                "is no list of REQUEST, SUCCESS, FAILURE, SKIP and SIZE.",
            )
        })?;
        if !types.contains(&known) {
            types.push(known);
        }
    }
    Ok(types)
}

/// By which places the range is shown:
///
/// | it has | then |
/// |--|--|
/// | no length, or less | refused |
/// | up to 1,000 places of five minutes | five minutes |
/// | up to 1,000 hours | hours |
/// | more | refused |
fn time_type((from, to): (Timestamp, Timestamp)) -> Result<TimeType, Refusal> {
    let fits = |step_ms: i64| {
        let (first, end) = (from.ms() / step_ms, (to.ms() + step_ms - 1) / step_ms);
        end - first <= MOST_PLACES
    };
    if to <= from {
        Err(wrong("end_time", "is not after start_time."))
    } else if fits(SLOT_MS) {
        Ok(TimeType::FiveMinutes)
    } else if fits(HOUR_MS) {
        Ok(TimeType::OneHour)
    } else {
        Err(wrong(
            "end_time",
            "is more than 1000 hours after start_time.",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_truth_table_of_places() {
        // 2026-11-01T00:00:00Z.
        let begins = 1_793_491_200_000;
        let (minutes, hours) = (1_000 * SLOT_MS, 1_000 * HOUR_MS);
        for (late_ms, length_ms, expected) in [
            (0, 1, Some(TimeType::FiveMinutes)),
            (0, minutes, Some(TimeType::FiveMinutes)),
            // It has a part of one place more.
            (1, minutes, Some(TimeType::OneHour)),
            (0, minutes + 1, Some(TimeType::OneHour)),
            (0, hours, Some(TimeType::OneHour)),
            (1, hours, None),
            (0, hours + 1, None),
            (0, 0, None),
            (0, -1, None),
        ] {
            let from = begins + late_ms;
            let range = (
                Timestamp::from_ms(from),
                Timestamp::from_ms(from + length_ms),
            );
            assert_eq!(time_type(range).ok(), expected, "{late_ms} {length_ms}");
        }
    }

    #[test]
    fn types_are_words_of_oms_between_commas() {
        let types = |list| data_types(list).ok();
        assert_eq!(types("SIZE"), Some(vec![DataType::Size]));
        let twice = Some(vec![DataType::Skip, DataType::Request]);
        assert_eq!(types("SKIP,REQUEST,SKIP"), twice);
        for wrong in ["", "size", "SIZE,", "SIZE, SKIP", "TOTAL"] {
            assert_eq!(types(wrong), None, "{wrong:?}");
        }
    }
}
