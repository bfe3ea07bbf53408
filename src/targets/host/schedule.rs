//! How often a renewal is tried, so that it is often enough on every date: certificates become shorter
//! while a machine stays as it is.

use crate::digest::Sha256;
use crate::spec::{AcmeClient, AcmeProgram};

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How many attempts fit at least into the time in which a certificate is renewed.
const ATTEMPTS: i64 = 10;

/// From one attempt to the next, in minutes: what divides a day, and twice a day at the least.
const INTERVALS: &[i64] = &[720, 480, 360, 240, 180, 120, 60, 30, 15];

/// Who has no such profile here is taken for the shortest that a public authority has.
const UNKNOWN: i64 = 160 * HOUR;

/// What an authority's profile promises.
struct Profile {
    /// What the directory's URL ends in, behind `https://acme-` and perhaps `staging-`.
    server: &'static str,
    /// The word of the profile; the first of a server is the one that it takes if none is named.
    name: &'static str,
    /// From which date on a certificate is valid for how many seconds, in order.
    lifetimes: &'static [(&'static str, i64)],
}

/// <https://letsencrypt.org/docs/profiles/> of 2026-07-14 and
/// <https://letsencrypt.org/upcoming-features/>.
const PROFILES: &[Profile] = &[
    Profile {
        server: "v02.api.letsencrypt.org/directory",
        name: "classic",
        lifetimes: &[
            ("2015-12-03", 90 * DAY),
            ("2027-02-10", 64 * DAY),
            ("2028-02-16", 45 * DAY),
        ],
    },
    Profile {
        server: "v02.api.letsencrypt.org/directory",
        name: "tlsserver",
        lifetimes: &[("2025-01-09", 90 * DAY), ("2026-05-13", 45 * DAY)],
    },
    Profile {
        server: "v02.api.letsencrypt.org/directory",
        name: "shortlived",
        lifetimes: &[("2026-01-15", 160 * HOUR)],
    },
];

/// When renewals are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// From one attempt to the next, in minutes.
    interval: i64,
    /// The minute of the first attempt of a day.
    first: i64,
}

/// How long a certificate of an authority is valid at the least, on any date, in seconds.
pub fn shortest_lifetime(directory: &str, profile: Option<&str>) -> i64 {
    let shortest = profile_of(directory, profile).and_then(|profile| {
        profile
            .lifetimes
            .iter()
            .map(|(_, lifetime)| *lifetime)
            .min()
    });
    shortest.unwrap_or(UNKNOWN)
}

/// How long before the end of a certificate a client renews it, in seconds, if its version is known;
/// otherwise the shorter of what its versions do.
pub fn window(client: AcmeClient, lifetime: i64) -> i64 {
    let share = if lifetime < 10 * DAY {
        lifetime / 2
    } else {
        lifetime / 3
    };
    match client.program {
        // <https://github.com/certbot/certbot/blob/main/certbot/CHANGELOG.md> 4.0.0
        AcmeProgram::Certbot if client.since(4, 0) => share,
        AcmeProgram::Certbot if client.version.is_some() => (30 * DAY).min(lifetime),
        AcmeProgram::Certbot => share.min(30 * DAY),
        AcmeProgram::Lego if is_dynamic(client) => share,
        AcmeProgram::Lego => days_before(lifetime) * DAY,
    }
}

/// Whether lego finds out by itself when a certificate is due: by `--dynamic`, and always from 5 on.
pub fn is_dynamic(client: AcmeClient) -> bool {
    client.since(4, 26)
}

/// What lego is told by `--days` otherwise.
pub fn days_before(lifetime: i64) -> i64 {
    let share = if lifetime < 10 * DAY { 2 } else { 3 };
    (lifetime / share / DAY).max(1)
}

impl Schedule {
    /// Often enough for each of these windows, in seconds, and at a time that is always the same for
    /// one machine of one project and differs from machine to machine.
    pub fn of(windows: impl IntoIterator<Item = i64>, project: &str, target: &str) -> Self {
        let shortest = windows.into_iter().min().unwrap_or(i64::MAX);
        let mut intervals = INTERVALS.iter().copied();
        let interval = intervals
            .find(|interval| Self::attempts_in(*interval, shortest) >= ATTEMPTS)
            .unwrap_or(15);
        let digest = Sha256::of(format!("{project}\0{target}").as_bytes());
        let number = digest
            .as_bytes()
            .iter()
            .take(4)
            .fold(0, |number, byte| number * 256 + i64::from(*byte));
        Self {
            interval,
            first: number % interval,
        }
    }

    /// How many attempts a window certainly holds, though each may be delayed.
    pub fn attempts(self, window: i64) -> i64 {
        Self::attempts_in(self.interval, window)
    }

    fn attempts_in(interval: i64, window: i64) -> i64 {
        (window - delay(interval)) / (interval * MINUTE)
    }

    /// By how many seconds a timer may delay an attempt.
    pub fn delay(self) -> i64 {
        delay(self.interval)
    }

    /// For `OnCalendar=`.
    pub fn calendar(self) -> String {
        let (minutes, hours) = self.times();
        format!("*-*-* {hours}:{minutes}:00")
    }

    /// The five fields of a crontab.
    pub fn cron(self) -> String {
        let (minutes, hours) = self.times();
        format!("{minutes} {hours} * * *")
    }

    fn times(self) -> (String, String) {
        if self.interval < 60 {
            let minutes = (self.first..60).step_by(usize::try_from(self.interval).unwrap_or(30));
            return (list(minutes), "*".to_owned());
        }
        let step = usize::try_from(self.interval / 60).unwrap_or(1);
        let hours = if step == 1 {
            "*".to_owned()
        } else {
            list((self.first / 60..24).step_by(step))
        };
        (list([self.first % 60]), hours)
    }
}

