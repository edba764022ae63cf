//! Windows' I/O completion ports: raw bindings written by hand, and a thin safe layer on them.

// This is what another package includes to have these sources as a module of its own; README.md
// says how. The crate itself does not use this file.
//
// A module stands under the lints of the package around it, and these sources are written under
// others, so those are off here.
//
// `cargo test` of a library runs the examples in the documentation of all its modules, private ones
// too. The examples of these sources name a crate `overlapped`. Where there is none they do not
// compile, and those that are not to compile fail for another reason than the one they show. So
// they are kept out. To gather examples, rustdoc reads the library once more with `cfg(doctest)`;
// it resolves names then, and looks at no types and no bodies. That reading finds here the names
// alone. The library that its own examples run with is compiled from the sources, as always.

#![allow(warnings, reason = "a package uses what it needs, in its edition, with its compiler")]
#![allow(unused, unreachable_pub, rustdoc::all, reason = "even if they are denied there")]
#![allow(clippy::all, clippy::pedantic, reason = "even if they are denied there")]

#[cfg(not(doctest))]
#[path = "lib.rs"]
mod whole;
#[cfg(not(doctest))]
pub use self::whole::*;

#[cfg(doctest)]
#[path = "names.rs"]
mod names;
#[cfg(doctest)]
pub use self::names::*;
