//! Roles: contract, section 7.

use serde::{Serialize, Serializer};

use crate::error::Result;
use crate::http::call::Call;
use crate::http::reply::Reply;
use crate::settings::Roles;

/// `GET /api/role/self`: each endpoint of the roles configuration, and whether the caller may use it.
pub fn mine(call: &mut Call<'_>) -> Result<Reply> {
    /// The answer, written without a copy: every page asks for it.
    struct Mine<'a>(&'a Roles, &'a str);

    impl Serialize for Mine<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.of(self.1))
        }
    }
    Reply::json(&Mine(&call.app.config.roles(), &call.caller()?.user.role))
}
