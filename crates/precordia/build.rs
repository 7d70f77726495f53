//! The pages are embedded when the program is built; a new build of them is a reason to build it again.

fn main() {
    println!("cargo:rerun-if-changed=../../web/dist");
}
