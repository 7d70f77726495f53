//! What the writers of one process were told, as they noted it.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;

use precordia_bench::{Answer, Told};

pub struct Book {
    pub life: u64,
    pub writers: u64,
    pub told: Vec<Told>,
    path: PathBuf,
    file: Option<BufReader<File>>,
    /// A line whose end is not there yet, or was never written.
    begun: Vec<u8>,
    acknowledged: u64,
}

impl Book {
    /// The process makes the file when it begins.
    pub fn new(life: u64, writers: u64, path: PathBuf) -> Self {
        let (told, begun) = (Vec::new(), Vec::new());
        Self { life, writers, told, path, file: None, begun, acknowledged: 0 }
    }

    /// How many appends were acknowledged until now.
    pub fn acknowledged(&mut self) -> u64 {
        self.read_on();
        self.acknowledged
    }

    fn read_on(&mut self) {
        if self.file.is_none() {
            self.file = File::open(&self.path).ok().map(BufReader::new);
        }
        let Some(file) = &mut self.file else { return };
        while file.read_until(b'\n', &mut self.begun).unwrap() > 0 && self.begun.ends_with(b"\n") {
            let told: Told = serde_json::from_slice(&self.begun).unwrap();
            self.acknowledged += u64::from(matches!(told.answer, Answer::Done(_)));
            self.told.push(told);
            self.begun.clear();
        }
    }
}
