//! The floor, seen from outside: bare sockets against a real server on loopback.

mod answers;
mod bodies;
mod hazards;
mod limits;
mod published;
mod shutdown;
mod support;
mod tls;