/// A quarter of the time between attempts.
fn delay(interval: i64) -> i64 {
    interval * MINUTE / 4
}

fn list(numbers: impl IntoIterator<Item = i64>) -> String {
    let numbers: Vec<String> = numbers.into_iter().map(|one| one.to_string()).collect();
    numbers.join(",")
}

fn profile_of(directory: &str, name: Option<&str>) -> Option<&'static Profile> {
    let server = directory.strip_prefix("https://acme-")?;
    let server = server.strip_prefix("staging-").unwrap_or(server);
    PROFILES
        .iter()
        .filter(|profile| profile.server == server)
        .find(|profile| name.is_none_or(|name| profile.name == name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Version;

    const LETSENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";

    fn client(program: AcmeProgram, version: Option<(u16, u16)>) -> AcmeClient {
        let version = version.map(|(major, minor)| Version {
            major,
            minor: Some(minor),
            patch: None,
        });
        AcmeClient { program, version }
    }

    fn clients() -> Vec<AcmeClient> {
        let certbot = [
            None,
            Some((1, 21)),
            Some((2, 1)),
            Some((4, 0)),
            Some((5, 8)),
        ];
        let lego = [None, Some((4, 9)), Some((4, 35)), Some((5, 4))];
        let certbot = certbot.map(|version| client(AcmeProgram::Certbot, version));
        let lego = lego.map(|version| client(AcmeProgram::Lego, version));
        certbot.into_iter().chain(lego).collect()
    }

    /// Every day of five years, as text that sorts by time.
    fn dates() -> Vec<String> {
        let years = 2026..=2030;
        years
            .flat_map(|year| (1..=12).map(move |month| (year, month)))
            .flat_map(|(year, month)| {
                (1..=31).map(move |day| format!("{year}-{month:02}-{day:02}"))
            })
            .collect()
    }

    fn lifetime_on(profile: &Profile, date: &str) -> i64 {
        let known = profile.lifetimes.iter().rev();
        let mut known = known.filter(|(from, _)| *from <= date);
        known.next().or(profile.lifetimes.first()).unwrap().1
    }

    /// What a client that was set up once does to a certificate of a later date.
    fn window_then(client: AcmeClient, shortest: i64, lifetime: i64) -> i64 {
        match client.program {
            AcmeProgram::Lego if !is_dynamic(client) => days_before(shortest) * DAY,
            _ => window(client, lifetime),
        }
    }

    #[test]
    fn attempts_are_enough_on_every_date_with_every_client() {
        let mut judged = 0;
        for profile in PROFILES {
            let shortest = shortest_lifetime(LETSENCRYPT, Some(profile.name));
            for client in clients() {
                let schedule = Schedule::of([window(client, shortest)], "p", "t");
                for date in dates() {
                    let lifetime = lifetime_on(profile, &date);
                    let window = window_then(client, shortest, lifetime);
                    assert!(
                        schedule.attempts(window) >= ATTEMPTS && schedule.interval <= 720,
                        "{client} with {} on {date}: {schedule:?} in {window} s",
                        profile.name,
                    );
                    // Who renews too early is refused by the authority: a certificate is in use for a
                    // third of its time at the least. An old certbot cannot ask for `shortlived`.
                    let too_old = client.program == AcmeProgram::Certbot
                        && !client.since(4, 0)
                        && profile.name == "shortlived";
                    assert!(window * 3 <= lifetime * 2 || too_old, "{client} on {date}");
                    judged += 1;
                }
            }
        }
        assert_eq!(judged, 3 * 9 * 5 * 12 * 31);
    }

    #[test]
    fn a_profile_is_found_by_its_server() {
        assert_eq!(shortest_lifetime(LETSENCRYPT, None), 45 * DAY);
        let staging = "https://acme-staging-v02.api.letsencrypt.org/directory";
        assert_eq!(shortest_lifetime(staging, Some("shortlived")), 160 * HOUR);
        assert_eq!(shortest_lifetime("https://ca.example/acme", None), UNKNOWN);
        assert_eq!(shortest_lifetime(LETSENCRYPT, Some("new")), UNKNOWN);
    }

    #[test]
    fn what_is_shorter_is_tried_more_often() {
        let interval = |window| Schedule::of([window], "p", "t").interval;
        assert_eq!(interval(30 * DAY), 720);
        assert_eq!(interval(80 * HOUR), 360);
        assert_eq!(interval(8 * HOUR), 30);
        assert_eq!(interval(HOUR), 15);
    }

    #[test]
    fn a_time_is_said_as_timers_and_cron_want_it() {
        let at = |interval, first| Schedule { interval, first };
        assert_eq!(at(720, 700).calendar(), "*-*-* 11,23:40:00");
        assert_eq!(at(720, 17).cron(), "17 0,12 * * *");
        assert_eq!(at(60, 17).cron(), "17 * * * *");
        assert_eq!(at(15, 7).cron(), "7,22,37,52 * * * *");
        assert_eq!(at(360, 90).cron(), "30 1,7,13,19 * * *");
    }

    #[test]
    fn machines_differ_and_one_stays_as_it_is() {
        let first = |target: &str| Schedule::of([30 * DAY], "p", target).first;
        assert_eq!(first("web"), first("web"));
        let all: std::collections::BTreeSet<i64> =
            (0..50).map(|one| first(&format!("web-{one}"))).collect();
        assert!(all.len() > 40);
    }
}
