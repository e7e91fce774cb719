//! How `users.db` is built, step by step, for users and FTP users alike.

/// The schema, step by step; a step that has shipped never changes.
pub(super) const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE users(
        id INTEGER PRIMARY KEY,
        username TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        name TEXT NOT NULL,
        ip TEXT NOT NULL DEFAULT '',
        role TEXT NOT NULL,
        ftp_users TEXT NOT NULL DEFAULT '',
        paths TEXT NOT NULL,
        settings TEXT NOT NULL DEFAULT '',
        API_KEY TEXT UNIQUE,
        paths_write TEXT NOT NULL,
        key_hint TEXT NOT NULL DEFAULT '',
        epoch INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE TABLE ftp_users(
        id INTEGER PRIMARY KEY,
        username TEXT NOT NULL UNIQUE,
        password TEXT NOT NULL,
        homedir TEXT NOT NULL,
        permissions TEXT NOT NULL
    ) STRICT;
    CREATE TABLE revoked_tokens(
        token_id TEXT PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        expires INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE marks(
        one INTEGER PRIMARY KEY CHECK (one = 1),
        last_user_id INTEGER NOT NULL,
        roles_edition INTEGER NOT NULL
    ) STRICT;
    INSERT INTO marks SELECT 1, coalesce(max(id), 0), 0 FROM users;
",
    "
    ALTER TABLE users ADD COLUMN last_seen INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE users ADD COLUMN last_agent TEXT NOT NULL DEFAULT '';
",
];
