//! Names that are long, and names that are many: nginx keeps them in tables of a size.

use super::lab::{Lab, releases};
use super::listener::Application;
use super::names::spec;
use super::server::install;

#[test]
fn nginx_has_room_for_every_name() {
    let application = Application::start(None);
    let long = format!("{0}.{0}.{0}.lab.example", "n".repeat(63));
    for length in [46, 47, 110, 111, long.len()] {
        let name = &long[long.len() - length..];
        for release in releases() {
            let text = spec(&application, "").replace(
                "[tower.lab.example]",
                &format!("[tower.lab.example, {name}]"),
            );
            let mut lab = Lab::new(release);
            lab.leaf("tower", &["tower.lab.example", name]);
            let serving = lab.serve(&text, |_| ());
            install(&lab, &serving);
        }
    }
}

#[test]
fn nginx_has_room_for_many_names() {
    let application = Application::start(None);
    for count in [29, 30, 100, 1000] {
        // Spread as names of people's choosing are: numbers in a row would fit too well.
        let names: Vec<String> = (1..=count)
            .map(|number: u64| {
                format!(
                    "{:x}.wild.lab.example",
                    number * 0x9e37_79b9_7f4a % 0xffff_fffb
                )
            })
            .collect();
        for release in releases() {
            let text = spec(&application, "").replace(
                "[\"*.wild.lab.example\"]",
                &format!("[{}]", names.join(", ")),
            );
            let mut lab = Lab::new(release);
            let serving = lab.serve(&text, |_| ());
            install(&lab, &serving);
        }
    }
}
