//! Reads the command line, runs it, turns its outcome into an exit code; nothing else.

mod error;
mod http {
    pub mod assets;
}
mod limits;

fn main() {
    larder_heap::keep_small();
}
