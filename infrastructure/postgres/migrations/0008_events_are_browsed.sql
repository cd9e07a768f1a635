-- For people who look around: events of a category and of a correlation, streams in the order of
-- their first events. The two partial indexes cost nothing for the later events of a stream.
CREATE INDEX events_by_category ON events (stream_type, global_position);
CREATE INDEX events_by_correlation ON events ((metadata ->> '$correlationId'), global_position);
CREATE INDEX events_that_begin ON events (global_position) WHERE version = 0;
CREATE INDEX events_that_begin_by_category ON events (stream_type, global_position)
WHERE version = 0;
