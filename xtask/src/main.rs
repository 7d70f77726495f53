//! `cargo xtask VERB`: the checks and generators that belong to the project and not to the product.
//!
//! Every check answers with a list of findings, one line each; an empty list is a pass. Nothing here
//! changes a file except `generate`.

#![allow(clippy::print_stdout, clippy::print_stderr)] // A command's answer is what it prints.

mod fence;
mod generate;
mod licenses;
mod markdown;
mod sbom;
mod spdx;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;

const USAGE: &str = "\
cargo xtask VERB

  fence               each crate uses only the crates that xtask/fence.toml allows
  tidy                files are short, finished, documented and linked
  licenses            every dependency carries a license of xtask/licenses.toml
  generate [--check]  write (or compare) web/openapi.json and the pure crates' clippy.toml
  sbom                print a CycloneDX 1.5 bill of materials of what ships
  sim --seed N …      run the seeded rig, optimized; `sim --help` says more";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match args.as_slice() {
        ["fence"] => fence::run().map(|found| verdict("fence", &found)),
        ["tidy"] => tidy::run().map(|found| verdict("tidy", &found)),
        ["licenses"] => licenses::run().map(|found| verdict("licenses", &found)),
        ["generate"] => {
            generate::run(generate::Mode::Write).map(|found| verdict("generate", &found))
        }
        ["generate", "--check"] => {
            generate::run(generate::Mode::Check).map(|found| verdict("generate", &found))
        }
        ["sbom"] => print_sbom(),
        ["sim", rest @ ..] => sim(rest),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::from(2)
    })
}

/// Not a dependency: the checks shall not wait until the whole product is built.
fn sim(args: &[&str]) -> Result<ExitCode> {
    let cargo = ["run", "--quiet", "--release", "--package", "precordia-sim", "--"];
    let status = std::process::Command::new("cargo").args(cargo).args(args).status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, Into::into))
}

fn print_sbom() -> Result<ExitCode> {
    serde_json::to_writer_pretty(std::io::stdout().lock(), &sbom::run()?)?;
    println!();
    Ok(ExitCode::SUCCESS)
}

fn verdict(name: &str, findings: &[String]) -> ExitCode {
    for finding in findings {
        println!("{name}: {finding}");
    }
    if findings.is_empty() {
        println!("{name}: clean");
        return ExitCode::SUCCESS;
    }
    println!("{name}: {} to mend", findings.len());
    ExitCode::FAILURE
}
