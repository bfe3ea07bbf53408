//! Seconds since 1970 as people write them, always in UTC.

use time::OffsetDateTime;
use time::macros::format_description;

/// `99991231235959Z`: by RFC 5280 section 4.1.2.5 a certificate that does not expire.
pub const NEVER: i64 = 253_402_300_799;

/// `2036-01-01`.
pub fn date(seconds: i64) -> String {
    let form = format_description!("[year]-[month]-[day]");
    written(seconds, |moment| moment.format(form).ok())
}

/// `2036-01-01T00:00:00Z`.
pub fn moment(seconds: i64) -> String {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    written(seconds, |moment| moment.format(form).ok())
}

/// Seconds since 1970 from what [`moment`] writes; `None` for anything else.
pub fn of_moment(text: &str) -> Option<i64> {
    let form = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let read = time::PrimitiveDateTime::parse(text, form).ok()?;
    let seconds = read.assume_utc().unix_timestamp();
    (moment(seconds) == text).then_some(seconds)
}

/// The moment, if certificates can hold it: from 1950 to 9999, which is what the two forms of time
/// reach (RFC 5280 section 4.1.2.5).
pub(super) fn certifiable(seconds: i64) -> Option<OffsetDateTime> {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok();
    moment.filter(|moment| (1950..=9999).contains(&moment.year()))
}

/// Why a certificate cannot hold a moment that is not [`certifiable`].
pub(super) fn beyond(seconds: i64) -> &'static str {
    match seconds > NEVER {
        true => "no certificate holds a date after 9999-12-31",
        false => "no certificate holds a date before 1950-01-01",
    }
}

/// What no calendar holds is shown as the number it is.
fn written(seconds: i64, write: impl Fn(OffsetDateTime) -> Option<String>) -> String {
    let moment = OffsetDateTime::from_unix_timestamp(seconds).ok();
    moment
        .and_then(write)
        .unwrap_or_else(|| format!("@{seconds}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_utc() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(moment(NEVER), "9999-12-31T23:59:59Z");
        assert_eq!(date(i64::MAX), format!("@{}", i64::MAX));
    }
}
