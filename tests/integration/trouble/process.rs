//! The program as a process: done to its end, or held on to while it is at work.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// Longer than anything here takes, even on a busy machine.
const DEADLINE: Duration = Duration::from_mins(2);

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

fn command(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin!("nightferry"));
    command.arg("--config").arg(config).args(arguments);
    command.stdin(Stdio::null());
    command
}

/// Does `nightferry <arguments>` to its end.
pub fn does(config: &Path, arguments: &[&str]) -> Ended {
    let output = assert_cmd::Command::from_std(command(config, arguments))
        .timeout(DEADLINE)
        .output()
        .unwrap();
    Ended {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A run that is at work in a process of its own; killed when dropped.
pub struct Night {
    child: Child,
    stderr: Receiver<String>,
    said: String,
}

impl Night {
    pub fn begin(config: &Path, arguments: &[&str]) -> Self {
        Self::of(command(config, arguments))
    }

    /// A process of this command.
    pub fn of(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let (sender, stderr) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                drop(sender.send(line));
            }
        });
        Self {
            child,
            stderr,
            said: String::new(),
        }
    }

    /// Waits until a line on stderr contains `text`, and answers that line.
    pub fn wait_until_says(&mut self, text: &str) -> String {
        loop {
            let line = self.stderr.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|_| panic!("only said: {}", self.said));
            self.said += &line;
            self.said.push('\n');
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Sends a signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let kill = Command::new("kill")
            .arg(format!("-{name}"))
            .arg(self.child.id().to_string())
            .status();
        assert!(kill.unwrap().success());
    }

    /// Asks it to stop, and waits until it has understood.
    pub fn stop(&mut self, signal: &str) {
        self.signal(signal);
        self.wait_until_says("asked to stop");
    }

    /// Ends it as a power failure does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let mut stdout = String::new();
        let mut pipe = self.child.stdout.take().unwrap();
        pipe.read_to_string(&mut stdout).unwrap();
        let status = self.child.wait().unwrap();
        let mut said = std::mem::take(&mut self.said);
        said.extend(self.stderr.iter().map(|line| line + "\n"));
        Ended {
            code: status.code(),
            stdout,
            stderr: said,
        }
    }
}

impl Drop for Night {
    fn drop(&mut self) {
        // It has ended already unless the test failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
