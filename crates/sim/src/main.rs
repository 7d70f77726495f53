//! `cargo xtask sim`: runs seeds, or judges the rig with planted faults.

#![allow(clippy::print_stdout, clippy::print_stderr)] // A command's answer is what it prints.

use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use precordia_sim::{Order, Plant, Report, STEPS, run};

const USAGE: &str = "\
cargo xtask sim --seed N [--seeds COUNT [--jobs J]] [--steps K] [--plant FAULT] [--aloud]
cargo xtask sim --judge

  --seed N        the first seed
  --seeds COUNT   how many, one after the other (1)
  --jobs J        in so many processes (1)
  --steps K       things asked for in a run (40)
  --plant FAULT   make this mistake on purpose; the run should fail
  --aloud         tell every step
  --judge         plant every fault and say within how many seeds it was found";

/// Seeds within which a planted fault must be found.
const JUDGED_MAX: u64 = 100;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["--judge"] => Ok(judge()),
        args => parse(args).and_then(|asked| match asked.jobs {
            0 | 1 => Ok(play(asked.order, asked.seeds)),
            jobs => share(&asked, jobs),
        }),
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}\n{USAGE}");
        ExitCode::from(2)
    })
}

struct Asked {
    order: Order,
    seeds: u64,
    jobs: u64,
}

fn parse(args: &[&str]) -> Result<Asked> {
    let mut order = Order { seed: 1, steps: STEPS, plant: None, aloud: false };
    let (mut seeds, mut jobs, mut args) = (1, 1, args.iter());
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("`{arg}` wants a value"));
        match *arg {
            "--seed" => order.seed = value()?.parse().context("`--seed` wants a number")?,
            "--seeds" => seeds = value()?.parse().context("`--seeds` wants a number")?,
            "--jobs" => jobs = value()?.parse().context("`--jobs` wants a number")?,
            "--steps" => order.steps = value()?.parse().context("`--steps` wants a number")?,
            "--plant" => {
                let name = value()?;
                let names = Plant::ALL.map(Plant::name).join(", ");
                let plant = Plant::parse(name);
                order.plant = Some(plant.with_context(|| format!("faults are: {names}"))?);
            }
            "--aloud" => order.aloud = true,
            other => bail!("`{other}` is not an option"),
        }
    }
    Ok(Asked { order, seeds, jobs })
}

/// Runs of one process go one after the other, so more processes share the seeds.
fn share(asked: &Asked, jobs: u64) -> Result<ExitCode> {
    let program = std::env::current_exe()?;
    let part = asked.seeds.div_ceil(jobs);
    let mut children = Vec::new();
    for job in 0..jobs {
        let first = job * part;
        let seeds = part.min(asked.seeds.saturating_sub(first));
        let mut child = Command::new(&program);
        child.args(["--seed", &(asked.order.seed + first).to_string()]);
        child.args(["--seeds", &seeds.to_string(), "--steps", &asked.order.steps.to_string()]);
        if let Some(plant) = asked.order.plant {
            child.args(["--plant", plant.name()]);
        }
        children.push(child.spawn()?);
    }
    let mut whole = true;
    for mut child in children {
        whole &= child.wait()?.success();
    }
    Ok(if whole { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn play(first: Order, seeds: u64) -> ExitCode {
    let begun = Instant::now();
    let mut sum = Report::default();
    let mut failed = 0;
    for seed in first.seed..first.seed.saturating_add(seeds) {
        match run(Order { seed, ..first }) {
            Ok(report) => {
                sum.acknowledged += report.acknowledged;
                sum.restarts += report.restarts;
                sum.disk_steps += report.disk_steps;
                sum.trace = report.trace;
            }
            Err(failure) => {
                failed += 1;
                let plant = first.plant.map_or(String::new(), |plant| format!(" --plant {plant}"));
                println!("seed {seed}, step {}: {}", failure.step, failure.what);
                println!(
                    "  again: cargo xtask sim --seed {seed} --steps {}{plant} --aloud",
                    first.steps
                );
            }
        }
    }
    println!(
        "{seeds} seeds in {:.1} s: {} uploads acknowledged, {} restarts, {} steps of the disk, {failed} failed",
        begun.elapsed().as_secs_f64(),
        sum.acknowledged,
        sum.restarts,
        sum.disk_steps,
    );
    if seeds == 1 {
        println!("trace {:016x}", sum.trace);
    }
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn judge() -> ExitCode {
    let mut missed = 0;
    for plant in Plant::ALL {
        let order = |seed| Order { seed, steps: STEPS, plant: Some(plant), aloud: false };
        let found = (1..=JUDGED_MAX).find_map(|seed| run(order(seed)).err());
        match found {
            Some(failure) => println!("{plant}: found by seed {}: {}", failure.seed, failure.what),
            None => {
                missed += 1;
                println!("{plant}: not found in {JUDGED_MAX} seeds");
            }
        }
    }
    if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
