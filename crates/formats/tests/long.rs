//! Recordings of a day: read block by block, in memory that a block takes.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, clippy::unwrap_used)]

use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use precordia_formats::{NamedSource, OpenError, open};

/// A signal file that is nowhere: its bytes follow from where they are.
struct Endless {
    at: u64,
    size: u64,
}

impl Read for Endless {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = (self.size - self.at).min(into.len() as u64) as usize;
        for (offset, byte) in into[..count].iter_mut().enumerate() {
            *byte = ((self.at + offset as u64) >> 1 & 0x3F) as u8;
        }
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Endless {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = match to {
            SeekFrom::Start(at) => at,
            SeekFrom::End(0) => self.size,
            _ => return Err(io::ErrorKind::Unsupported.into()),
        };
        Ok(self.at)
    }
}

/// The most memory that this process ever had, where the system says it.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

const LEADS: [&str; 12] =
    ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"];

/// Reads a day; returns the samples of a lead and the time that it took.
fn read_day(leads: usize, rate_hz: u64, format: u32) -> (u64, Duration) {
    let samples = 86_400 * rate_hz;
    let mut header = format!("day {leads} {rate_hz} {samples}\n");
    for name in &LEADS[..leads] {
        header.push_str(&format!("day.dat {format} 200/mV 12 0 0 0 0 {name}\n"));
    }
    let bits = if format == 212 { 12 } else { 16 };
    let size = samples * leads as u64 * bits / 8;
    let sources = vec![
        NamedSource { name: "day.hea".into(), source: Box::new(Cursor::new(header.into_bytes())) },
        NamedSource { name: "day.dat".into(), source: Box::new(Endless { at: 0, size }) },
    ];
    let begin = Instant::now();
    let opened = open(sources).unwrap();
    assert_eq!(opened.header.rhythm.traces.len(), leads);
    let mut count = 0;
    for block in opened.blocks {
        let block = block.unwrap();
        assert!(
            block.signal.traces.iter().all(|trace| trace.samples_uv.len() == block.signal.len())
        );
        count += block.signal.len() as u64;
    }
    (count, begin.elapsed())
}

#[test]
fn a_day_of_three_leads_takes_a_block_of_memory() {
    let before = peak_bytes();
    for format in [16, 212] {
        let (count, took) = read_day(3, 250, format);
        assert_eq!(count, 21_600_000);
        println!("24 h, 3 leads, 250 Hz, format {format}: {took:?}");
    }
    if let (Some(before), Some(after)) = (before, peak_bytes()) {
        println!("{} kB more at most", (after - before) / 1024);
        assert!(after - before < 24 << 20, "{} bytes", after - before);
    }
}

#[test]
fn a_day_of_twelve_leads_at_a_kilohertz_takes_a_block_of_memory() {
    let before = peak_bytes();
    let (count, took) = read_day(12, 1000, 16);
    assert_eq!(count, 86_400_000);
    println!("24 h, 12 leads, 1000 Hz: {took:?}");
    if let (Some(before), Some(after)) = (before, peak_bytes()) {
        println!("{} kB more at most", (after - before) / 1024);
        assert!(after - before < 24 << 20, "{} bytes", after - before);
    }
}

/// Reads well to a point, and not beyond.
struct Failing(Endless, u64);

impl Read for Failing {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.0.at >= self.1 {
            return Err(io::Error::other("the disk is gone"));
        }
        self.0.read(into)
    }
}

impl Seek for Failing {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

#[test]
fn a_source_that_fails_ends_the_blocks_with_its_cause() {
    let header = b"day 1 250 21600000\nday.dat 16 200/mV 12 0 0 0 0 II\n";
    let samples = Failing(Endless { at: 0, size: 43_200_000 }, 8_000_000);
    let sources = vec![
        NamedSource { name: "day.hea".into(), source: Box::new(Cursor::new(&header[..])) },
        NamedSource { name: "day.dat".into(), source: Box::new(samples) },
    ];
    let mut blocks = open(sources).unwrap().blocks;
    let read = blocks.by_ref().take_while(Result::is_ok).count();
    assert!(read > 5, "{read} blocks");
    assert!(blocks.next().is_none());
    let no_samples = Failing(Endless { at: 0, size: 43_200_000 }, 0);
    let sources = vec![
        NamedSource { name: "day.hea".into(), source: Box::new(Cursor::new(&header[..])) },
        NamedSource { name: "day.dat".into(), source: Box::new(no_samples) },
    ];
    let refused = open(sources).err().unwrap();
    assert!(matches!(refused, OpenError::Refused(refusal) if refusal.code == "part_unreadable"));
}
