//! Programs, variables and the files of stores, as they are on this machine.

use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::io::{self, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use crate::stores::{Ended, Outside, read_bounded};
use crate::world::{Disk, Exclusive, FileKind, World as _, anonymous};

/// The permission bits of a file for its owner alone.
const PRIVATE: u32 = 0o600;

/// What programs of stores find in their environment whatever the user has there: what would ask, show,
/// or keep what they send.
const ENVIRONMENT: [(&str, &str); 6] = [
    // A pager would keep what it shows.
    ("AWS_PAGER", ""),
    // Somebody would be asked for arguments, where nobody answers.
    ("AWS_CLI_AUTO_PROMPT", "off"),
    // Values are read and printed as UTF-8 in every locale, by version 1 and by version 2.
    ("PYTHONUTF8", "1"),
    ("AWS_CLI_FILE_ENCODING", "UTF-8"),
    // Preferences of kubectl can add options to a command, such as one that logs what is sent.
    ("KUBERC", "off"),
    ("KUBECTL_KUBERC", "false"),
];
/// What they are not given: with it, whoever records the network could read what is sent.
const KEY_LOG: &str = "SSLKEYLOGFILE";
/// How long somebody else may take who writes the same file.
const PATIENCE: Duration = Duration::from_secs(10);

/// This machine.
pub struct Programs {
    /// Where programs run.
    directory: PathBuf,
    /// Variables with values of secrets, which no program of a store is given.
    withheld: Vec<String>,
}

impl Programs {
    /// This machine, for programs that run in a directory and are not given some variables.
    pub fn new(directory: &Path, withheld: Vec<String>) -> Self {
        Self {
            directory: directory.to_owned(),
            withheld,
        }
    }
}

impl Outside for Programs {
    fn run(&self, words: &[&str], input: Option<&[u8]>) -> io::Result<Ended> {
        let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        // Version 1 of the AWS command line opens its standard input twice, and finds a pipe empty then.
        let standing = input.and_then(|input| anonymous(input).ok());
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.directory)
            .envs(ENVIRONMENT)
            .stdin(standing.map_or_else(
                || match input {
                    Some(_) => Stdio::piped(),
                    None => Stdio::null(),
                },
                Stdio::from,
            ))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.env_remove(KEY_LOG);
        for name in &self.withheld {
            command.env_remove(name);
        }
        let mut child = command.spawn()?;
        let (stdin, stdout, stderr) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (output, complaint) = thread::scope(|scope| {
            let complaint =
                scope.spawn(|| read_bounded(&mut stderr.ok_or(io::ErrorKind::BrokenPipe)?));
            if let (Some(mut stdin), Some(input)) = (stdin, input) {
                // One that ends before it has read all says so itself.
                scope.spawn(move || stdin.write_all(input));
            }
            let output = stdout
                .ok_or_else(|| io::ErrorKind::BrokenPipe.into())
                .and_then(|mut stdout| read_bounded(&mut stdout));
            if output.is_err() {
                let _ = child.kill();
            }
            let complaint = complaint.join();
            (output, complaint)
        });
        let status = child.wait()?;
        Ok(Ended {
            code: status.code(),
            output: output?,
            complaint: complaint.map_err(|_| io::ErrorKind::Other)??,
        })
    }

    fn variable(&self, name: &str) -> Option<Zeroizing<Vec<u8>>> {
        std::env::var_os(name).map(|value| Zeroizing::new(value.into_vec()))
    }

    fn read_private(&self, path: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let path = real(path)?;
        let (directory, name) = parts(&path)?;
        let disk = match Disk::new(directory) {
            Ok(disk) => disk,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        match disk.stat(name)? {
            None => Ok(None),
            Some(stat) if stat.kind != FileKind::File => Err(io::ErrorKind::InvalidInput.into()),
            Some(stat) if stat.mode & 0o077 != 0 => Err(io::ErrorKind::PermissionDenied.into()),
            Some(_) => disk.read(name).map(|bytes| Some(Zeroizing::new(bytes))),
        }
    }

    fn exclusive(&self, path: &str) -> io::Result<Exclusive> {
        let path = real(path)?;
        let (directory, _) = parts(&path)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        let disk = Disk::new(directory)?;
        let exclusive = disk.exclusive(PATIENCE)?;
        // What a killed push left has values in it.
        disk.remove_leftovers("")?;
        Ok(exclusive)
    }

    fn list_private(&self, directory: &str) -> io::Result<Vec<String>> {
        let disk = match Disk::new(Path::new(directory)) {
            Ok(disk) => disk,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        disk.list("")
    }

    fn write_private(&self, path: &str, body: &[u8]) -> io::Result<()> {
        let path = real(path)?;
        let (directory, name) = parts(&path)?;
        Disk::new(directory)?.write(name, body, PRIVATE)
    }
}

/// Where a path leads: a file that is kept elsewhere, as with dotfiles, stays there.
fn real(path: &str) -> io::Result<PathBuf> {
    let path = Path::new(OsStr::from_bytes(path.as_bytes()));
    match path.is_symlink() {
        true => path
            .canonicalize()
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error)),
        false => Ok(path.to_owned()),
    }
}

fn parts(whole: &Path) -> io::Result<(&Path, &str)> {
    let name = whole.file_name().and_then(OsStr::to_str);
    match (whole.parent(), name) {
        (Some(directory), Some(name)) => Ok((directory, name)),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}
