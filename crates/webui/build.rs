//! Embeds the user interface again when it has been built again.

fn main() {
    println!("cargo::rerun-if-changed=dist");
}
