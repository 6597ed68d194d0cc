-- What pages count: a month's episodes by the time they began, and one person's.
CREATE INDEX episode_first ON episode (first);
CREATE INDEX episode_person ON episode (person, first);
