//! `tlsgen man`: manual pages.

use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man as Page;

use super::Exit;
use super::arguments::{Arguments, Man};
use super::output::Output;
use crate::artifact::READABLE;
use crate::world::{Disk, World as _};

/// Runs the command.
pub fn run(options: &Man, output: &mut Output) -> Exit {
    let command = Arguments::command();
    let Some(directory) = &options.out else {
        let page = rendered(command);
        output.answer(&String::from_utf8_lossy(&page));
        return Exit::Done;
    };
    match write_all(directory, command) {
        Ok(()) => Exit::Done,
        Err(error) => output.no_answer(&format!(
            "cannot write into `{}`: {error}",
            directory.display()
        )),
    }
}

fn write_all(directory: &Path, mut command: clap::Command) -> std::io::Result<()> {
    let disk = Disk::new(directory)?;
    command.build();
    write_below(&disk, "tlsgen", &command)?;
    disk.write("tlsgen.1", &rendered(command), READABLE)
}

/// A page for every command below one, and for those below it.
fn write_below(disk: &Disk, above: &str, command: &clap::Command) -> std::io::Result<()> {
    for one in command.get_subcommands() {
        let name = format!("{above}-{}", one.get_name());
        let page = rendered(one.clone().display_name(name.clone()));
        disk.write(&format!("{name}.1"), &page, READABLE)?;
        write_below(disk, &name, one)?;
    }
    Ok(())
}

fn rendered(command: clap::Command) -> Vec<u8> {
    let mut page = Vec::new();
    // Writing into memory cannot fail.
    let _ = Page::new(command).render(&mut page);
    page
}
