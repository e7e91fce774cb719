//! The table of `db/logs.db`: its schema, and how rows get in, out and away.

use jiff::Timestamp;
use rusqlite::types::ToSql;
use rusqlite::{Connection, named_params};
use serde::Serialize;

use super::event::{By, Door, Event, Op};
use crate::error::Result;
use crate::{limits, words, zone};

/// The schema, step by step; a step that has shipped never changes.
///
/// Filters have no index of their own: they look through the rows from the newest on. In as many as are kept
/// that takes a tenth of a second, while each index would be written to the card with each row.
pub const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE logs(
        id INTEGER PRIMARY KEY,
        timestamp TEXT NOT NULL,
        action TEXT NOT NULL,
        ip TEXT NOT NULL
    ) STRICT;
    ",
    "
    ALTER TABLE logs ADD COLUMN user TEXT;
    ALTER TABLE logs ADD COLUMN door TEXT;
    ALTER TABLE logs ADD COLUMN op TEXT;
    ALTER TABLE logs ADD COLUMN path TEXT;
    ALTER TABLE logs ADD COLUMN path_to TEXT;
    ALTER TABLE logs ADD COLUMN trash_id TEXT;
    ",
];

/// One row as it stands in the table. Rows of before the columns have none of them.
#[derive(Debug, Serialize, PartialEq, Eq)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[cfg_attr(test, schemars(rename = "LogRow"))]
pub struct Row {
    /// Grows from row to row.
    pub id: i64,
    /// Local time, `YYYY-MM-DD HH:MM:SS`.
    pub timestamp: String,
    /// What happened, in words.
    pub action: String,
    /// Who from; empty when larder itself did it.
    pub ip: String,
    /// Who did it, or tried to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// See `Door`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub door: Option<String>,
    /// See `Op`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// What it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Where that went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path_to: Option<String>,
    /// Where in the trash is, or was, what went or was replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trash_id: Option<String>,
}

/// Which rows are wanted. What nobody could have written finds nothing.
#[derive(Debug, Default)]
pub struct Filter {
    /// How many at most.
    pub rows_max: i64,
    /// Only those of smaller ids.
    pub before: Option<i64>,
    /// Only this user's.
    pub user: Option<String>,
    /// Only those of this door.
    pub door: Option<String>,
    /// Only those of this kind.
    pub op: Option<String>,
    /// Only those that happened to this path, or below; the root is the empty one.
    pub path: Option<String>,
}

/// One row on its way.
pub struct Entry {
    /// When it was noted. It becomes local time where it is written (see `Logbook::open`).
    time: Timestamp,
    /// What happened, in words.
    action: String,
    /// Who from; empty when larder itself did it.
    ip: String,
    /// Who did it, or tried to.
    user: Option<String>,
    /// The way in.
    door: Door,
    /// What kind of thing it was.
    op: Option<Op>,
    /// What it happened to.
    path: Option<String>,
    /// Where that went.
    path_to: Option<String>,
    /// Where in the trash is what went or was replaced.
    trash_id: Option<String>,
}

impl Entry {
    /// A row of this moment.
    pub fn new(by: &By<'_>, event: Event) -> Self {
        let action = if event.is_whole {
            tidy(&event.words)
        } else {
            tidy(&format!("{}{}", by.prefix(), event.words))
        };
        Self {
            time: Timestamp::now(),
            action,
            ip: by.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            user: by.user.map(str::to_owned).or(event.tried),
            door: by.door,
            op: event.op,
            path: event.path,
            path_to: event.path_to,
            trash_id: event.trash_id,
        }
    }
}

/// One line in which nothing turns or parts it, cut to its bound.
fn tidy(action: &str) -> String {
    let mut text = words::told(action);
    if text.len() > limits::LOG_ACTION_BYTES_MAX {
        let end = text.floor_char_boundary(limits::LOG_ACTION_BYTES_MAX);
        text.truncate(end);
        text.push('…');
    }
    text
}

/// Writes rows in one transaction.
pub fn write_batch(connection: &Connection, batch: &[Entry]) -> Result<()> {
    if batch.is_empty() {
        return Ok(());
    }
    let transaction = connection.unchecked_transaction()?;
    {
        let mut insert = transaction.prepare_cached(
            "INSERT INTO logs(timestamp, action, ip, user, door, op, path, path_to, trash_id)
             VALUES (:timestamp, :action, :ip, :user, :door, :op, :path, :path_to, :trash_id)",
        )?;
        let zone = zone::local();
        for row in batch {
            let local =
                row.time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string();
            insert.execute(named_params! {
                ":timestamp": local,
                ":action": row.action,
                ":ip": row.ip,
                ":user": row.user,
                ":door": row.door.as_str(),
                ":op": row.op.map(Op::as_str),
                ":path": row.path,
                ":path_to": row.path_to,
                ":trash_id": row.trash_id,
            })?;
        }
    }
    Ok(transaction.commit()?)
}

