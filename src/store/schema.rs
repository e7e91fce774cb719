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
    "
    CREATE TABLE links(
        id INTEGER PRIMARY KEY,
        user_id INTEGER NOT NULL,
        token_hash TEXT NOT NULL UNIQUE,
        nonce TEXT NOT NULL,
        path TEXT NOT NULL,
        is_folder INTEGER NOT NULL,
        label TEXT NOT NULL DEFAULT '',
        may_read INTEGER NOT NULL,
        may_write INTEGER NOT NULL,
        password TEXT,
        epoch INTEGER NOT NULL DEFAULT 0,
        expires INTEGER,
        downloads_max INTEGER,
        downloads INTEGER NOT NULL DEFAULT 0,
        upload_bytes_max INTEGER,
        uploaded_bytes INTEGER NOT NULL DEFAULT 0,
        upload_files_max INTEGER,
        uploaded_files INTEGER NOT NULL DEFAULT 0,
        guest_folders INTEGER NOT NULL DEFAULT 0,
        created_ms INTEGER NOT NULL,
        last_used INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX links_by_user ON links(user_id);
    CREATE INDEX links_by_path ON links(path);
    CREATE TABLE link_downloads(
        link_id INTEGER NOT NULL REFERENCES links(id) ON DELETE CASCADE,
        what BLOB NOT NULL,
        began INTEGER NOT NULL,
        PRIMARY KEY (link_id, what)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE link_guests(
        link_id INTEGER NOT NULL REFERENCES links(id) ON DELETE CASCADE,
        guest BLOB NOT NULL,
        day INTEGER NOT NULL,
        PRIMARY KEY (link_id, guest)
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE signin_codes(
        hash TEXT PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        epoch INTEGER NOT NULL,
        boot TEXT NOT NULL,
        expires INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX signin_codes_of ON signin_codes(user_id);
",
    "
    CREATE TABLE link_moves(
        path_from TEXT PRIMARY KEY,
        path_to TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
    // Numbered as they were made. None lasts long enough to be worth taking over.
    "
    DROP TABLE signin_codes;
    CREATE TABLE signin_codes(
        id INTEGER PRIMARY KEY,
        hash TEXT NOT NULL UNIQUE,
        user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        epoch INTEGER NOT NULL,
        boot TEXT NOT NULL,
        expires INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX signin_codes_of ON signin_codes(user_id);
",
    "
    CREATE TABLE link_returns(
        upload TEXT PRIMARY KEY,
        link_id INTEGER NOT NULL REFERENCES links(id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
",
    "
    CREATE TABLE sessions(
        id TEXT PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        created INTEGER NOT NULL,
        last_used INTEGER NOT NULL,
        ip TEXT NOT NULL,
        agent TEXT NOT NULL,
        is_remembered INTEGER NOT NULL,
        generation INTEGER NOT NULL,
        boot TEXT NOT NULL,
        renewed INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX sessions_of ON sessions(user_id);
",
    "
    CREATE TABLE keys(
        id INTEGER PRIMARY KEY,
        user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        label TEXT NOT NULL,
        hash TEXT NOT NULL UNIQUE,
        hint TEXT NOT NULL,
        path TEXT NOT NULL,
        may_write INTEGER NOT NULL,
        doors TEXT NOT NULL,
        expires INTEGER,
        created_ms INTEGER NOT NULL,
        last_day TEXT NOT NULL DEFAULT '',
        ip TEXT NOT NULL DEFAULT ''
    ) STRICT;
    CREATE INDEX keys_by_user ON keys(user_id);
",
    "
    ALTER TABLE users ADD COLUMN totp TEXT;
    ALTER TABLE users ADD COLUMN totp_step INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE recovery(
        user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        hash TEXT NOT NULL,
        PRIMARY KEY (user_id, hash)
    ) STRICT, WITHOUT ROWID;
",
    // Refers to no row: the link of a key that is deleted stays, so that its guests hear that it is over.
    "
    ALTER TABLE links ADD COLUMN key_id INTEGER;
",
    "
    CREATE TABLE known_places(
        user_id INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        place TEXT NOT NULL,
        day INTEGER NOT NULL,
        PRIMARY KEY (user_id, place)
    ) STRICT, WITHOUT ROWID;
",
];
