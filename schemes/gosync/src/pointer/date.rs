//! Points in time as people write them, in UTC.

const DAY: u64 = 24 * 60 * 60;

/// The last second that is shown: the end of the year 9999.
const LAST: u64 = 253_402_300_799;

/// `seconds` since the beginning of 1970 as `2026-12-31 23:59 UTC`.
///
/// ```
/// assert_eq!(gosync::pointer::date::shown(1_767_225_599), "2025-12-31 23:59 UTC");
/// ```
pub fn shown(seconds: u64) -> String {
    if seconds > LAST {
        return "a time after the year 9999".into();
    }
    let (year, month, day) = civil(seconds / DAY);
    let minutes = seconds % DAY / 60;
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

/// The seconds since the beginning of 1970 until the day begins that is written as `2026-12-31`; or
/// `None` where it is no day from then to the year 9999.
///
/// ```
/// assert_eq!(gosync::pointer::date::day("2026-02-28"), Some(1_772_236_800));
/// assert_eq!(gosync::pointer::date::day("2026-02-29"), None);
/// ```
pub fn day(text: &str) -> Option<u64> {
    let numbers: Vec<&str> = text.split('-').collect();
    let [year, month, day] = numbers[..] else { return None };
    let is_written = (year.len(), month.len(), day.len()) == (4, 2, 2)
        && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let (year, month, day) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    let days = days(year, month, day).filter(|&days| is_written && civil(days) == (year, month, day))?;
    Some(days * DAY)
}

/// The day that is so many days after 1970-01-01: year, month, day. After Howard Hinnant's
/// `civil_from_days` ("chrono-Compatible Low-Level Date Algorithms"), for years from 1970 on.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year + era * 400 + u64::from(month <= 2), month, of_year - (153 * from_march + 2) / 5 + 1)
}

/// How many days after 1970-01-01 a day is. That of another day where the month is not so long.
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = year - u64::from(month <= 2);
    let (era, of_era) = (year / 400, year % 400);
    let from_march = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * from_march + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_there_and_back() {
        let mut last = (1969, 12, 31);
        for number in (0..=LAST / DAY).step_by(13) {
            let (year, month, day_of_month) = civil(number);
            assert!((year, month, day_of_month) > last);
            last = (year, month, day_of_month);
            assert_eq!(days(year, month, day_of_month), Some(number));
            assert_eq!(day(&format!("{year:04}-{month:02}-{day_of_month:02}")), Some(number * DAY));
        }
        assert_eq!((shown(0).as_str(), shown(LAST).as_str()), ("1970-01-01 00:00 UTC", "9999-12-31 23:59 UTC"));
        assert_eq!(shown(951_782_400), "2000-02-29 00:00 UTC");
        assert_eq!(shown(u64::MAX), "a time after the year 9999");
    }

    #[test]
    fn what_is_no_day() {
        for text in
            ["", "2026", "2026-1-1", "2026-13-01", "2026-00-10", "2026-04-31", "1969-12-31", "+026-01-01", "2100-02-29"]
        {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
