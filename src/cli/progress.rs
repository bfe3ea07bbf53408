//! A word on a terminal while something takes longer than people wait without one.

use std::io::{self, IsTerminal as _, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long nothing is said.
const PATIENCE: Duration = Duration::from_secs(1);
/// Back to the start of the line, and all of it gone.
const WIPE: &str = "\r\x1b[K";

/// Says what is being done until it is dropped, and then wipes it away.
pub struct Progress(Option<(Sender<()>, JoinHandle<()>)>);

impl Progress {
    /// On standard error, if that is a terminal: nothing of it reaches a file or a pipe.
    pub fn on_terminal(words: String) -> Self {
        match io::stderr().is_terminal() {
            true => Self::on(io::stderr(), PATIENCE, words),
            false => Self(None),
        }
    }

    fn on(mut stream: impl Write + Send + 'static, patience: Duration, words: String) -> Self {
        let (lives, ended) = mpsc::channel();
        let told = thread::spawn(move || {
            if ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
                let _ = write!(stream, "{words}").and_then(|()| stream.flush());
                let _ = ended.recv();
                let _ = write!(stream, "{WIPE}").and_then(|()| stream.flush());
            }
        });
        Self(Some((lives, told)))
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let Some((lives, told)) = self.0.take() else {
            return;
        };
        drop(lives);
        // What is said next must not stand behind the words.
        let _ = told.join();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Screen(Arc<Mutex<Vec<u8>>>);

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("nobody panics").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Screen {
        fn text(&self) -> String {
            let bytes = self.0.lock().expect("nobody panics");
            String::from_utf8_lossy(&bytes).into_owned()
        }
    }

    #[test]
    fn what_is_quick_is_not_told() {
        let screen = Screen::default();
        drop(Progress::on(screen.clone(), PATIENCE, "issuing".to_owned()));
        assert_eq!(screen.text(), "");
    }

    #[test]
    fn what_takes_long_is_told_and_wiped_away() {
        let screen = Screen::default();
        let progress = Progress::on(screen.clone(), Duration::ZERO, "issuing".to_owned());
        while screen.text() != "issuing" {
            thread::yield_now();
        }
        drop(progress);
        assert_eq!(screen.text(), format!("issuing{WIPE}"));
    }
}
