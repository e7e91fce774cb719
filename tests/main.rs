//! Black-box tests. Only the tidy test runs until the vault stands; the other modules wait beside it.
mod tidy;
