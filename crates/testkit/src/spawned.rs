use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

/// A child process that is killed when the test ends.
#[derive(Debug)]
pub struct Spawned {
    child: Child,
    ready: String,
    output: Arc<Mutex<String>>,
}

impl Spawned {
    /// Starts a process and waits until it prints a line that `is_ready` accepts; panics, with everything it
    /// printed, when it ends before that or takes longer than `limit`.
    pub fn start(mut command: Command, limit: Duration, is_ready: impl Fn(&str) -> bool) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("{command:?} cannot be started: {error}"));
        let output = Arc::new(Mutex::new(String::new()));
        let (lines, received) = mpsc::channel();
        collect(child.stdout.take().expect("stdout is piped"), Arc::clone(&output), Some(lines));
        collect(child.stderr.take().expect("stderr is piped"), Arc::clone(&output), None);
        let mut spawned = Self { child, ready: String::new(), output };
        let start = Instant::now();
        loop {
            match received.recv_timeout(limit.saturating_sub(start.elapsed())) {
                Ok(line) if is_ready(&line) => {
                    spawned.ready = line;
                    return spawned;
                }
                Ok(_) => {}
                Err(error) => {
                    let text = spawned.output();
                    panic!("{command:?} did not become ready ({error}); it printed:\n{text}");
                }
            }
        }
    }

    /// The line that said it is ready.
    pub fn ready(&self) -> &str {
        &self.ready
    }

    /// Everything printed so far, on either stream.
    pub fn output(&self) -> String {
        self.output.lock().expect("readers do not panic").clone()
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends the process at once, without a chance to tidy up.
    pub fn kill(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits for the process to end by itself; panics after `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be waited for") {
                return status;
            }
            assert!(start.elapsed() < limit, "the process did not end within {limit:?}:\n{}", self.output());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Spawned {
    fn drop(&mut self) {
        self.kill();
    }
}

fn collect(
    stream: impl Read + Send + 'static,
    output: Arc<Mutex<String>>,
    lines: Option<mpsc::Sender<String>>,
) {
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut output = output.lock().expect("readers do not panic");
            output.push_str(&line);
            output.push('\n');
            drop(output);
            if let Some(lines) = &lines {
                // Nobody waits any more once the process is ready.
                let _ = lines.send(line);
            }
        }
    });
}
