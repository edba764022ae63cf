//! Stops a build for a Windows whose layouts nobody has checked, with a sentence instead of with a
//! corrupted heap at run time.
//!
//! It reads two variables that cargo sets for the *target*. It compiles nothing, probes nothing
//! and writes nothing; on targets other than Windows it has no opinion.

use std::env;

/// The processors for which the layouts of `ffi/` are known to be those of the headers.
const PROVEN: [&str; 3] = ["x86", "x86_64", "aarch64"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");

    let system = env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    let processor = env::var("CARGO_CFG_TARGET_ARCH").unwrap_or_default();
    if system == "windows" && !PROVEN.contains(&processor.as_str()) {
        println!(
            "cargo::error=overlapped is checked for Windows on {}, and not on {processor}: \
             compare the layouts in ffi/types.rs with the headers, then add it to build.rs",
            PROVEN.join(", ")
        );
    }
}
