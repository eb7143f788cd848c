//! The dates in control files: `Tue, 14 Nov 2023 22:13:20 +0000`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;

/// The whole second of `time`, as zsyncmake writes it. Nothing before 1970 or after 9999.
pub(crate) fn format(time: SystemTime) -> Option<String> {
    let seconds = i64::try_from(time.duration_since(UNIX_EPOCH).ok()?.as_secs()).ok()?;
    let (days, second) = (seconds / DAY, seconds % DAY);
    let (year, month, day) = civil(days);
    let (hour, minute) = (second / 3600, second / 60 % 60);
    let (name, month) = (DAYS[(days % 7) as usize], MONTHS[month as usize - 1]);
    (year <= 9999).then(|| format!("{name}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{:02} +0000", second % 60))
}

/// The time that such a text names; the zone may be any, or `GMT`.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let mut words = text.split_once(", ").map_or(text, |(_, rest)| rest).split_ascii_whitespace();
    let number = |word: Option<&str>| word?.parse::<i64>().ok();
    let day = number(words.next()).filter(|day| (1..=31).contains(day))?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|&name| name == month)? as i64 + 1;
    let year = number(words.next()).filter(|year| (1970..=9999).contains(year))?;
    let mut clock = words.next()?.split(':').map(|part| part.parse::<i64>().ok());
    let mut part = |most| clock.next()?.filter(|number| (0..=most).contains(number));
    let second = part(23)? * 3600 + part(59)? * 60 + part(60)?;
    let zone = match words.next() {
        None | Some("GMT" | "UTC") => 0,
        Some(zone) => {
            let digits = zone.strip_prefix(['+', '-']).filter(|digits| digits.len() == 4)?.parse::<i64>().ok()?;
            let seconds = digits / 100 * 3600 + digits % 100 * 60;
            if zone.starts_with('-') { -seconds } else { seconds }
        }
    };
    let seconds = days(year, month, day) * DAY + second - zone;
    UNIX_EPOCH.checked_add(Duration::from_secs(u64::try_from(seconds).ok()?))
}

/// Year, month and day, so many days after the first of January 1970, in the Gregorian
/// calendar: years that begin in March, in cycles of 400 of them.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (cycle, day_of_cycle) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (cycle * 400 + year + next, month, day)
}

/// The other way round.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let (cycle, year) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    cycle * 146_097 + year * 365 + year / 4 - year / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn known_dates() {
        for (seconds, text) in [
            (0, "Thu, 01 Jan 1970 00:00:00 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_700_000_000, "Tue, 14 Nov 2023 22:13:20 +0000"),
            (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 +0000"),
            (253_402_300_799, "Fri, 31 Dec 9999 23:59:59 +0000"),
        ] {
            assert_eq!(format(at(seconds)).as_deref(), Some(text));
            assert_eq!(parse(text), Some(at(seconds)));
        }
        assert_eq!(format(at(253_402_300_800)), None);
        assert_eq!(format(UNIX_EPOCH - Duration::from_secs(1)), None);
    }

    #[test]
    fn every_day_of_five_centuries() {
        for day in 0..365 * 500u64 {
            let (year, month, of_month) = civil(day as i64);
            assert_eq!(days(year, month, of_month), day as i64);
        }
    }

    #[test]
    fn zones_and_nonsense() {
        assert_eq!(parse("Tue, 14 Nov 2023 23:13:20 +0100"), Some(at(1_700_000_000)));
        assert_eq!(parse("Tue, 14 Nov 2023 17:43:20 -0430"), Some(at(1_700_000_000)));
        assert_eq!(parse("14 Nov 2023 22:13:20 GMT"), Some(at(1_700_000_000)));
        for text in
            ["", "Tue", "Tue, 14 Nov 2023", "Tue, 32 Nov 2023 22:13:20 +0000", "1 Foo 2023 1:1:1", "1 Nov 1969 1:1:1"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
