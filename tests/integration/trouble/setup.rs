//! The configuration file of a test.

/// Everything of one end that a configuration may have wrong.
#[derive(Clone)]
pub struct End {
    pub endpoint: String,
    pub bucket: String,
    pub access_key: String,
    pub secret: String,
}

/// What stands in the configuration file.
#[derive(Clone)]
pub struct Setup {
    pub tasks: Vec<&'static str>,
    pub source: End,
    pub destination: End,
    pub workers: u32,
    /// Whether the server may copy by itself.
    pub server_side: bool,
    /// Further lines of each task.
    pub task_lines: &'static str,
    /// Further lines of each task's destination.
    pub destination_lines: &'static str,
}

impl Setup {
    pub fn text(&self) -> String {
        let head = format!(
            "data_dir = \"data\"\nworkers = {}\nmemory = \"16MiB\"\n",
            self.workers
        );
        let end = |end: &End| {
            format!(
                "endpoint = \"{}\"\nbucket = \"{}\"\naccess_key_id = \"{}\"\nsecret_access_key = \"{}\"\n",
                end.endpoint, end.bucket, end.access_key, end.secret
            )
        };
        let tasks = self.tasks.iter().map(|task| {
            format!(
                "[[task]]\nid = \"{task}\"\nserver_side_copy = \"{}\"\n{}\n[task.source]\n{}[task.destination]\n{}{}",
                if self.server_side { "auto" } else { "never" },
                self.task_lines,
                end(&self.source),
                end(&self.destination),
                self.destination_lines
            )
        });
        head + &tasks.collect::<String>()
    }
}
