//! Patterns of policies: `*` stands for any letters, `?` for one.

/// Whether all that `inner` fits is also fitted by `outer`. Letters of `inner` that are wildcards are
/// fitted by wildcards alone, so that in doubt it does not.
pub fn covers(outer: &str, inner: &str) -> bool {
    let (outer, inner): (Vec<char>, Vec<char>) = (outer.chars().collect(), inner.chars().collect());
    // The usual walk with one place to come back to: time is the product of the lengths at worst.
    let (mut at, mut of) = (0, 0);
    let mut back: Option<(usize, usize)> = None;
    while of < inner.len() {
        let letter = inner.get(of).copied();
        match outer.get(at).copied() {
            Some('*') => {
                back = Some((at, of));
                at += 1;
            }
            Some('?') if letter != Some('*') => {
                at += 1;
                of += 1;
            }
            pattern if pattern.is_some() && pattern == letter => {
                at += 1;
                of += 1;
            }
            _ => match back {
                Some((star, taken)) => {
                    back = Some((star, taken + 1));
                    at = star + 1;
                    of = taken + 1;
                }
                None => return false,
            },
        }
    }
    outer
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|&letter| letter == '*'))
}

/// Whether some text is fitted by both. Time and memory are the product of the lengths.
pub fn overlaps(one: &str, other: &str) -> bool {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    // `last[j]`: whether what stands before in `one` and the first `j` letters of `other` meet.
    let stars = |pattern: &[char], count| pattern.iter().take(count).all(|&letter| letter == '*');
    let mut last: Vec<bool> = (0..=other.len())
        .map(|count| stars(&other, count))
        .collect();
    for (index, &a) in one.iter().enumerate() {
        let mut next = vec![stars(&one, index + 1)];
        for (place, &b) in other.iter().enumerate() {
            let at = |row: &[bool], place: usize| row.get(place).copied().unwrap_or(false);
            let meets = match (a, b) {
                ('*', _) | (_, '*') => at(&last, place + 1) || at(&next, place) || at(&last, place),
                (a, b) => (a == b || a == '?' || b == '?') && at(&last, place),
            };
            next.push(meets);
        }
        last = next;
    }
    last.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_overlap_where_one_text_fits_both() {
        for (one, other, meet) in [
            ("*", "", true),
            ("iam:*", "iam:passrole", true),
            ("iam:*", "secretsmanager:listsecrets", false),
            ("iam:pass*", "iam:*role", true),
            ("iam:pass*", "iam:get*", false),
            ("a?c", "ab*", true),
            ("a?", "abc", false),
            ("*b", "a*", true),
            ("", "", true),
            ("", "a", false),
        ] {
            assert_eq!(overlaps(one, other), meet, "{one} {other}");
            assert_eq!(overlaps(other, one), meet, "{other} {one}");
        }
    }

    #[test]
    fn a_pattern_covers_what_is_narrower() {
        for (outer, inner, covered) in [
            ("*", "", true),
            ("*", "a*b?", true),
            ("tower-*", "tower-a-??????", true),
            ("tower-a-??????", "tower-*", false),
            ("tower-?", "tower-*", false),
            ("a*c", "abbc", true),
            ("a*c*", "a*c", true),
            ("a*c", "ab", false),
            ("a", "a*", false),
            ("*b*c", "abcbc", true),
            ("", "", true),
        ] {
            assert_eq!(covers(outer, inner), covered, "{outer} {inner}");
        }
    }
}
