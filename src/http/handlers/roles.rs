//! Roles: contract, section 7.

use crate::error::Result;
use crate::http::call::Call;
use crate::http::reply::Reply;

/// `GET /api/role/self`: each endpoint of the roles configuration, and whether the caller may use it.
pub fn mine(call: &mut Call<'_>) -> Result<Reply> {
    Reply::json(&call.app.config.roles().of(&call.caller()?.user.role))
}
