//! Prints the contract as TypeScript; `cargo xtask codegen` writes it to the user interface.
#![allow(clippy::print_stdout, reason = "printing is what this program is for")]

fn main() {
    print!("{}", api::typescript::generate());
}
