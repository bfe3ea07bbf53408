//! How long the CA/Browser Forum lets a public certificate live.
//!
//! Baseline Requirements for TLS server certificates 2.2.6, section 6.3.2: what counts is when it was issued, a day is
//! 86 400 seconds, and any fraction of one counts as another.

const DAY: i64 = 86_400;

/// From which second on (since 1970) how many days are allowed; the latest first.
const TABLE: [(i64, i64); 4] = [
    (1_868_227_200, 47),  // 2029-03-15
    (1_805_068_800, 100), // 2027-03-15
    (1_773_532_800, 200), // 2026-03-15
    (i64::MIN, 398),
];

/// The most days that a public certificate issued at `not_before` may be valid.
pub fn public_lifetime(not_before: i64) -> i64 {
    let row = TABLE.iter().find(|(since, _)| *since <= not_before);
    row.map_or(398, |(_, days)| *days)
}

/// For how many days a certificate is valid, both its first and its last second included.
pub fn days_valid(not_before: i64, not_after: i64) -> i64 {
    let seconds = not_after.saturating_sub(not_before).saturating_add(1);
    seconds.saturating_add(DAY - 1).div_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::date;

    #[test]
    fn the_table_changes_on_its_days() {
        for (since, days, before) in [
            ("2026-03-15", 200, 398),
            ("2027-03-15", 100, 200),
            ("2029-03-15", 47, 100),
        ] {
            let at = TABLE.iter().find(|(_, of)| *of == days).map(|(at, _)| *at);
            let at = at.expect("a row");
            assert_eq!(date(at), since);
            assert_eq!(date(at - 1).len(), since.len());
            assert_ne!(date(at - 1), since, "not at midnight");
            assert_eq!(public_lifetime(at), days);
            assert_eq!(public_lifetime(at - 1), before);
        }
        assert_eq!(public_lifetime(i64::MIN), 398);
        assert_eq!(public_lifetime(i64::MAX), 47);
    }

    #[test]
    fn the_last_second_counts_and_so_does_a_part_of_a_day() {
        assert_eq!(days_valid(0, 200 * DAY - 1), 200);
        assert_eq!(days_valid(0, 200 * DAY), 201);
        assert_eq!(days_valid(0, 0), 1);
        assert_eq!(days_valid(1, 0), 0);
        assert!(days_valid(i64::MIN, i64::MAX) > 0);
    }
}
