-- Minutes that monitoring beyond breaches kept, by category and by site (registrable domain). There is no map of when.
CREATE TABLE monitored (
  day       TEXT NOT NULL,
  person    TEXT NOT NULL,
  kind      TEXT NOT NULL,
  word      TEXT NOT NULL,
  counted   INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  PRIMARY KEY (day, person, kind, word)
) STRICT;