/// The newest rows of those that are wanted, newest first.
pub fn newest(connection: &Connection, filter: &Filter) -> Result<Vec<Row>> {
    let mut sql = String::from(
        "SELECT id, timestamp, action, ip, user, door, op, path, path_to, trash_id FROM logs
         WHERE id < :before",
    );
    let before = filter.before.unwrap_or(i64::MAX);
    let mut given: Vec<(&str, &dyn ToSql)> =
        vec![(":before", &before), (":rows_max", &filter.rows_max)];
    for (name, condition, value) in [
        (":user", " AND user = :user", &filter.user),
        (":door", " AND door = :door", &filter.door),
        (":op", " AND op = :op", &filter.op),
    ] {
        if let Some(value) = value {
            sql.push_str(condition);
            given.push((name, value));
        }
    }
    // Behind the slash of a folder's path, and before what follows the slash among characters.
    let below = filter.path.as_ref().map(|path| (format!("{path}/"), format!("{path}0")));
    match (&filter.path, &below) {
        (Some(path), _) if path.is_empty() => {
            sql.push_str(" AND (path IS NOT NULL OR path_to IS NOT NULL)");
        }
        (Some(path), Some((first, end))) => {
            sql.push_str(
                " AND (path = :path OR path_to = :path
                  OR (path >= :first AND path < :end) OR (path_to >= :first AND path_to < :end))",
            );
            given.extend([(":path", path as &dyn ToSql), (":first", first), (":end", end)]);
        }
        _ => {}
    }
    sql.push_str(" ORDER BY id DESC LIMIT :rows_max");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(&given[..], read)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One row of an answer.
fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    Ok(Row {
        id: row.get(0)?,
        timestamp: row.get(1)?,
        action: row.get(2)?,
        ip: row.get(3)?,
        user: row.get(4)?,
        door: row.get(5)?,
        op: row.get(6)?,
        path: row.get(7)?,
        path_to: row.get(8)?,
        trash_id: row.get(9)?,
    })
}

/// Drops rows that are too old or too many.
pub fn prune(connection: &Connection, retention_days: u32) -> Result<()> {
    connection.execute(
        "DELETE FROM logs WHERE timestamp < datetime('now', 'localtime', ?1)
         OR id <= (SELECT max(id) FROM logs) - ?2",
        rusqlite::params![format!("-{retention_days} days"), limits::LOG_ROWS_MAX],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store;

    #[test]
    fn old_rows_go_and_young_ones_stay() {
        let folder = tempfile::tempdir().unwrap();
        let connection = store::open(&folder.path().join("logs.db"), MIGRATIONS, false).unwrap();
        for timestamp in ["2001-01-01 00:00:00", "2999-01-01 00:00:00"] {
            connection
                .execute("INSERT INTO logs(timestamp, action, ip) VALUES (?1, ?1, '')", [timestamp])
                .unwrap();
        }
        prune(&connection, 90).unwrap();
        let left = newest(&connection, &Filter { rows_max: 9, ..Filter::default() }).unwrap();
        let left: Vec<_> = left.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(left, ["2999-01-01 00:00:00"]);
    }

    #[test]
    fn rows_of_before_the_columns_keep_their_text_and_have_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logs.db");
        let old = store::open(&path, &MIGRATIONS[..1], false).unwrap();
        old.execute("INSERT INTO logs(timestamp, action, ip) VALUES ('t', 'ana: did', '::1')", [])
            .unwrap();
        drop(old);
        let connection = store::open(&path, MIGRATIONS, false).unwrap();
        let rows = newest(&connection, &Filter { rows_max: 9, ..Filter::default() }).unwrap();
        let told = serde_json::to_string(&rows).unwrap();
        assert_eq!(told, r#"[{"id":1,"timestamp":"t","action":"ana: did","ip":"::1"}]"#);
        let user = Some("ana".to_owned());
        let none = newest(&connection, &Filter { rows_max: 9, user, ..Filter::default() });
        assert!(none.unwrap().is_empty());
    }

    #[test]
    fn a_path_is_found_with_what_is_below_and_nothing_beside_it() {
        let connection = Connection::open_in_memory().unwrap();
        for step in MIGRATIONS {
            connection.execute_batch(step).unwrap();
        }
        let paths = ["a", "a/b", "a/b/c", "a b", "a.txt", "ab", "a0", "a/", "A", "a_b", "a%", "é"];
        let events = paths.map(|path| Entry::new(&By::machine(), Event::other(path).at(path)));
        write_batch(&connection, &events).unwrap();
        let moved = [("x", "a/z"), ("a", "y"), ("xa", "ya")];
        let moved = moved.map(|(from, to)| Entry::new(&By::machine(), Event::moved(from, to)));
        write_batch(&connection, &moved).unwrap();
        let found = |path: &str| {
            let path = Some(path.to_owned());
            let rows = newest(&connection, &Filter { rows_max: 99, path, ..Filter::default() });
            let mut found: Vec<_> = rows.unwrap().into_iter().map(|row| row.action).collect();
            found.reverse();
            found
        };
        assert_eq!(found("a"), ["a", "a/b", "a/b/c", "a/", "moved /x to /a/z", "moved /a to /y"]);
        assert_eq!(found("a/b"), ["a/b", "a/b/c"]);
        assert_eq!(found("a_b"), ["a_b"]);
        assert_eq!(found("a%"), ["a%"]);
        assert_eq!(found("é"), ["é"]);
        assert_eq!(found("y"), ["moved /a to /y"]);
        assert_eq!(found("").len(), 15);
        assert!(found("%").is_empty() && found("a' OR 1=1 --").is_empty());
    }

    #[test]
    fn a_row_is_one_bounded_line() {
        assert_eq!(tidy("a\r\n\0b"), "a\u{fffd}\u{fffd}\u{fffd}b");
        assert!(tidy(&"é".repeat(5000)).len() <= limits::LOG_ACTION_BYTES_MAX + 3);
    }
}
