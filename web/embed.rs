//! The build script: embeds the built pages. Knows nothing of the server.

fn main() {
    println!("cargo::rerun-if-changed=web/dist");
}
