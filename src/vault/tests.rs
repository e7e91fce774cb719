//! The vault as a whole, on a real disk.
