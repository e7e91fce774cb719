//! Every number that bounds something, with its unit and its reason, by areas. Knows nothing else. Whoever uses one
//! writes `limits::NAME`, wherever it stands.

mod accounts;
mod authority;
mod dav;
mod discovery;
mod drives;
mod elsewhere;
mod events;
mod ftp;
mod http;
mod jobs;
mod links;
mod machine;
mod memory;
mod notify;
mod photos;
mod pictures;
mod search;
mod settings;
mod share;
mod state;
mod thumbs;
mod trash;

pub use accounts::*;
pub use authority::*;
pub use dav::*;
pub use discovery::*;
pub use drives::*;
pub use elsewhere::*;
pub use events::*;
pub use ftp::*;
pub use http::*;
pub use jobs::*;
pub use links::*;
pub use machine::*;
pub use memory::*;
pub use notify::*;
pub use photos::*;
pub use pictures::*;
pub use search::*;
pub use settings::*;
pub use share::*;
pub use state::*;
pub use thumbs::*;
pub use trash::*;
