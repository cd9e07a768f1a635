-- For people who look for a stream by the beginning of its name. As those of 0008, it costs nothing
-- for the later events of a stream.
CREATE INDEX events_that_begin_by_name ON events (stream_id, global_position) WHERE version = 0;
