//! The part of larder's room of pictures that works on bytes alone.

#[path = "../../../src/picture/chunks.rs"]
pub mod chunks;
#[path = "../../../src/picture/decode/mod.rs"]
pub mod decode;
#[path = "../../../src/picture/directories.rs"]
pub mod directories;
#[path = "../../../src/picture/embedded.rs"]
pub mod embedded;
#[path = "../../../src/picture/encode.rs"]
pub mod encode;
#[path = "../../../src/picture/head.rs"]
pub mod head;
#[path = "../../../src/picture/heif.rs"]
pub mod heif;
#[path = "../../../src/picture/profile.rs"]
pub mod profile;
#[path = "../../../src/picture/size.rs"]
pub mod size;
#[path = "../../../src/picture/sniff.rs"]
pub mod sniff;
#[path = "../../../src/picture/tags.rs"]
pub mod tags;
#[path = "../../../src/picture/task.rs"]
pub mod task;
#[path = "../../../src/picture/turn.rs"]
pub mod turn;
