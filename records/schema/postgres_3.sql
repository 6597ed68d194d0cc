-- Who may sign in at the desk, and who is. Passwords and tokens stand here as hashes alone.
CREATE TABLE desk_account (
  id       TEXT PRIMARY KEY,
  password TEXT NOT NULL,
  set_at   BIGINT NOT NULL,
  -- What the second factor is made from, and the last step of it that was used; empty where there is none.
  codes    TEXT NOT NULL DEFAULT '',
  step     BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE desk_session (
  token   TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  began   BIGINT NOT NULL,
  seen    BIGINT NOT NULL,
  browser TEXT NOT NULL,
  address TEXT NOT NULL
);
CREATE INDEX desk_session_account ON desk_session (account);

-- A link with which an account's password is set, once.
CREATE TABLE desk_link (
  token   TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  ends    BIGINT NOT NULL
);
