//! Tables as JSON and back, for the backup on the share's drive. Knows which tables, not what they mean.

use std::path::Path;

use rusqlite::types::{Value as Cell, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// The tables of `users.db` that a backup carries: who there is, and what they share. Logged-out tokens are left behind, since the
/// key that signs tokens is, too.
const TABLES: &[&str] = &["users", "ftp_users", "keys", "links"];

/// What of them it leaves behind: it changes with every request, and the backup shall be the same document as
/// long as nothing worth keeping has changed; and second factors, whose secrets nobody could open without the key that
/// is left behind, too.
const LEFT_BEHIND: &[&str] =
    &["last_seen", "last_agent", "last_used", "last_day", "totp", "totp_step"];

/// The rows of those tables as they are at one moment: `{"users": [{"username": ..., ...}, ...], ...}`. A
/// table that this database does not have is left out.
///
/// Errors: `Store`.
pub fn dump(path: &Path) -> Result<Map<String, Value>> {
    let mut connection = open_existing(path)?;
    let moment = connection.transaction()?;
    let mut tables = Map::new();
    for table in TABLES {
        if columns(&moment, table)?.is_empty() {
            continue;
        }
        let mut statement = moment.prepare(&format!("SELECT * FROM {table} ORDER BY id"))?;
        let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            let mut object = Map::new();
            for (index, name) in names.iter().enumerate() {
                if LEFT_BEHIND.contains(&name.as_str()) {
                    continue;
                }
                object.insert(name.clone(), to_json(row.get_ref(index)?)?);
            }
            found.push(Value::Object(object));
        }
        tables.insert((*table).to_owned(), Value::Array(found));
    }
    Ok(tables)
}

/// Puts dumped rows in the place of what those tables hold, all or nothing. Columns and tables that this
/// database does not know, for a newer larder's dump, are passed over.
///
/// Errors: `Store`, `Invalid` (no dump, or rows that contradict each other).
pub fn load(path: &Path, tables: &Map<String, Value>) -> Result<()> {
    const NO_DUMP: Error = Error::invalid("The backup is damaged");
    let mut connection = open_existing(path)?;
    let change = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for table in TABLES {
        let known = columns(&change, table)?;
        let Some(rows) = tables.get(*table).filter(|_| !known.is_empty()) else { continue };
        change.execute(&format!("DELETE FROM {table}"), [])?;
        for row in rows.as_array().ok_or(NO_DUMP)? {
            let row = row.as_object().ok_or(NO_DUMP)?;
            let told: Vec<&String> = known.iter().filter(|name| row.contains_key(*name)).collect();
            if told.is_empty() {
                return Err(NO_DUMP);
            }
            let cells: Option<Vec<Cell>> =
                told.iter().map(|name| row.get(*name).and_then(to_cell)).collect();
            let (names, marks): (Vec<String>, Vec<&str>) =
                told.iter().map(|name| (format!("\"{name}\""), "?")).unzip();
            let sql =
                format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), marks.join(", "));
            change.execute(&sql, params_from_iter(cells.ok_or(NO_DUMP)?))?;
        }
    }
    Ok(change.commit()?)
}

/// A database that is there; none is made.
fn open_existing(path: &Path) -> Result<Connection> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(crate::limits::SQLITE_BUSY)?;
    Ok(connection)
}

/// The columns of a table, as the schema has them; none when there is no such table.
fn columns(connection: &Connection, table: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?)")?;
    let names = statement.query_map([table], |row| row.get(0))?;
    Ok(names.collect::<rusqlite::Result<_>>()?)
}

/// A cell as JSON. Our tables hold no blobs and no fractions.
fn to_json(cell: ValueRef<'_>) -> Result<Value> {
    match cell {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(number.into()),
        ValueRef::Text(text) => Ok(String::from_utf8_lossy(text).into()),
        ValueRef::Real(_) | ValueRef::Blob(_) => {
            Err(Error::Bug("a table holds what a backup can't carry".into()))
        }
    }
}

/// JSON as a cell; `None` for what no cell of ours holds.
fn to_cell(value: &Value) -> Option<Cell> {
    match value {
        Value::Null => Some(Cell::Null),
        Value::Number(number) => number.as_i64().map(Cell::Integer),
        Value::String(text) => Some(Cell::Text(text.clone())),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn database(folder: &Path, name: &str, more: &str) -> std::path::PathBuf {
        let path = folder.join(name);
        let schema =
            "CREATE TABLE users(id INTEGER PRIMARY KEY, username TEXT UNIQUE, ip TEXT) STRICT";
        drop(super::super::open(&path, &[schema, more], true).unwrap());
        path
    }

    #[test]
    fn rows_come_back_as_they_went_and_replace_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        let old = database(
            folder.path(),
            "old.db",
            "INSERT INTO users VALUES (1, 'ana', NULL), (7, 'b\"''o', '')",
        );
        let new = database(folder.path(), "new.db", "INSERT INTO users VALUES (1, 'admin', 'x')");
        let rows = dump(&old).unwrap();
        assert_eq!(
            rows["users"],
            json!([{"id": 1, "username": "ana", "ip": null}, {"id": 7, "username": "b\"'o", "ip": ""}])
        );
        assert!(!rows.contains_key("ftp_users"), "that table is not there");
        load(&new, &rows).unwrap();
        assert_eq!(dump(&new).unwrap(), rows);
    }

    #[test]
    fn a_newer_dump_loses_only_what_we_do_not_know() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path(), "a.db", "");
        let rows = json!({"users": [{"id": 2, "username": "ana", "of_the_future": 1}], "other": [{"x": 1}]});
        load(&path, rows.as_object().unwrap()).unwrap();
        assert_eq!(dump(&path).unwrap()["users"][0]["username"], "ana");
    }

    #[test]
    fn a_damaged_dump_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = database(folder.path(), "a.db", "INSERT INTO users VALUES (1, 'admin', '')");
        let before = dump(&path).unwrap();
        for bad in [
            json!({"users": 5}),
            json!({"users": [5]}),
            json!({"users": [{}]}),
            json!({"users": [{"username": [1]}]}),
            json!({"users": [{"id": 1, "username": "a"}, {"id": 2, "username": "a"}]}),
            json!({"users": [{"id\" TEXT); DROP TABLE users; --": 1}]}),
        ] {
            assert!(load(&path, bad.as_object().unwrap()).is_err(), "{bad}");
            assert_eq!(dump(&path).unwrap(), before, "{bad}");
        }
    }
}
