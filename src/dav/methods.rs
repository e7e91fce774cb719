//! The table of `WebDAV`'s methods. What may be used by whom, `Allow` and the rights that it needs follow from it.

use crate::auth::narrowed::Door;
use crate::dav::{
    collections, content, door, locking, propfind, proppatch, put, refusal, relocation,
};
use crate::error::Result;
use crate::http::api::{Access, Endpoint, Lane, Method, Opens, Proof};
use crate::http::call::Call;
use crate::http::reply::Reply;

/// Where it all is.
pub const ROOT: &str = "/dav/";

/// What is taken of those who want to be let in; never the cookie. Keys come as passwords, too.
const PROOFS: &[Proof] = &[Proof::Bearer, Proof::Password, Proof::Key];

/// A row: its method, what answers, and the older endpoints that are needed for it.
const fn row(
    methods: &'static [Method],
    handler: fn(&mut Call<'_>) -> Result<Reply>,
    others: &'static [&'static str],
) -> Endpoint {
    Endpoint {
        methods,
        path: ROOT,
        access: Access::ByRole,
        proofs: PROOFS,
        lane: Lane::Disk,
        may_ask_drive: false,
        handler,
        is_prefix: true,
        door: Door::Dav,
        dictionary: refusal::reply,
        acts_as: others,
        has_own_row: true,
        compresses: false,
        forbids: true,
        is_open_to_keys: true,
        opens: Opens::WithFactor,
        #[cfg(test)]
        manual: crate::http::openapi::Manual {
            group: crate::http::openapi::Group::Files,
            purpose: "",
            refusals: &[],
            describe: |_, _, _| {},
        },
    }
}

/// The table, in the order of `Allow`.
#[rustfmt::skip]
pub static METHODS: &[Endpoint] = &[
    //  method                what answers            what else it needs
    Endpoint { access: Access::Public, proofs: &[], lane: Lane::Quick,
        ..row(&[Method::Options], door::options,      &[]) },
    row(&[Method::Get],       content::send,          &["/api/download"]),
    row(&[Method::Put],       put::store,             &["/api/upload"]),
    row(&[Method::Delete],    collections::delete,    &["/api/delete_file", "/api/delete_folder"]),
    row(&[Method::Mkcol],     collections::make,      &["/api/create_folder"]),
    row(&[Method::Copy],      relocation::copy,       &["/api/copy"]),
    row(&[Method::Move],      relocation::relocate,   &["/api/move"]),
    row(&[Method::Propfind],  propfind::find,         &["/api/finder"]),
    row(&[Method::Proppatch], proppatch::change,      &["/api/upload"]),
    row(&[Method::Lock],      locking::lock,          &["/api/upload"]),
    row(&[Method::Unlock],    locking::unlock,        &[]),
];
