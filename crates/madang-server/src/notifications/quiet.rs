//! Quiet hours: pure.
//!
//! They begin and end when a clock on the wall of their time zone shows it. Where clocks are set forward over
//! such a time, it is that much later; where clocks are set back and show it twice, it is the first of both. So
//! they are one piece, and never begin twice in a night.

use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};
use madang_proto::{
    Timestamp,
    notifications::{QuietHours, TimeOfDay, Weekday},
};

/// A time zone by its IANA name.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    // A name may be a path to whoever looks for it among files.
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) || name.contains("//") {
        return None;
    }
    TimeZone::get(name).ok()
}

fn weekday(of: Date) -> Weekday {
    match of.weekday() {
        jiff::civil::Weekday::Monday => Weekday::Monday,
        jiff::civil::Weekday::Tuesday => Weekday::Tuesday,
        jiff::civil::Weekday::Wednesday => Weekday::Wednesday,
        jiff::civil::Weekday::Thursday => Weekday::Thursday,
        jiff::civil::Weekday::Friday => Weekday::Friday,
        jiff::civil::Weekday::Saturday => Weekday::Saturday,
        jiff::civil::Weekday::Sunday => Weekday::Sunday,
    }
}

/// Whether they hold at a time. Where the time zone is not known any more, never.
pub fn holds(hours: &QuietHours, at: Timestamp) -> bool {
    let (Some(zone), Ok(at)) = (time_zone(&hours.time_zone), jiff::Timestamp::from_millisecond(at.millis()))
    else {
        return false;
    };
    let moment = |day: Date, time: TimeOfDay| {
        let time = Time::new(time.hour(), time.minute(), 0, 0).ok()?;
        zone.to_ambiguous_timestamp(day.to_datetime(time)).compatible().ok()
    };
    let begun_on = |day: Date| {
        let ends = if hours.to > hours.from { Some(day) } else { day.tomorrow().ok() };
        let within = || Some(moment(day, hours.from)? <= at && at < moment(ends?, hours.to)?);
        hours.days.contains(&weekday(day)) && within().unwrap_or(false)
    };
    let today = at.to_zoned(zone.clone()).date();
    // A clock that is set back at midnight shows the evening of a day after its end.
    [today.yesterday().ok(), Some(today), today.tomorrow().ok()].into_iter().flatten().any(begun_on)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAYS: [Weekday; 7] = [
        Weekday::Monday,
        Weekday::Tuesday,
        Weekday::Wednesday,
        Weekday::Thursday,
        Weekday::Friday,
        Weekday::Saturday,
        Weekday::Sunday,
    ];

    fn hours(days: &[Weekday], from: &str, to: &str, zone: &str) -> QuietHours {
        QuietHours {
            days: days.to_vec(),
            from: from.parse().unwrap(),
            to: to.parse().unwrap(),
            time_zone: zone.to_owned(),
        }
    }

    /// Whether they hold at each of these moments in UTC.
    fn at<const N: usize>(hours: &QuietHours, times: [&str; N]) -> [bool; N] {
        times.map(|time| holds(hours, time.parse().unwrap()))
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let night = hours(&[Weekday::Friday], "22:00", "08:00", "Asia/Seoul");
        // 2026-11-20 is a Friday; Seoul is nine hours ahead.
        let times =
            ["2026-11-20T12:59:59Z", "2026-11-20T13:00:00Z", "2026-11-20T22:59:59Z", "2026-11-20T23:00:00Z"];
        assert_eq!(at(&night, times), [false, true, true, false]);
        assert_eq!(at(&night, ["2026-11-19T18:00:00Z", "2026-11-21T14:00:00Z"]), [false, false]);
        let day = hours(&[Weekday::Friday], "09:00", "09:00", "UTC");
        let times =
            ["2026-11-20T08:59:00Z", "2026-11-20T09:00:00Z", "2026-11-21T08:59:00Z", "2026-11-21T09:00:00Z"];
        assert_eq!(at(&day, times), [false, true, true, false], "as long as a day");
    }

    #[test]
    fn what_clocks_leave_out_is_later_and_what_they_show_twice_is_the_first() {
        // 2026-03-29 in Berlin: 01:59 is followed by 03:00, at 01:00 UTC.
        let spring = hours(&DAYS, "02:30", "06:00", "Europe/Berlin");
        let times =
            ["2026-03-29T00:59:00Z", "2026-03-29T01:29:00Z", "2026-03-29T01:30:00Z", "2026-03-29T04:00:00Z"];
        assert_eq!(at(&spring, times), [false, false, true, false]);
        let ends = hours(&DAYS, "22:00", "02:30", "Europe/Berlin");
        assert_eq!(at(&ends, ["2026-03-29T01:29:00Z", "2026-03-29T01:30:00Z"]), [true, false]);
        // 2026-10-25 in Berlin: 02:59 is followed by 02:00, at 01:00 UTC.
        let autumn = hours(&DAYS, "02:30", "06:00", "Europe/Berlin");
        let times =
            ["2026-10-25T00:29:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:10:00Z", "2026-10-25T04:59:00Z"];
        assert_eq!(at(&autumn, times), [false, true, true, true], "in one piece");
        let ends = hours(&DAYS, "22:00", "02:30", "Europe/Berlin");
        let times = ["2026-10-25T00:29:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:10:00Z"];
        assert_eq!(at(&ends, times), [true, false, false], "not once more");
    }

    #[test]
    fn only_names_of_time_zones_are_looked_for() {
        for name in ["Asia/Seoul", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+9"] {
            assert!(time_zone(name).is_some(), "{name}");
        }
        for name in ["", "Seoul", "../../etc/passwd", "/etc/localtime", "Asia//Seoul", "Asia/Seoul\0"] {
            assert!(time_zone(name).is_none(), "{name}");
        }
    }
}
